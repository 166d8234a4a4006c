package main

import (
	"math"
	"strconv"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

// scored is an enriched record: the triplet that the filter saw in it, and what it added.
// Its bytes are good until the next record.
type scored struct {
	source, relation, destination []byte
	score                         float64
	low, alert                    bool
	enriched                      bool   // the record has the filter's field low_score, which it always adds
	risk, triplets                []byte // of the source; nil: the record does not tell
	reason                        []byte
	added                         [][]byte                       // values of the fields of evidence
	list                          func(field, most int) []string // names of such a field
	label, note                   []byte                         // of simulated sessions: see simulate.Session
	time                          time.Time
}

// scoredReader finds in an enriched record the triplet and the added fields.
type scoredReader struct {
	*record.Extractor
	finder  *triplet.Finder
	buffer  triplet.Buffer
	streams triplet.Streams
	rows    triplet.Rows
	names   [evidence.Count]string // of the fields of evidence
}

func newScoredReader(c config.Fields) (*scoredReader, error) {
	spec := record.Spec{Fields: [][]string{{c.Score}, {c.LowScore}, {c.Reason}, {"label"}, {c.SourceAlert}, {c.SourceRisk}, {c.SourceTriplets}, {"note"}}}
	for _, name := range c.Evidence {
		spec.Fields = append(spec.Fields, []string{name})
	}
	r := &scoredReader{names: c.Evidence}
	var err error
	if r.finder, err = triplet.New(c, &spec); err != nil {
		return nil, err
	}
	r.rows = r.finder.Of(&r.streams, nil)
	r.Extractor, err = record.Compile(spec)
	return r, err
}

// read is not ok where the walker is at a record that says nothing of its session.
func (r *scoredReader) read(w *record.Walker) (s scored, ok bool) {
	s, ok = r.session(w)
	return s, ok && s.judged()
}

// judged tells whether there is a score, or a low one without: of a session that a list calls bad.
func (s *scored) judged() bool { return s.low || !math.IsNaN(s.score) }

// session is not ok where the walker is at a record without a source or a destination. The score of one that
// has none yet is NaN.
func (r *scoredReader) session(w *record.Walker) (s scored, ok bool) {
	e := w.Event()
	if e.Kind != record.Log {
		return s, false
	}
	found, verdict := r.finder.Find(&r.buffer, &r.rows, e.Values)
	if verdict != triplet.Found {
		return s, false
	}
	at := e.Time
	if found.Time > 0 {
		at = found.Time
	}
	added := e.Values[r.finder.Values():]
	score := math.NaN()
	if v, err := strconv.ParseFloat(string(added[0]), 64); err == nil {
		score = v
	}
	return scored{
		source: found.Source, relation: found.Relation, destination: found.Destination,
		score: score, low: string(added[1]) == "true", enriched: len(added[1]) > 0, reason: added[2], label: added[3], alert: string(added[4]) == "true", risk: added[5], triplets: added[6], note: added[7], added: added[8:], time: time.Unix(0, at),
		list: func(field, most int) []string { return w.List(e.Extent, r.names[field], most, nil) },
	}, true
}

// sourceRisk is how many points the source has and of how many triplets, 0 where the record does not tell.
func (s *scored) sourceRisk() (points float64, triplets int) {
	points, _ = strconv.ParseFloat(string(s.risk), 64)
	triplets, _ = strconv.Atoi(string(s.triplets))
	return points, triplets
}

// evidence is the filter's evidence about a low score, for people; "" without any.
func (s *scored) evidence() string {
	if !s.low {
		return ""
	}
	e, ok := evidence.Parse(s.added, s.list)
	if !ok {
		return ""
	}
	return e.String()
}

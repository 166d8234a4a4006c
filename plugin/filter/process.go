package filter

import (
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

// keys are the added fields' names as msgpack.
type keys struct{ score, lowScore, reason, trained []byte }

// scratch is what one call of Process needs, kept between calls.
type scratch struct {
	walker *record.Walker
	names  triplet.Names
	pairs  []byte // the added fields as msgpack
	event  [1]graphbuf.Event
	ref    [1]graphbuf.Ref
	tally  tally
}

// compileFields prepares the look-up of the configured fields in a record.
func (f *Instance) compileFields() error {
	c := &f.cfg.Fields
	spec := record.Spec{Drop: []string{c.Score, c.LowScore}}
	if f.cfg.Explain {
		spec.Drop = append(spec.Drop, c.Reason, c.Model)
	}
	f.finder = triplet.New(*c, &spec)
	text := func(s string) []byte { return msgp.AppendString(nil, s) }
	f.keys = keys{text(c.Score), text(c.LowScore), text(c.Reason), text(c.Model)}
	var err error
	f.fields, err = record.Compile(spec)
	return err
}

func (f *Instance) newScratch() *scratch { return &scratch{walker: f.fields.NewWalker()} }

// FarFuture is how far a record's time may lie ahead of the clock before it is not
// believed: one record from the year 2099 would age everything else out of the graph.
const FarFuture = 24 * time.Hour

// Process appends to dst the chunk with the fields added to every record that has a source
// and a destination; all other bytes are as they were. modified is false when no record
// has them, and out is dst then.
func (f *Instance) Process(dst, chunk []byte) (out []byte, modified bool) {
	s := f.scratch.Get().(*scratch)
	scorer := f.scorer.Load()
	began := time.Now()
	now, newest, offline := began.UnixNano(), f.newest.Load(), f.done == nil
	var records, scored, flagged, missing, malformed uint64
	out = dst
	s.walker.Reset(chunk)
	for s.walker.Next() {
		e := s.walker.Event()
		switch {
		case e.Kind == record.Alien:
			malformed++
		case e.Kind == record.Log:
			records++
			if !f.finder.Find(&s.names, e.Values) {
				missing++
				break
			}
			scored++
			s.event[0] = graphbuf.Event{Source: s.names.Source, Relation: s.names.Relation, Destination: s.names.Destination, Time: e.Time}
			if e.Time > now+int64(FarFuture) || e.Time <= 0 {
				s.event[0].Time = now
				if offline && newest > 0 { // the log's own time, which may be years ago
					s.event[0].Time = newest
				}
			}
			newest = max(newest, s.event[0].Time)
			if f.frozen {
				f.graph.Look(s.event[:], s.ref[:])
			} else {
				f.graph.Observe(s.event[:], s.ref[:])
			}
			n, low := f.addFields(s, scorer)
			if low {
				flagged++
			}
			out = e.AppendSpliced(out, n, s.pairs)
			continue
		}
		out = append(out, e.Raw...)
	}
	s.walker.Reset(nil)
	s.event[0] = graphbuf.Event{}
	if f.watch != nil {
		f.watch.merge(&s.tally, began)
	}
	f.scratch.Put(s)

	f.newest.Store(newest)

	c := &f.counters
	c.records.Add(records)
	c.scored.Add(scored)
	c.flagged.Add(flagged)
	c.missing.Add(missing)
	c.malformed.Add(malformed)
	f.latency.add(time.Since(began))
	if scored == 0 {
		return dst, false
	}
	return out, true
}

// addFields writes the fields to add into s.pairs and returns their number.
func (f *Instance) addFields(s *scratch, scorer *model.Scorer) (n int, low bool) {
	p := append(s.pairs[:0], f.keys.score...)
	if scorer == nil {
		p = msgp.AppendNil(p)
	} else {
		score := scorer.Score(f.graph, &s.ref[0], s.event[0].Relation)
		low = f.low(&s.event[0], scorer, score)
		short := shorten(score)
		p = msgp.AppendFloat64(p, short)
		if f.watch != nil {
			s.tally.add(short, low)
			if low {
				f.watch.lowScore(&s.event[0], short, reason(&s.ref[0], low))
			}
		}
	}
	p = msgp.AppendBool(append(p, f.keys.lowScore...), low)
	n = 2
	if f.cfg.Explain {
		p = msgp.AppendString(append(p, f.keys.reason...), reason(&s.ref[0], low))
		n++
		if scorer != nil {
			p = append(p, f.keys.trained...)
			p = msgp.AppendString(p, scorer.Model().TrainedText())
			n++
		}
	}
	s.pairs = p
	return n, low
}

// low tells whether a score counts as unusually unexpected.
func (f *Instance) low(e *graphbuf.Event, scorer *model.Scorer, score float32) bool {
	switch {
	case f.ledger == nil:
		return score < scorer.Threshold()
	case f.frozen: // a look at scores out of their time spends nothing
		return score < f.usual
	}
	return f.ledger.Low(e, score)
}

// shorten leaves six decimals: more would be noise, and bytes in every record.
func shorten(score float32) float64 { return math.Round(float64(score)*1e6) / 1e6 }

// rareCount is the number of earlier sights up to which a triplet is called rare.
const rareCount = 2

// newcomer is for how long all that a source does for the first time is due to its being new.
const newcomer = 24 * time.Hour

// reason tells the most telling thing about a session: what of it was never seen before.
func reason(r *graphbuf.Ref, low bool) string {
	c := &r.Counts
	switch {
	case c.S == 0, c.SRD == 0 && r.Time-r.SourceSince < int64(newcomer):
		return "new_source"
	case c.D == 0:
		return "new_destination"
	case c.SD == 0:
		return "new_pair"
	case c.SRD == 0:
		return "new_relation"
	case c.SRD <= rareCount || low:
		return "rare"
	}
	return "usual"
}

package metrics

import (
	"slices"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

// draw returns the graph's triplets, with the scores of those that lately had a low one. Of a graph that is too large
// for a page it reads only the triplets that the page shows.
func draw(f *filter.Instance) *report.Data {
	watched, status := f.Watched(), f.Status()
	b := report.NewBuilder()
	part := f.Part(connectWatched(b, watched), report.MaxEdges)
	connectPart(b, part)
	d := b.Data()
	d.Live, d.State, d.Problem, d.Since = true, status.State, status.Problem, status.Since.UnixMilli()
	d.Omitted = uint64(max(part.All-len(d.Edges), 0))
	d.From, d.To = part.First/1e6, part.Last/1e6
	d.Records, d.Scored = status.Records.Total, scored(watched)
	d.Low, d.Reported = status.Records.LowScore, status.Records.Reported
	d.Threshold = nil
	if status.Model != nil {
		d.Threshold = &status.Model.Threshold
	}
	d.Histogram = report.Histogram{Low: watched.Low[:], Other: watched.Other[:]}
	if len(watched.Hours) > 0 {
		d.Timeline = timeline(watched.Hours)
	}
	return d
}

// connectWatched adds the last sessions with a low score and those at which a source was reported, and returns their
// triplets.
func connectWatched(b *report.Builder, watched *filter.Watched) []graphbuf.Event {
	var triplets []graphbuf.Event
	connect := func(w *filter.Session, low, alert bool) {
		e := graphbuf.Event{
			Source: []byte(w.Source), Relation: []byte(w.Relation), Destination: []byte(w.Destination), Time: w.Time,
		}
		triplets = append(triplets, e)
		b.Connect(&report.Session{
			Source: e.Source, Relation: e.Relation, Destination: e.Destination, Reason: []byte(w.Reason), Evidence: w.Evidence,
			Score: w.Score, Low: low, SourceAlert: alert, Risk: w.Risk, Triplets: w.Triplets, Time: w.Time,
		}, 0)
	}
	// The Builder keeps those that were added last: the newest.
	for _, w := range slices.Backward(watched.Alerts) {
		known := slices.ContainsFunc(watched.Recent, func(r filter.Session) bool {
			return r.Time == w.Time && r.Source == w.Source && r.Destination == w.Destination && r.Relation == w.Relation
		})
		connect(&w, w.Low && !known, true)
	}
	for _, w := range slices.Backward(watched.Recent) {
		connect(&w, true, false)
	}
	return triplets
}

// connectPart adds a part of the graph, of which scores are not known.
func connectPart(b *report.Builder, part *graphbuf.Part) {
	for i := range part.Edges {
		e := &part.Edges[i]
		b.Connect(&report.Session{
			Source: []byte(part.Nodes[e.Source].Name), Relation: []byte(part.Relations[e.Relation].Name),
			Destination: []byte(part.Nodes[e.Destination].Name), Score: report.NoScore, Time: e.Last,
		}, uint64(e.Count))
	}
}

// scored is the number of sessions with a score since the start.
func scored(w *filter.Watched) (n uint64) {
	for i := range w.Low {
		n += w.Low[i] + w.Other[i]
	}
	return n
}

// timeline has every hour from the first of hours, which are in order, to the last.
func timeline(hours []filter.Hour) report.Timeline {
	const hour = int64(time.Hour / time.Millisecond)
	first, last := hours[0].Hour, hours[len(hours)-1].Hour
	t := report.Timeline{
		Start: first * hour, Step: hour, Low: make([]uint64, last-first+1), All: make([]uint64, last-first+1),
	}
	for _, h := range hours {
		t.Low[h.Hour-first], t.All[h.Hour-first] = h.LowScore, h.Scored
	}
	return t
}

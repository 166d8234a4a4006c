package elastic

import (
	"context"
	"math"
	"slices"
	"time"
)

// Found is what an index has.
type Found struct {
	Documents   uint64    // that fulfil the conditions
	Sessions    uint64    // of these, about how many have a source and a destination: as many as have the rarer of both
	First, Last time.Time // of all
}

// Look tells what there is to read. It aggregates nothing.
func (s *Source) Look(ctx context.Context) (f Found, err error) {
	s.report = Report{}
	m, err := s.resolve(ctx)
	if err != nil {
		return f, err
	}
	p, err := s.probe(ctx, &m, math.MinInt64, time.Now().UnixNano()+farFuture, true)
	if err != nil || p.documents == 0 {
		return f, err
	}
	f.Documents = p.documents
	f.First, f.Last = time.Unix(0, p.first).UTC(), time.Unix(0, p.last).UTC()
	source, destination := len(s.fields.source), len(s.fields.destination) // their parts come first, in this order
	f.Sessions = min(slices.Max(p.most[:source]), slices.Max(p.most[source:source+destination]))
	return f, nil
}

package elastic

import (
	"context"
	"math"
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
	f.Documents, f.Sessions = p.documents, p.documents
	f.First, f.Last = time.Unix(0, p.first).UTC(), time.Unix(0, p.last).UTC()
	side := func(parts []int) (n uint64) {
		for _, i := range parts {
			n = max(n, p.most[i])
		}
		return n
	}
	var source, destination []int
	for i := range len(s.fields.source) + len(s.fields.destination) {
		if i < len(s.fields.source) {
			source = append(source, i)
		} else {
			destination = append(destination, i)
		}
	}
	f.Sessions = min(side(source), side(destination))
	return f, nil
}

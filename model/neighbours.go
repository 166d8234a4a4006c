package model

import (
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/temporal"
)

// Neighbours tells of hosts that came after a training. A *graphbuf.Graph implements it.
type Neighbours interface {
	Near(of graphbuf.ID, sources bool, except graphbuf.ID, out []graphbuf.ID) int
}

// Asks tells whether Score asks its Neighbours about an event: exactly one of the two hosts came after the
// training. Their answer should then not know later events.
func (s *Scorer) Asks(ref *graphbuf.Ref) bool {
	return (rowOf(s.sources, ref.Source) < 0) != (rowOf(s.destinations, ref.Destination) < 0)
}

// near returns the neighbours of an event's new host: of the one that has no row.
func (s *Scorer) near(g Neighbours, x *scratch, ref *graphbuf.Ref, src, dst int32) (out temporal.Neighbours) {
	if (src < 0) == (dst < 0) || g == nil {
		return out
	}
	rows := s.destinations
	ids, n := &x.ids, 0
	if out.Sources = dst < 0; out.Sources {
		rows = s.sources
		n = g.Near(ref.Destination, true, ref.Source, ids[:])
	} else {
		n = g.Near(ref.Source, false, ref.Destination, ids[:])
	}
	for _, id := range ids[:n] {
		if r := rowOf(rows, id); r >= 0 {
			out.Add(r)
		}
	}
	return out
}

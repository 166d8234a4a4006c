package model

import "flb-filter-rgcn/graphbuf"

// near is what is known of a host that came after the cut, or after the scorer's
// training: the few hosts that it has met since. Where the destination is new, the
// source is compared with the destination's first sources, by what they are known for;
// where the source is new, the destination with the source's first destinations.
type near struct {
	n       int
	sources bool // the rows are sources, else destinations
	rows    [maxNear]int32
}

const maxNear = 4

// add takes up a row, if there is room and it is not there.
func (n *near) add(row int32) {
	if n.n == maxNear {
		return
	}
	for _, r := range n.rows[:n.n] {
		if r == row {
			return
		}
	}
	n.rows[n.n] = row
	n.n++
}

// table returns the vectors to compare in, and the row of the host to compare.
func (n *near) table(e *embeddings, s, d int32) (table []float32, of int32) {
	if n.sources {
		return e.m, s
	}
	return e.c, d
}

// inner is the mean inner product of a row with the near ones, over the dimension.
func (n *near) inner(table []float32, of int32, k int) (sum float32) {
	x := row(table, of, k)
	for _, j := range n.rows[:n.n] {
		sum += dot(x, row(table, j, k))
	}
	return sum / float32(n.n*k)
}

// near gathers, for a triplet of which one host is new in the window, whom that one met
// there before the time t.
func (w *window) near(s, d int32, t int64) (out near) {
	oldS, oldD := s >= 0 && w.s[s] > 0, d >= 0 && w.d[d] > 0
	switch {
	case oldS && !oldD && d >= 0:
		out.sources = true
		w.news.sourcesOfD.last(d, t, func(other int32) {
			if other != s && w.s[other] > 0 {
				out.add(other)
			}
		})
	case oldD && !oldS && s >= 0:
		w.news.destinationsOfS.last(s, t, func(other int32) {
			if other != d && w.d[other] > 0 {
				out.add(other)
			}
		})
	}
	return out
}

// Neighbours tells of hosts that came after a training; a *graphbuf.Graph does.
type Neighbours interface {
	Near(of graphbuf.ID, sources bool, except graphbuf.ID, out []graphbuf.ID) int
}

// Asks tells whether Score asks whom the hosts of an event have met: one of them, but not the
// other, came after the training. What it is told should then not know later events.
func (s *Scorer) Asks(ref *graphbuf.Ref) bool {
	return (rowOf(s.sources, ref.Source) < 0) != (rowOf(s.destinations, ref.Destination) < 0)
}

// near is the same for a scorer: which host is new it tells by the rows it has.
func (s *Scorer) near(g Neighbours, x *scratch, ref *graphbuf.Ref, src, dst int32) (out near) {
	if (src < 0) == (dst < 0) || g == nil {
		return out
	}
	rows := s.destinations
	ids, n := &x.ids, 0
	if out.sources = dst < 0; out.sources {
		rows = s.sources
		n = g.Near(ref.Destination, true, ref.Source, ids[:])
	} else {
		n = g.Near(ref.Source, false, ref.Destination, ids[:])
	}
	for _, id := range ids[:n] {
		if r := rowOf(rows, id); r >= 0 {
			out.add(r)
		}
	}
	return out
}

package temporal

import (
	"slices"

	"flb-filter-rgcn/model/internal/num"
)

// eventTimes are lists of times by key, each in ascending order.
type eventTimes struct {
	start []int32
	times []int64
	other []int32 // the other end of the pair that came; nil where nobody asks
}

// part is one part of an edge: a row, a relation or the number of a pair; -1: it has none.
type part func(e *Edge) int32

var (
	ofSource      part = func(e *Edge) int32 { return e.S }
	ofDestination part = func(e *Edge) int32 { return e.D }
	ofRelation    part = func(e *Edge) int32 { return e.R }
)

// where leaves out the edges of which is is false.
func (p part) where(is func(e *Edge) bool) part {
	return func(e *Edge) int32 {
		if is(e) {
			return p(e)
		}
		return -1
	}
}

func firstOfSD(e *Edge) bool { return e.firstSD }
func firstOfSR(e *Edge) bool { return e.firstSR }

// newEventTimes lists the first times of the edges by key, 0 to n-1. An edge whose key is -1 is left out. The
// edges are in order of time.
func newEventTimes(n int, edges []Edge, key, other part) eventTimes {
	keys := make([]int32, len(edges))
	for i := range edges {
		keys[i] = key(&edges[i])
	}
	var g num.Grouping
	g.By(keys, n, nil)
	t := eventTimes{start: g.Start, times: make([]int64, len(g.Items))}
	for at, i := range g.Items {
		t.times[at] = edges[i].First
	}
	if other != nil {
		t.other = g.Items
		for at, i := range g.Items {
			t.other[at] = other(&edges[i])
		}
	}
	return t
}

// eachLast calls do with the other ends of the last few pairs of key i before t, the latest first.
func (a *eventTimes) eachLast(i int32, t int64, do func(other int32)) {
	const few = 2 * MaxNeighbours // some are left out
	from := a.start[i]
	n := int32(a.before(i, t))
	for j := from + n - 1; j >= max(from, from+n-few); j-- {
		do(a.other[j])
	}
}

// before returns how many times of key i lie before t.
func (a *eventTimes) before(i int32, t int64) float32 {
	list := a.times[a.start[i]:a.start[i+1]]
	n, _ := slices.BinarySearch(list, t)
	return float32(n)
}

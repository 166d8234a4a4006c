package baseline

import (
	"context"
	"math/bits"
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// eventTable is a set of events: edges, each some number of times.
type eventTable struct {
	edges []graphbuf.Edge
	upTo  []uint64 // upTo[i] is the number of events of edges[:i+1]
}

func (t *eventTable) total() uint64 {
	if len(t.upTo) == 0 {
		return 0
	}
	return t.upTo[len(t.upTo)-1]
}

// count is the number of events of edge i.
func (t *eventTable) count(i int) uint64 {
	if i == 0 {
		return t.upTo[0]
	}
	return t.upTo[i] - t.upTo[i-1]
}

// draw returns the triplet of an event, each event as likely as another.
func (t *eventTable) draw(rng *num.Philox) (s, r, d int32) {
	i, _ := slices.BinarySearch(t.upTo, uint64N(rng, t.total())+1)
	e := &t.edges[i]
	return e.Source, e.Relation, e.Destination
}

// uint64N returns a number in [0, n), for any n above 0.
func uint64N(rng *num.Philox, n uint64) uint64 {
	hi, _ := bits.Mul64(uint64(rng.Uint32())<<32|uint64(rng.Uint32()), n)
	return hi
}

// splitEvents parts the events of edges at random into a share that trains, rounded down,
// and the rest: selection sampling (Knuth, volume 2, algorithm 3.4.2 S), one draw an event.
func splitEvents(ctx context.Context, edges []graphbuf.Edge, share float64, rng *num.Philox) (train, test *eventTable, err error) {
	var left uint64
	for i := range edges {
		left += uint64(edges[i].Count)
	}
	wanted := uint64(share * float64(left))
	train = &eventTable{edges, make([]uint64, len(edges))}
	test = &eventTable{edges, make([]uint64, len(edges))}
	var taken, spared uint64
	const between = 1 << 16 // draws between two looks at ctx: an edge may have billions of events
	for i := range edges {
		for j := range edges[i].Count {
			if j%between == 0 && ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if uint64N(rng, left) < wanted-taken {
				taken++
			} else {
				spared++
			}
			left--
		}
		train.upTo[i], test.upTo[i] = taken, spared
	}
	return train, test, nil
}

// corrupt replaces one end of a triplet, either as likely, by any node.
func corrupt(s, d int32, nodes int, rng *num.Philox) (int32, int32) {
	other := int32(rng.IntN(nodes))
	if rng.Uint32()&1 == 0 {
		return other, d
	}
	return s, other
}

// batch is the triplets of a step: true ones first, then as many corrupted ones.
type batch struct{ s, r, d []int32 }

func newBatch(sample int) batch {
	ends := func() []int32 { return make([]int32, 2*sample) }
	return batch{ends(), ends(), ends()}
}

func (b *batch) draw(train *eventTable, nodes int, rng *num.Philox) {
	n := len(b.s) / 2
	for i := range n {
		s, r, d := train.draw(rng)
		b.s[i], b.r[i], b.d[i] = s, r, d
		b.s[n+i], b.d[n+i] = corrupt(s, d, nodes, rng)
		b.r[n+i] = r
	}
}

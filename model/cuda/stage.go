//go:build gpu

package cuda

import (
	"math"
	"slices"
)

// The places, in what the decoder leaves of a batch, of the coefficients that gradients of
// embeddings are made with: the enumeration of kernels.cu.
const (
	workWalk    = workWords - 4
	workProfile = workWords - 3
	workNear    = workWords - 2
)

// stage is one batch as the device gets it, in one copy: the triplets, their counted features
// and the plans by which gradients are summed for the rows that occur.
type stage struct {
	n     int
	words []uint32
	sums  [spreads]spread
}

// The sums of a batch's gradients: for sources, destinations and relations over their triplets,
// and for the rows that stand in for a new host with that host's partner, both ways.
const (
	bySource = iota
	byDestination
	byRelation
	nearSources
	nearDestinations
	spreads
)

// spread is the plan of one sum, its arrays by their places in the words.
type spread struct {
	items, others int // triplets, and the rows that they bring where that is not plain
	levels        []placed
	slots         int
}

// placed is a level of a plan on the device.
type placed struct {
	start, dest, pieces int
}

// pair is a triplet in a row's sum, with the row that it brings.
type pair struct{ row, item, other int32 }

// pack fills s from b.
func (s *stage) pack(b *Batch) {
	n := len(b.Source)
	s.n = n
	s.words = slices.Grow(s.words[:0], n*(batchWords+Counted))
	for _, x := range [][]int32{b.Source, b.Relation, b.Destination, b.NearCount, b.NearSources} {
		s.ints(x)
	}
	for j := range Near {
		for i := range n {
			s.words = append(s.words, uint32(b.NearRows[i*Near+j]))
		}
	}
	s.words = append(s.words, b.Keep...)
	s.floats(b.Label)
	s.floats(b.Weight)
	for _, x := range b.Counted {
		s.floats(x)
	}

	var pairs [spreads][]pair
	for i := range n {
		t, src, rel, dst := int32(i), b.Source[i], b.Relation[i], b.Destination[i]
		if src >= 0 && dst >= 0 {
			pairs[bySource] = append(pairs[bySource], pair{src, t, dst})
			pairs[byDestination] = append(pairs[byDestination], pair{dst, t, src})
			if rel >= 0 {
				pairs[byRelation] = append(pairs[byRelation], pair{rel, t, 0})
			}
		}
		if b.NearCount[i] > 0 {
			kind, of := nearDestinations, dst
			if b.NearSources[i] != 0 {
				kind, of = nearSources, src
			}
			for _, row := range b.NearRows[i*Near:][:b.NearCount[i]] {
				pairs[kind] = append(pairs[kind], pair{of, t, row}, pair{row, t, of})
			}
		}
	}
	for i := range pairs {
		s.sums[i] = s.spread(pairs[i])
	}
}

// spread groups pairs by row and places items, others and plan behind the words.
func (s *stage) spread(pairs []pair) (out spread) {
	if len(pairs) == 0 {
		return out
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return int(a.row) - int(b.row) })
	var start, rows []int32
	for i, p := range pairs {
		if i == 0 || p.row != pairs[i-1].row {
			start, rows = append(start, int32(i)), append(rows, p.row)
		}
	}
	start = append(start, int32(len(pairs)))
	out.items = len(s.words)
	for _, p := range pairs {
		s.words = append(s.words, uint32(p.item))
	}
	out.others = len(s.words)
	for _, p := range pairs {
		s.words = append(s.words, uint32(p.other))
	}
	p := newPlan(start, rows, batchPiece)
	out.slots = p.slots
	for _, l := range p.levels {
		at := placed{start: len(s.words), pieces: len(l.dest)}
		s.ints(l.start)
		at.dest = len(s.words)
		s.ints(l.dest)
		out.levels = append(out.levels, at)
	}
	return out
}

func (s *stage) ints(x []int32) {
	for _, v := range x {
		s.words = append(s.words, uint32(v))
	}
}

func (s *stage) floats(x []float32) {
	for _, v := range x {
		s.words = append(s.words, math.Float32bits(v))
	}
}

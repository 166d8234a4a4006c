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
	pairs [spreads][]pair // scratch
	keys  []uint64        // scratch
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

	pairs := &s.pairs
	for i := range pairs {
		pairs[i] = pairs[i][:0]
	}
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
	// By row, those of a row in the order in which they came: a row and a place in one number sort in
	// less than half of the time that a stable sort of pairs takes.
	s.keys = s.keys[:0]
	for i, p := range pairs {
		s.keys = append(s.keys, uint64(p.row)<<32|uint64(i))
	}
	slices.Sort(s.keys)
	var start, rows []int32
	out.items = len(s.words)
	for i, k := range s.keys {
		if row := int32(k >> 32); i == 0 || row != rows[len(rows)-1] {
			start, rows = append(start, int32(i)), append(rows, row)
		}
		s.words = append(s.words, uint32(pairs[uint32(k)].item))
	}
	start = append(start, int32(len(pairs)))
	out.others = len(s.words)
	for _, k := range s.keys {
		s.words = append(s.words, uint32(pairs[uint32(k)].other))
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

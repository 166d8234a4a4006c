package model

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
)

// The flood of usual sessions repeats itself, and most of what a score is computed from
// does not change between two of them. So a Scorer sees the counts coarsely and keeps the
// score of each triplet together with everything that it was computed from: where that is
// still the same, so is the score. A kept score is never an old one, and which scores are
// kept changes none.

// coarse returns a count as the Scorer sees it: exactly below 2^(bits+1), then in 2^bits
// steps an octave, each standing for its middle.
func coarse(count uint32, bits_ int) uint32 {
	shift := bits.Len32(count|1<<bits_) - 1 - bits_
	return count>>shift<<shift | 1<<shift>>1
}

// class is the same for counts for which coarse is, with the fine steps, and for no others: a number of 14
// bits, those of a float64 down to the first ones of its fraction. Without the lowest two it is the class by the
// rough steps.
func class(count uint32) uint64 { return math.Float64bits(float64(count)) >> (52 - fine) }

// fine and rough are the steps an octave, as powers of two. The decoder takes logarithms of the
// counts, and of those of a triplet that was often seen they hardly matter: the first is off by
// 0.061 at most, the second by 0.22.
const (
	fine  = 3
	rough = 1
	often = 16 // events of a triplet from which on rough will do
)

// coarseFade is coarse for a fading count: eight steps an octave, and 0 below 1/64.
func coarseFade(x float32) float32 {
	if x < 1.0/64 {
		return 0
	}
	const step = 1 << (23 - fine) // of a float32's 23 bits of fraction
	return math.Float32frombits(math.Float32bits(x)&^(step-1) | step/2)
}

// coarsen brings what the graph knew of an event to what the Scorer sees of it.
func coarsen(ref graphbuf.Ref) graphbuf.Ref {
	c := &ref.Counts
	steps := fine
	if c.SRD >= often {
		steps = rough
	}
	c.SRD, c.SD, c.SR, c.RD = coarse(c.SRD, steps), coarse(c.SD, steps), coarse(c.SR, steps), coarse(c.RD, steps)
	c.S, c.D, c.R = coarse(c.S, steps), coarse(c.D, steps), coarse(c.R, steps)
	c.DestinationsOfS, c.RelationsOfS = coarse(c.DestinationsOfS, fine), coarse(c.RelationsOfS, fine)
	c.SourcesOfD, c.SourcesOfR = coarse(c.SourcesOfD, fine), coarse(c.SourcesOfR, fine)
	ref.NewDestinations = coarseFade(ref.NewDestinations)
	return ref
}

// memo keeps the last score of many triplets. Readers and writers need no lock: a cell
// holds a key mixed with its value, so that halves of two writes match no key.
type memo struct{ cells []memoCell }

type memoCell struct{ check, value atomic.Uint64 }

// maxMemo bounds the cells, of 16 bytes each. Triplets beyond it share cells.
const maxMemo = 1 << 18

// written tells a kept score, the lower half of a value, from an empty cell.
const written = 1 << 32

func newMemo(edges int) memo {
	n := 1 << bits.Len(uint(2*edges))
	return memo{make([]memoCell, min(max(n, 1<<10), maxMemo))}
}

// memoKey makes the places and keys of the memo unknown to whoever picks the names.
var memoKey = rand.Uint64() | 1

func mix(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

// key returns the cell of a triplet, and a hash of all that its score is computed from: what
// coarsen leaves of the event, and how many of its source's relations have settled.
func (m *memo) key(ref *graphbuf.Ref, settled int) (cell *memoCell, key uint64) {
	pack := func(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }
	classes := func(a, b, c, d uint32) uint64 {
		return class(a)<<48 | class(b)<<32 | class(c)<<16 | class(d)
	}
	c := &ref.Counts
	mask := ^uint64(0)
	if c.SRD >= often {
		const lowest = 1<<(fine-rough) - 1
		mask = ^uint64(lowest<<48 | lowest<<32 | lowest<<16 | lowest)
	}
	h := mix(memoKey, pack(ref.Source.Slot, ref.Source.Gen))
	h = mix(h, pack(ref.Destination.Slot, ref.Destination.Gen))
	h = mix(h, pack(ref.Relation.Slot, ref.Relation.Gen))
	cell = &m.cells[h&uint64(len(m.cells)-1)]
	h = mix(h, classes(c.SRD, c.SD, c.SR, c.RD)&mask)
	h = mix(h, classes(0, c.S, c.D, c.R)&mask)
	h = mix(h, classes(c.DestinationsOfS, c.RelationsOfS, c.SourcesOfD, c.SourcesOfR))
	return cell, mix(h, pack(math.Float32bits(coarseFade(ref.NewDestinations)), uint32(settled)))
}

func (c *memoCell) get(key uint64) (score float32, ok bool) {
	v := c.value.Load()
	return math.Float32frombits(uint32(v)), v&written != 0 && c.check.Load()^v == key
}

func (c *memoCell) put(key uint64, score float32) {
	v := written | uint64(math.Float32bits(score))
	c.value.Store(v)
	c.check.Store(key ^ v)
}

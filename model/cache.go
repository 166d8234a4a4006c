package model

import (
	"math"
	"math/bits"
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/num"
)

// Most sessions repeat earlier ones, and most of what their scores are computed from has not changed. So a
// Scorer rounds the counts and keeps the logit of each triplet together with a hash of everything it was
// computed from. A kept logit is used only where that hash is the same, so the cache changes no score.

// class numbers the steps in which the Scorer sees a count, 2^steps of them an octave, so that counts below 2^(steps+1)
// have one each. It is the first bits of the count as a float64. 14 bits hold the fine ones.
func class(count uint32, steps int) uint64 { return math.Float64bits(float64(count)) >> (52 - steps) }

// coarse returns the middle of a count's class: the count as the Scorer sees it.
func coarse(count uint32, steps int) uint32 {
	return uint32(math.Float64frombits(class(count, steps)<<(52-steps) | 1<<(51-steps)))
}

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

// coarsen replaces what the graph knew of an event by what the Scorer sees of it.
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

// cache keeps the last logit of many triplets, and the inputs that no count changes. Readers and writers need no
// lock: a cell holds its key mixed with its value, so that parts of two writes match no key.
type cache struct {
	logits  []logitCell // of logits
	statics []staticCell
}

type (
	logitCell  struct{ check, value atomic.Uint64 }
	staticCell struct {
		check atomic.Uint64
		words [2]atomic.Uint64
	}
)

// staticInputs are the decoder's inputs of a known triplet that no count changes. They hold until another
// relation of its source settles.
type staticInputs struct {
	gnn.Structure // near is 0
	similar       float32
}

// maxCells bounds the number of cells, which take 40 bytes for a triplet. In larger graphs triplets share cells.
const maxCells = 1 << 18

// written tells a kept score, the lower half of a value, from an empty cell.
const written = 1 << 32

func cacheCells(edges int) int { return min(max(1<<bits.Len(uint(edges)), 1<<10), maxCells) }

func newCache(edges int) cache {
	n := cacheCells(edges)
	return cache{make([]logitCell, n), make([]staticCell, n)}
}

// logit and static return the cells of an edge of the graph.
func (m *cache) logit(edge uint32) *logitCell { return &m.logits[int(edge)&(len(m.logits)-1)] }

func (m *cache) static(edge uint32) *staticCell { return &m.statics[int(edge)&(len(m.statics)-1)] }

// staticKey is a hash of a triplet and of how many of its source's relations have settled.
func staticKey(ref *graphbuf.Ref, settled int) uint64 {
	ends := num.Hash(num.Pack(ref.Source.Slot, ref.Source.Gen), num.Pack(ref.Destination.Slot, ref.Destination.Gen))
	return num.Hash(ends, num.Hash(num.Pack(ref.Relation.Slot, ref.Relation.Gen), uint64(settled)))
}

// logitKey is a hash of all that a score is computed from: the static inputs, by their key, and what coarsen leaves of
// the event, by the classes of its counts. To hash what coarsen makes would take 100 ns instead of 34 for each record.
func logitKey(lasting uint64, ref *graphbuf.Ref) uint64 {
	classes := func(a, b, c, d uint32) uint64 {
		return class(a, fine)<<48 | class(b, fine)<<32 | class(c, fine)<<16 | class(d, fine)
	}
	c := &ref.Counts
	fade := uint64(math.Float32bits(coarseFade(ref.NewDestinations))) >> (23 - fine - 1) // not as many bits
	mask := ^uint64(0)
	if c.SRD >= often {
		const lowest = 1<<(fine-rough) - 1 // a rough class is a fine one without these
		mask = ^uint64(lowest<<48 | lowest<<32 | lowest<<16 | lowest)
	}
	lasting = num.Hash(num.Hash(lasting, uint64(ref.HalfDays)), classes(c.SRD, c.SD, c.SR, c.RD)&mask)
	return num.Hash(lasting, num.Hash(fade<<48|classes(0, c.S, c.D, c.R)&mask, classes(c.DestinationsOfS, c.RelationsOfS, c.SourcesOfD, c.SourcesOfR)))
}

func (c *logitCell) get(key uint64) (logit float32, ok bool) {
	v := c.value.Load()
	return math.Float32frombits(uint32(v)), v&written != 0 && c.check.Load()^v == key
}

func (c *logitCell) put(key uint64, logit float32) {
	v := written | uint64(math.Float32bits(logit))
	c.value.Store(v)
	c.check.Store(key ^ v)
}

func (c *staticCell) get(key uint64) (x staticInputs, ok bool) {
	check, a, b := c.check.Load(), c.words[0].Load(), c.words[1].Load()
	unpack := func(w uint64) (x, y float32) {
		return math.Float32frombits(uint32(w >> 32)), math.Float32frombits(uint32(w))
	}
	x.Walk, x.Profile = unpack(a)
	x.Relational, x.similar = unpack(b)
	return x, check == num.Hash(key, num.Hash(a, b))
}

func (c *staticCell) put(key uint64, x staticInputs) {
	a := num.Pack(math.Float32bits(x.Walk), math.Float32bits(x.Profile))
	b := num.Pack(math.Float32bits(x.Relational), math.Float32bits(x.similar))
	c.words[0].Store(a)
	c.words[1].Store(b)
	c.check.Store(num.Hash(key, num.Hash(a, b)))
}

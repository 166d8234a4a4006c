package simulate

import (
	"math"
	"math/rand/v2"
)

// Streams of random numbers. Each part of the simulation draws from its own, so
// that a knob of the attacks leaves the benign sessions as they are.
const (
	streamWorld = iota + 1
	streamTraffic
	streamAttack
	streamScans
	streamChains
	streamReturns
	streamHops
	streamElastic
	streamJobs
)

func newRand(seed uint64, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// between draws from lo to hi, both included.
func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// poisson draws a count with the given mean; above 50 the normal approximation
// is closer than any habit is to a Poisson process.
func poisson(r *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+float64(math.Sqrt(mean)*r.NormFloat64()))))
	}
	n := -1
	for left := mean; left >= 0; n++ {
		left -= r.ExpFloat64()
	}
	return max(n, 0)
}

// geometric draws 1, 2, ... up to most, each further one with probability p.
func geometric(r *rand.Rand, p float64, most int) int {
	n := 1
	for n < most && chance(r, p) {
		n++
	}
	return n
}

// pick draws an index in proportion to the weights, which are not all 0.
func pick[T any](r *rand.Rand, items []T, weight func(T) float64) int {
	sum := 0.0
	for _, item := range items {
		sum += weight(item)
	}
	x := r.Float64() * sum
	last := 0
	for i, item := range items {
		w := weight(item)
		if w == 0 {
			continue
		}
		if last = i; x < w {
			break
		}
		x -= w
	}
	return last
}

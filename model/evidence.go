package model

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"flb-filter-rgcn/graphbuf"
)

// Rarity tells how many triplets a day score as low as some score. It does not change.
type Rarity struct {
	scores []float32 // ascending
	perDay []float64 // how many a day score so low or lower
	odd    float64   // how many of a day are odd
	gate   float32   // the score from which on none is
}

// oddShare is the part of the triplets that are odd: those with the lowest scores of a day.
const oddShare = 0.05

// Rarity returns that of the triplets which the model's training held out; nil where they do not tell.
func (m *Model) Rarity() *Rarity {
	if len(m.heldOut.scores) == 0 || !(m.heldOut.days > 0) {
		return nil
	}
	sorted := slices.Clone(m.heldOut.scores)
	slices.SortFunc(sorted, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	r := &Rarity{}
	sum := 0.0
	for _, s := range sorted {
		sum += float64(s.weight)
		r.scores = append(r.scores, s.score)
		r.perDay = append(r.perDay, sum/m.heldOut.days)
	}
	r.odd = oddShare * r.perDay[len(r.perDay)-1]
	r.gate = below(m.heldOut.scores, r.odd*m.heldOut.days)
	if m.heldOut.even > 0 {
		r.gate = min(r.gate, m.heldOut.even)
	}
	return r
}

// Odd is how many distinct triplets of a busy day are odd: the twentieth with the lowest scores. 0 where that is not known.
func (r *Rarity) Odd() float64 {
	if r == nil {
		return 0
	}
	return r.odd
}

// Oddness is by how much rarer a score is than those of the odd triplets of a day, as a decimal logarithm: 1 for one of which there are
// a tenth as many. It is 0 for a score that is not odd, or that is likelier among true triplets than among corrupted ones. Where no
// held-out triplet scored so low, triplets are taken to become rarer as the odds fall.
func (r *Rarity) Oddness(score float32) float64 {
	if r == nil || score >= r.gate {
		return 0
	}
	perDay := r.PerDay(score)
	if perDay == 0 {
		perDay = r.perDay[0] * math.Exp(min(0, logit(score)-logit(r.scores[0])))
	}
	return max(0, math.Log10(r.odd/perDay))
}

// PerDay is how many distinct triplets of a busy day score so low or lower; NaN where that is not known.
func (r *Rarity) PerDay(score float32) float64 {
	if r == nil {
		return math.NaN()
	}
	i := sort.Search(len(r.scores), func(i int) bool { return r.scores[i] > score })
	if i == 0 {
		return 0
	}
	return r.perDay[i-1]
}

// Resemblance tells how much two sources are alike, by the destinations that they are known for: the cosine of their vectors,
// -1 to 1. It is not ok where the training did not know one of them, or knew nothing of it.
func (s *Scorer) Resemblance(a, b graphbuf.ID) (cosine float32, ok bool) {
	if s.model.reference != nil {
		return 0, false
	}
	i, j := rowOf(s.sources, a), rowOf(s.sources, b)
	if i < 0 || j < 0 {
		return 0, false
	}
	x, y := row(s.m, i, s.decoder.k), row(s.m, j, s.decoder.k)
	length := math.Sqrt(float64(dot(x, x)) * float64(dot(y, y)))
	if !(length > 0) {
		return 0, false
	}
	return float32(float64(dot(x, y)) / length), true
}

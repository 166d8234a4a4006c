package model

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/ranking"
)

// Rarity tells how many triplets a day score as low as a given score. It is immutable.
type Rarity struct {
	scores []float32 // ascending
	perDay []float64 // how many a day score so low or lower
}

// Rarity returns the rarity of scores among the held-out triplets, nil where those do not tell.
func (m *Model) Rarity() *Rarity {
	if len(m.heldOut.Scores) == 0 || !(m.heldOut.Days > 0) {
		return nil
	}
	sorted := slices.Clone(m.heldOut.Scores)
	slices.SortFunc(sorted, func(a, b ranking.Weighted) int { return cmp.Compare(a.Score, b.Score) })
	r := &Rarity{}
	sum := 0.0
	for _, s := range sorted {
		sum += float64(s.Weight)
		r.scores = append(r.scores, s.Score)
		r.perDay = append(r.perDay, sum/m.heldOut.Days)
	}
	return r
}

// PerDay returns how many distinct triplets of a busy day have that score or a lower one, NaN where that is not
// known.
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

// Resemblance returns how much two sources are alike in their destinations: the cosine of their profiles, -1 to
// 1. ok is false where the training did not know one of them or nothing of it.
func (s *Scorer) Resemblance(a, b graphbuf.ID) (cosine float32, ok bool) {
	if s.model.reference != nil {
		return 0, false
	}
	i, j := rowOf(s.sources, a), rowOf(s.sources, b)
	if i < 0 || j < 0 {
		return 0, false
	}
	x, y := num.Row(s.SourceProfile, i, s.decoder.K), num.Row(s.SourceProfile, j, s.decoder.K)
	length := math.Sqrt(float64(num.Dot(x, x)) * float64(num.Dot(y, y)))
	if !(length > 0) {
		return 0, false
	}
	return float32(float64(num.Dot(x, y)) / length), true
}

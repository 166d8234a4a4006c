package model

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
	"flb-filter-rgcn/model/ranking"
)

// Rarity tells how many triplets a day score as low as a given score. It is immutable.
type Rarity struct {
	scores []float32 // ascending
	perDay []float64 // how many a day score so low or lower
	odd    float64   // how many of a day are odd
	gate   float32   // the score from which on none is
}

// oddShare is the part of the triplets that are odd: those with the lowest scores of a day.
const oddShare = 0.05

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
	r.odd = oddShare * r.perDay[len(r.perDay)-1]
	r.gate = ranking.Below(m.heldOut.Scores, r.odd*m.heldOut.Days)
	if m.heldOut.Even > 0 {
		r.gate = min(r.gate, m.heldOut.Even)
	}
	return r
}

// Odd is how many distinct triplets of a busy day are odd: the twentieth with the lowest scores. 0 where that is not
// known.
func (r *Rarity) Odd() float64 {
	if r == nil {
		return 0
	}
	return r.odd
}

// Oddness tells how rare a score is among odd ones, as a decimal logarithm: 0 at their limit, 1 where only a tenth as many
// triplets of a day score as low. It is 0 for a score that is not odd, and for one that is likelier among true triplets
// than among corrupted ones. Below the lowest held-out score the number of triplets is taken to fall as the odds do.
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

// Group says what the sources that have a feature in common with one, such as those of its network, were known to do by
// the time of the training.
type Group struct {
	Feature       uint64 // as HostFeatures has it: of those that three other sources have, the one that the fewest have
	Sources       int    // others that have it
	ToDestination int    // those of them that met the destination
}

// Group returns that of an event's source; Sources is 0 where there is none. It does not allocate.
func (s *Scorer) Group(event *graphbuf.Event, ref *graphbuf.Ref) (g Group) {
	k := s.peers
	if k == nil {
		return g
	}
	x := scratches.Get().(*scratch)
	defer scratches.Put(x)
	src, dst := anyRowOf(s.sources, ref.Source), anyRowOf(s.destinations, ref.Destination)
	x.hashes = k.peers.Features.Append(x.hashes[:0], event.Source)
	features := k.peers.Find(x.source[:0], x.hashes)
	place, sources, toD := k.peers.SourceGroup(k.cooccurrence, features, dst, temporal.Own{S: src >= 0, SD: k.sd.Find(src, dst) >= 0})
	if place < 0 {
		return g
	}
	return Group{x.hashes[place], sources, toD}
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

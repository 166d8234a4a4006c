package eval

import (
	"cmp"
	"slices"

	"flb-filter-rgcn/model/ranking"
)

// Scored is one distinct triplet of a day: its score and whether it is an attack.
type Scored struct {
	Score  float64
	Attack bool
	Note   string // of the session, "" for none
	tie    uint64 // order among equal scores: drawn, so that no method gains by the order of the log
}

func (s Scored) before(t Scored) int {
	return cmp.Or(cmp.Compare(s.Score, t.Score), cmp.Compare(s.tie, t.tie))
}

// AUC is the chance that an attack scores lower than a benign triplet, ties counting half; NaN where one of both is
// missing.
func AUC(all []Scored) float64 {
	scores := make([]ranking.Labelled, len(all))
	for i, s := range all {
		scores[i].Score = s.Score
		if s.Attack {
			scores[i].Negative = 1
		} else {
			scores[i].Positive = 1
		}
	}
	return ranking.AreaUnderROC(scores)
}

// AveragePrecision is the mean, over the attacks, of the share of attacks among all that score as low or lower; NaN
// without attacks.
func AveragePrecision(all []Scored) float64 { return averagePrecision(all, 1) }

// BalancedPrecision is AveragePrecision as if there were as many benign triplets as attacks: each benign one counts for
// the number of attacks over the number of benign ones. So it can be compared where their shares differ.
func BalancedPrecision(all []Scored) float64 {
	attacks := 0
	for _, s := range all {
		if s.Attack {
			attacks++
		}
	}
	return averagePrecision(all, float64(attacks)/float64(len(all)-attacks))
}

// averagePrecision counts each benign triplet for so many.
func averagePrecision(all []Scored, weight float64) float64 {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, Scored.before)
	var attacks, benign, sum float64
	for len(sorted) > 0 {
		same := 1 // of equal scores
		for same < len(sorted) && sorted[same].Score == sorted[0].Score {
			same++
		}
		before := attacks
		for _, s := range sorted[:same] {
			if s.Attack {
				attacks++
			} else {
				benign += weight
			}
		}
		if attacks > before {
			sum += (attacks - before) * attacks / (attacks + benign)
		}
		sorted = sorted[same:]
	}
	return sum / attacks
}

// RecallAt is the share of all attacks that are among the k lowest of their day.
func RecallAt(days [][]Scored, k int) float64 {
	var found, attacks float64
	for _, d := range days {
		sorted := slices.Clone(d)
		slices.SortFunc(sorted, Scored.before)
		for i, s := range sorted {
			if s.Attack {
				attacks++
				if i < k {
					found++
				}
			}
		}
	}
	return found / attacks
}

package ranking

import (
	"cmp"
	"math"
	"slices"
)

// Weighted is the score of a triplet that stands for weight of its kind.
type Weighted struct {
	Score, Weight float32
}

// HeldOut are the scores of the triplets held out of a training, the number of busy days in which those came,
// and the score at even odds of positive and corrupted.
type HeldOut struct {
	Scores []Weighted
	Days   float64
	Even   float32
	// Settled tells that the training knew of a day or more.
	Settled bool
}

// AUC is the area under the ROC curve of positives and negatives, each counted by its weight. It is 0.5 where one kind
// is missing.
func AUC(positives, negatives []Weighted) float64 {
	labelled := make([]Labelled, 0, len(positives)+len(negatives))
	for _, s := range positives {
		labelled = append(labelled, Labelled{float64(s.Score), float64(s.Weight), 0})
	}
	for _, s := range negatives {
		labelled = append(labelled, Labelled{float64(s.Score), 0, float64(s.Weight)})
	}
	if area := AreaUnderROC(labelled); !math.IsNaN(area) {
		return area
	}
	return 0.5
}

// Labelled is a score and the weights of the positives and of the negatives that have it.
type Labelled struct{ Score, Positive, Negative float64 }

// AreaUnderROC is the chance that a positive scores higher than a negative, ties counting half, each counted by its
// weight. It is NaN where one kind is missing. It sorts the scores, none of which may be NaN.
func AreaUnderROC(scores []Labelled) float64 {
	var pos, neg float64
	for _, s := range scores {
		pos += s.Positive
		neg += s.Negative
	}
	slices.SortFunc(scores, func(a, b Labelled) int { return cmp.Compare(a.Score, b.Score) })
	var won, below float64
	for i := 0; i < len(scores); {
		var p, n float64
		j := i
		for ; j < len(scores) && scores[j].Score == scores[i].Score; j++ {
			p += scores[j].Positive
			n += scores[j].Negative
		}
		won += p * (below + n/2)
		below += n
		i = j
	}
	return min(1, won/(pos*neg)) // sums of weights are rounded
}

// Below returns the score under which the given weight lies, and 0 where there are no scores. A weight less than that
// of the lowest score lies below a part of that score.
func Below(scores []Weighted, weight float64) float32 {
	if len(scores) == 0 {
		return 0
	}
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b Weighted) int { return cmp.Compare(a.Score, b.Score) })
	if first := sorted[0]; weight < float64(first.Weight) {
		// Of few triplets the lowest is not so low: less than one lies below a part of its score.
		return first.Score * float32(weight/float64(first.Weight))
	}
	var sum float64
	for _, s := range sorted {
		if sum += float64(s.Weight); sum > weight {
			return s.Score
		}
	}
	return sorted[len(sorted)-1].Score
}

package gnn

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
	"flb-filter-rgcn/model/ranking"
)

// Judge scores a batch. It returns the scores of its positives, each with the number of triplets it stands for,
// and the AUC, which is NaN where a score is.
func (d *Decoder) Judge(e *Embeddings, b *temporal.Batch) (natural []ranking.Weighted, quality float64) {
	var positives, negatives []ranking.Weighted
	var f [NumInputs]float32
	var h [Hidden]float32
	for i := range b.S {
		d.Inputs(&f, &b.Counts[i], d.Structure(e, b.S[i], b.R[i], b.D[i], &b.Neighbours[i]))
		y := d.Logit(&f, &h, nil)
		if y != y {
			return nil, math.NaN()
		}
		s := ranking.Weighted{Score: num.Sigmoid(y + b.Tenure[i]), Weight: b.Weight[i]}
		if b.Label[i] > 0 {
			positives = append(positives, s)
			natural = append(natural, ranking.Weighted{Score: s.Score, Weight: b.Mass[i]})
		} else {
			negatives = append(negatives, s)
		}
	}
	return natural, ranking.AUC(positives, negatives)
}

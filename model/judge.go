package model

import "math"

// judge scores a batch: the scores of its true triplets as often as they occur, and the AUC.
func (d *decoder) judge(e *embeddings, b *batch) (natural []scored, quality float64) {
	var positives, negatives []scored
	var f [features]float32
	var h [hidden]float32
	for i := range b.s {
		d.inputs(&f, &b.n[i], d.structure(e, b.s[i], b.r[i], b.d[i], &b.near[i]))
		y := d.logit(&f, &h, nil)
		if y != y {
			return nil, math.NaN()
		}
		s := scored{sigmoid(y + b.tenure[i]), b.weight[i]}
		if b.label[i] > 0 {
			positives = append(positives, s)
			natural = append(natural, scored{s.score, b.mass[i]})
		} else {
			negatives = append(negatives, s)
		}
	}
	return natural, auc(positives, negatives)
}

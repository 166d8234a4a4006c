package model

import (
	"cmp"
	"slices"
)

// auc is the chance that a true triplet scores higher than a false one, ties counting
// half, with each triplet counted by its weight. It is 0.5 where one kind is missing.
func auc(true_, false_ []scored) float64 {
	type point struct {
		score      float32
		pos, weigh float64
	}
	points := make([]point, 0, len(true_)+len(false_))
	var pos, neg float64
	for _, s := range true_ {
		points = append(points, point{s.score, float64(s.weight), 0})
		pos += float64(s.weight)
	}
	for _, s := range false_ {
		points = append(points, point{s.score, 0, float64(s.weight)})
		neg += float64(s.weight)
	}
	if pos == 0 || neg == 0 {
		return 0.5
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.score, b.score) })
	var won, below float64
	for i := 0; i < len(points); {
		var p, n float64
		j := i
		for ; j < len(points) && points[j].score == points[i].score; j++ {
			p += points[j].pos
			n += points[j].weigh
		}
		won += p * (below + n/2)
		below += n
		i = j
	}
	return won / (pos * neg)
}

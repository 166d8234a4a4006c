package model

// batch is the triplets of one step, positives with label 1 and corrupted ones with label 0, by index.
type batch struct {
	s, r, d []int32 // rows and relations, -1 where unknown
	n       []facts
	near    []near
	label   []float32
	weight  []float32 // their sum is what the loss is divided by
	mass    []float32 // how many triplets of the window a positive stands for
	tenure  []float32 // factors of tenures, for scores; the loss knows none
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	*b = batch{b.s[:0], b.r[:0], b.d[:0], b.n[:0], b.near[:0], b.label[:0], b.weight[:0], b.mass[:0], b.tenure[:0]}
}

func (b *batch) add(s, r, d int32, n facts, near near, label, weight, mass, tenure float32) {
	b.s, b.r, b.d = append(b.s, s), append(b.r, r), append(b.d, d)
	b.n, b.near, b.label = append(b.n, n), append(b.near, near), append(b.label, label)
	b.weight, b.mass, b.tenure = append(b.weight, weight), append(b.mass, mass), append(b.tenure, tenure)
}

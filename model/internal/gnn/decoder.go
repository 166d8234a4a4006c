package gnn

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
)

// The decoder's inputs in their order: the logarithms of the counts, whether each count of events is
// zero, three structural inner products, and the relational score.
const (
	InputZero       = temporal.NumCounts
	InputWalk       = InputZero + temporal.NumEventCounts // (P Pt P)[s, d]: how the walks source - destination - source - destination meet
	InputProfile    = InputWalk + 1                       // mean over the source's destinations of the cosine of their columns with d's
	InputNeighbours = InputProfile + 1                    // what stands in for the profile where one host is new: see temporal.Neighbours
	InputRelational = InputNeighbours + 1                 // the relational score
	NumInputs       = InputRelational + 1
	Hidden          = 32
)

// Scales at which the structural inputs enter asinh: where it turns from linear to logarithmic.
const (
	walkScale    = 30
	profileScale = 10
)

// The relational scores.
const (
	DistMult = "distmult" // <h_s, w_r, h_d>, Yang et al. 2015
	TransE   = "transe"   // -|h_s + w_r - h_d|, Bordes et al. 2013
	RotatE   = "rotate"   // -|h_s * e^(i w_r) - h_d|, pairs of dimensions as complex numbers, Sun et al. 2019
)

// Embeddings are the outputs of the layers for every row, each [rows][k] row-major.
type Embeddings struct {
	SourceWalk         []float32 // sources, one hop along the walk
	DestinationWalk    []float32 // destinations, two hops along the walk
	SourceProfile      []float32 // sources, the mean of their destinations' profiles
	DestinationProfile []float32 // destinations, their profiles
}

// Decoder scores triplets. Its slices belong to the parameters it was made from.
type Decoder struct {
	K       int
	kind    string
	rel     []float32 // [relations][k]
	a1      []float32 // [NumInputs][Hidden]
	b1      []float32 // [hidden]
	a2      []float32 // [hidden]
	b2      []float32 // [1]
	Scaling *Scaling
	mask    *[NumInputs]bool // inputs to leave out; nil: none
}

// countInputs fills the inputs that come from counts, not yet scaled.
func countInputs(f *[NumInputs]float32, n *temporal.Counts) {
	for i, c := range n {
		f[i] = num.Log1p(c)
		if i < temporal.NumEventCounts {
			f[InputZero+i] = 0
			if c == 0 {
				f[InputZero+i] = 1
			}
		}
	}
}

// Structure are the inputs that come from the embeddings, by their names.
type Structure struct{ Walk, Profile, neighbours, Relational float32 }

// Structure returns the structural inputs of a triplet. Those of a part that is -1, which is unknown, are 0.
func (d *Decoder) Structure(e *Embeddings, s, r, dst int32, near *temporal.Neighbours) (x Structure) {
	if near.N > 0 {
		table, of := e.comparison(near, s, dst)
		x.neighbours = num.Asinh(profileScale * neighbourProduct(near, table, of, d.K))
	}
	if s >= 0 && dst >= 0 {
		inv := 1 / float32(d.K)
		x.Walk = num.Asinh(walkScale * inv * num.Dot(num.Row(e.SourceWalk, s, d.K), num.Row(e.DestinationWalk, dst, d.K)))
		x.Profile = num.Asinh(profileScale * inv * num.Dot(num.Row(e.SourceProfile, s, d.K), num.Row(e.DestinationProfile, dst, d.K)))
		if r >= 0 {
			x.Relational = d.relational(num.Row(e.SourceWalk, s, d.K), num.Row(d.rel, r, d.K), num.Row(e.DestinationWalk, dst, d.K))
		}
	}
	return x
}

// comparison returns the table in which a new host is compared by its neighbours, and the row of
// the known host to compare with.
func (e *Embeddings) comparison(n *temporal.Neighbours, s, d int32) (table []float32, of int32) {
	if n.Sources {
		return e.SourceProfile, s
	}
	return e.DestinationProfile, d
}

// neighbourProduct is the mean inner product, over the k dimensions, of a row with those of the neighbours.
func neighbourProduct(n *temporal.Neighbours, table []float32, of int32, k int) (sum float32) {
	x := num.Row(table, of, k)
	for _, j := range n.Rows[:n.N] {
		sum += num.Dot(x, num.Row(table, j, k))
	}
	return sum / float32(n.N*k)
}

// Inputs fills f for one triplet with its counts n and structure x.
func (d *Decoder) Inputs(f *[NumInputs]float32, n *temporal.Counts, x Structure) {
	countInputs(f, n)
	f[InputWalk], f[InputProfile], f[InputNeighbours], f[InputRelational] = x.Walk, x.Profile, x.neighbours, x.Relational
	d.scale(f)
}

// scale brings f to the scale of the decoder and leaves out what is masked.
func (d *Decoder) scale(f *[NumInputs]float32) {
	if d.Scaling != nil {
		for i := range f {
			f[i] = (f[i] - d.Scaling.Mean[i]) * d.Scaling.Inv[i]
		}
	}
	if d.mask != nil {
		for i, out := range d.mask {
			if out {
				f[i] = 0
			}
		}
	}
}

// Logit runs the hidden layer; h keeps its outputs. keep is nil or says by what each
// hidden unit is multiplied (dropout).
func (d *Decoder) Logit(f *[NumInputs]float32, h *[Hidden]float32, keep *[Hidden]float32) float32 {
	hiddenForward(d.a1, (*[Hidden]float32)(d.b1), h, f)
	if keep != nil {
		for j, x := range keep {
			h[j] *= x
		}
	}
	return d.b2[0] + num.Dot(d.a2, h[:])
}

// relational is the score of the decoder's kind for rows hs, w, hd of width k, brought
// to the scale of its mean over the dimensions.
func (d *Decoder) relational(hs, w, hd []float32) float32 {
	var sum float32
	switch d.kind {
	case DistMult:
		return distMultScale * num.Dot3(hs, w, hd) / float32(d.K)
	case TransE:
		for i, v := range w {
			x := hs[i] + v - hd[i]
			sum += x * x
		}
	case RotatE:
		for i := 0; i < d.K; i += 2 {
			sin, cos := math.Sincos(float64(w[i/2]))
			re := hs[i]*float32(cos) - hs[i+1]*float32(sin) - hd[i]
			im := hs[i]*float32(sin) + hs[i+1]*float32(cos) - hd[i+1]
			sum += re*re + im*im
		}
	}
	return -num.Sqrt(sum/float32(d.K) + distanceFloor)
}

const (
	distMultScale = 10
	distanceFloor = 1e-6 // keeps the root's slope finite where both ends meet
)

// relationalBackward adds g times the gradient of relational to dhs, dw, dhd.
func (d *Decoder) relationalBackward(g float32, hs, w, hd, dhs, dw, dhd []float32) {
	switch d.kind {
	case DistMult:
		g *= distMultScale / float32(d.K)
		num.MulAdd(g, w, hd, dhs)
		num.MulAdd(g, hs, hd, dw)
		num.MulAdd(g, hs, w, dhd)
	case TransE:
		g /= float32(d.K) * d.relational(hs, w, hd)
		for i, v := range w {
			x := g * (hs[i] + v - hd[i])
			dhs[i] += x
			dw[i] += x
			dhd[i] -= x
		}
	case RotatE:
		g /= float32(d.K) * d.relational(hs, w, hd)
		for i := 0; i < d.K; i += 2 {
			s64, c64 := math.Sincos(float64(w[i/2]))
			sin, cos := float32(s64), float32(c64)
			rotRe, rotIm := hs[i]*cos-hs[i+1]*sin, hs[i]*sin+hs[i+1]*cos
			re, im := g*(rotRe-hd[i]), g*(rotIm-hd[i+1])
			dhs[i] += re*cos + im*sin
			dhs[i+1] += im*cos - re*sin
			dw[i/2] += im*rotRe - re*rotIm
			dhd[i] -= re
			dhd[i+1] -= im
		}
	}
}

// StepBatch is a batch with the decoder's dropout.
type StepBatch struct {
	temporal.Batch
	mask [][Hidden]float32 // by triplet, what each hidden unit is multiplied by; empty: no dropout
}

// Dropout draws which hidden units stay; those that stay are scaled up to keep the mean.
func (b *StepBatch) Dropout(rng *num.Philox, p float64) {
	b.mask = b.mask[:0]
	if p == 0 {
		return
	}
	for i := range b.S {
		b.mask = append(b.mask, [Hidden]float32{})
		rng.Dropout(b.mask[i][:], p)
	}
}

// gradients of everything that the decoder reads; shapes as there.
type gradients struct {
	Embeddings
	rel, a1, b1, a2, b2 []float32
}

// clear empties those of the decoder's own parameters, clearEmbeddings the others.
func (g *gradients) clear() {
	for _, x := range [][]float32{g.rel, g.a1, g.b1, g.a2, g.b2} {
		clear(x)
	}
}

func (g *gradients) clearEmbeddings() {
	for _, x := range [][]float32{g.SourceWalk, g.DestinationWalk, g.SourceProfile, g.DestinationProfile} {
		clear(x)
	}
}

// loss is the weighted mean of the binary cross-entropy of the batch,
//
//	sum of weight * (log(1 + exp(logit)) - label * logit) / sum of weight
//
// and, unless g is nil, its gradients, added to those that are there.
func (d *Decoder) loss(e *Embeddings, b *StepBatch, g *gradients) float32 {
	var total, weights float64
	for _, w := range b.Weight {
		weights += float64(w)
	}
	if weights == 0 {
		return 0
	}
	var f [NumInputs]float32
	var h [Hidden]float32
	for i := range b.S {
		d.Inputs(&f, &b.Counts[i], d.Structure(e, b.S[i], b.R[i], b.D[i], &b.Neighbours[i]))
		var keep *[Hidden]float32
		if len(b.mask) > 0 {
			keep = &b.mask[i]
		}
		y := d.Logit(&f, &h, keep)
		w := float64(b.Weight[i]) / weights
		total += w * (num.Softplus(float64(y)) - float64(b.Label[i]*y))
		if g != nil {
			d.backward(e, b, i, &f, &h, keep, float32(w)*(num.Sigmoid(y)-b.Label[i]), g)
		}
	}
	return float32(total)
}

// backward adds the gradients of triplet i of the batch, dy being that of its logit.
func (d *Decoder) backward(e *Embeddings, b *StepBatch, i int, f *[NumInputs]float32, h, keep *[Hidden]float32, dy float32, g *gradients) {
	var df [NumInputs]float32
	var dh [Hidden]float32
	g.b2[0] += dy
	for j, x := range h {
		g.a2[j] += dy * x
		if x <= 0 { // the unit was off, or dropped
			continue
		}
		dh[j] = dy * d.a2[j]
		if keep != nil {
			dh[j] *= keep[j]
		}
		g.b1[j] += dh[j]
	}
	hiddenBackward(d.a1, g.a1, &dh, f, &df)
	if d.mask != nil {
		for i, out := range d.mask {
			if out {
				df[i] = 0
			}
		}
	}
	s, r, dst, k := b.S[i], b.R[i], b.D[i], d.K
	// slope is the gradient by <x, y> of asinh(scale/k <x, y>), input at of the decoder:
	// d asinh(x) = dx / sqrt(1 + x^2) = dx / cosh(asinh x)
	slope := func(at int, scale float32) float32 {
		raw, dq := f[at], df[at]
		if d.Scaling != nil {
			raw = raw/d.Scaling.Inv[at] + d.Scaling.Mean[at]
			dq *= d.Scaling.Inv[at]
		}
		return dq * scale / (float32(k) * num.Cosh(raw))
	}
	if near := &b.Neighbours[i]; near.N > 0 {
		table, of := e.comparison(near, s, dst)
		grads, _ := g.comparison(near, s, dst)
		dq := slope(InputNeighbours, profileScale) / float32(near.N)
		for _, j := range near.Rows[:near.N] {
			num.AddScaled(dq, num.Row(table, j, k), num.Row(grads, of, k))
			num.AddScaled(dq, num.Row(table, of, k), num.Row(grads, j, k))
		}
	}
	if s < 0 || dst < 0 {
		return
	}
	us, vd, ms, cd := num.Row(e.SourceWalk, s, k), num.Row(e.DestinationWalk, dst, k), num.Row(e.SourceProfile, s, k), num.Row(e.DestinationProfile, dst, k)
	gu, gv := num.Row(g.SourceWalk, s, k), num.Row(g.DestinationWalk, dst, k)
	dq := slope(InputWalk, walkScale)
	num.AddScaled(dq, vd, gu)
	num.AddScaled(dq, us, gv)
	dq = slope(InputProfile, profileScale)
	num.AddScaled(dq, cd, num.Row(g.SourceProfile, s, k))
	num.AddScaled(dq, ms, num.Row(g.DestinationProfile, dst, k))
	if r >= 0 {
		dq = df[InputRelational]
		if d.Scaling != nil {
			dq *= d.Scaling.Inv[InputRelational]
		}
		d.relationalBackward(dq, us, num.Row(d.rel, r, k), vd, gu, num.Row(g.rel, r, k), gv)
	}
}

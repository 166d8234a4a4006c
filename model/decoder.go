package model

import "math"

// The decoder's inputs, in their order: the logarithms of the facts, which of the events
// among them are zero, three structural inner products, the relational score.
const (
	featZero    = factCount
	featWalk    = featZero + eventFacts // (P Pt P)[s, d]: how the walks source - destination - source - destination meet
	featProfile = featWalk + 1          // mean over the source's destinations of the cosine of their columns with d's
	featNear    = featProfile + 1       // what stands in for the profile where one host is new: see near
	featRel     = featNear + 1          // the relational score
	features    = featRel + 1
	hidden      = 32
)

// Scales at which the structural inputs enter asinh: where it turns from linear to logarithmic.
const (
	walkScale    = 30
	profileScale = 10
)

// embeddings are what arrived at every row, each [rows][k] row-major.
type embeddings struct {
	u []float32 // sources, one hop along the walk
	v []float32 // destinations, two hops along the walk
	m []float32 // sources, the mean of their destinations' profiles
	c []float32 // destinations, their profiles
}

// decoder scores triplets. Its slices belong to the parameters it was made from.
type decoder struct {
	k       int
	kind    string
	rel     []float32 // [relations][k]
	a1      []float32 // [features][hidden]
	b1      []float32 // [hidden]
	a2      []float32 // [hidden]
	b2      []float32 // [1]
	scaling *scaling
	mask    *[features]bool // inputs to leave out; nil: none
}

// scaling brings the inputs to mean 0 and standard deviation 1 over the first training's
// triplets; it stays with the parameters, which have learned to live with it.
type scaling struct {
	Mean, Inv [features]float32
}

// counted fills the part of f that comes from the facts, not yet scaled.
func counted(f *[features]float32, n *facts) {
	for i, c := range n {
		f[i] = log1p(c)
		if i < eventFacts {
			f[featZero+i] = 0
			if c == 0 {
				f[featZero+i] = 1
			}
		}
	}
}

// structure is what the embeddings tell of a triplet, by the inputs of the same names.
type structure struct{ walk, profile, near, rel float32 }

// structure is that of a triplet; a part that is -1 is unknown and brings nothing.
func (d *decoder) structure(e *embeddings, s, r, dst int32, near *near) (x structure) {
	if near.n > 0 {
		table, of := near.table(e, s, dst)
		x.near = asinh(profileScale * near.inner(table, of, d.k))
	}
	if s >= 0 && dst >= 0 {
		inv := 1 / float32(d.k)
		x.walk = asinh(walkScale * inv * dot(row(e.u, s, d.k), row(e.v, dst, d.k)))
		x.profile = asinh(profileScale * inv * dot(row(e.m, s, d.k), row(e.c, dst, d.k)))
		if r >= 0 {
			x.rel = d.relational(row(e.u, s, d.k), row(d.rel, r, d.k), row(e.v, dst, d.k))
		}
	}
	return x
}

// inputs fills f for one triplet.
func (d *decoder) inputs(f *[features]float32, n *facts, x structure) {
	counted(f, n)
	f[featWalk], f[featProfile], f[featNear], f[featRel] = x.walk, x.profile, x.near, x.rel
	d.scale(f)
}

// scale brings f to the scale of the decoder and leaves out what is masked.
func (d *decoder) scale(f *[features]float32) {
	if d.scaling != nil {
		for i := range f {
			f[i] = (f[i] - d.scaling.Mean[i]) * d.scaling.Inv[i]
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

// logit runs the hidden layer; h keeps its outputs. keep is nil or says by what each
// hidden unit is multiplied (dropout).
func (d *decoder) logit(f *[features]float32, h *[hidden]float32, keep *[hidden]float32) float32 {
	hiddenForward(d.a1, (*[hidden]float32)(d.b1), h, f)
	if keep != nil {
		for j, x := range keep {
			h[j] *= x
		}
	}
	return d.b2[0] + dot(d.a2, h[:])
}

// relational is the score of the decoder's kind for rows hs, w, hd of width k, brought
// to the scale of its mean over the dimensions.
func (d *decoder) relational(hs, w, hd []float32) float32 {
	var sum float32
	switch d.kind {
	case DistMult:
		return distMultScale * dot3(hs, w, hd) / float32(d.k)
	case TransE:
		for i, v := range w {
			x := hs[i] + v - hd[i]
			sum += x * x
		}
	case RotatE:
		for i := 0; i < d.k; i += 2 {
			sin, cos := math.Sincos(float64(w[i/2]))
			re := hs[i]*float32(cos) - hs[i+1]*float32(sin) - hd[i]
			im := hs[i]*float32(sin) + hs[i+1]*float32(cos) - hd[i+1]
			sum += re*re + im*im
		}
	}
	return -sqrt(sum/float32(d.k) + distanceFloor)
}

const (
	distMultScale = 10
	distanceFloor = 1e-6 // keeps the root's slope finite where both ends meet
)

// relationalBackward adds g times the gradient of relational to dhs, dw, dhd.
func (d *decoder) relationalBackward(g float32, hs, w, hd, dhs, dw, dhd []float32) {
	switch d.kind {
	case DistMult:
		g *= distMultScale / float32(d.k)
		mulAdd(g, w, hd, dhs)
		mulAdd(g, hs, hd, dw)
		mulAdd(g, hs, w, dhd)
	case TransE:
		g /= float32(d.k) * d.relational(hs, w, hd)
		for i, v := range w {
			x := g * (hs[i] + v - hd[i])
			dhs[i] += x
			dw[i] += x
			dhd[i] -= x
		}
	case RotatE:
		g /= float32(d.k) * d.relational(hs, w, hd)
		for i := 0; i < d.k; i += 2 {
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

// batch is the triplets of one step: true ones with label 1, corrupted ones with 0.
type batch struct {
	s, r, d []int32 // rows and relations, -1 where unknown
	n       []facts
	near    []near
	label   []float32
	weight  []float32 // their sum is what the loss is divided by
	mass    []float32 // how many triplets of the window a true one stands for
	tenure  []float32 // factors of tenures, for scores; the loss knows none
	keep    [][hidden]float32
}

func (b *batch) reset() {
	*b = batch{b.s[:0], b.r[:0], b.d[:0], b.n[:0], b.near[:0], b.label[:0], b.weight[:0], b.mass[:0], b.tenure[:0], b.keep[:0]}
}

func (b *batch) add(s, r, d int32, n facts, near near, label, weight, mass, tenure float32) {
	b.s, b.r, b.d = append(b.s, s), append(b.r, r), append(b.d, d)
	b.n, b.near, b.label = append(b.n, n), append(b.near, near), append(b.label, label)
	b.weight, b.mass, b.tenure = append(b.weight, weight), append(b.mass, mass), append(b.tenure, tenure)
}

// gradients of everything that the decoder reads; shapes as there.
type gradients struct {
	embeddings
	rel, a1, b1, a2, b2 []float32
}

// clear empties those of the decoder's own parameters, clearEmbeddings the others.
func (g *gradients) clear() {
	for _, x := range [][]float32{g.rel, g.a1, g.b1, g.a2, g.b2} {
		clear(x)
	}
}

func (g *gradients) clearEmbeddings() {
	for _, x := range [][]float32{g.u, g.v, g.m, g.c} {
		clear(x)
	}
}

// loss is the weighted mean of the binary cross-entropy of the batch,
//
//	sum of weight * (log(1 + exp(logit)) - label * logit) / sum of weight
//
// and, unless g is nil, its gradients, added to those that are there.
func (d *decoder) loss(e *embeddings, b *batch, g *gradients) float32 {
	var total, weights float64
	for _, w := range b.weight {
		weights += float64(w)
	}
	if weights == 0 {
		return 0
	}
	var f [features]float32
	var h [hidden]float32
	for i := range b.s {
		d.inputs(&f, &b.n[i], d.structure(e, b.s[i], b.r[i], b.d[i], &b.near[i]))
		var keep *[hidden]float32
		if len(b.keep) > 0 {
			keep = &b.keep[i]
		}
		y := d.logit(&f, &h, keep)
		w := float64(b.weight[i]) / weights
		total += w * (softplus(float64(y)) - float64(b.label[i]*y))
		if g != nil {
			d.backward(e, b, i, &f, &h, keep, float32(w)*(sigmoid(y)-b.label[i]), g)
		}
	}
	return float32(total)
}

// backward adds the gradients of triplet i of the batch, dy being that of its logit.
func (d *decoder) backward(e *embeddings, b *batch, i int, f *[features]float32, h, keep *[hidden]float32, dy float32, g *gradients) {
	var df [features]float32
	var dh [hidden]float32
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
	s, r, dst, k := b.s[i], b.r[i], b.d[i], d.k
	// slope is the gradient by <x, y> of asinh(scale/k <x, y>), input at of the decoder:
	// d asinh(x) = dx / sqrt(1 + x^2) = dx / cosh(asinh x)
	slope := func(at int, scale float32) float32 {
		raw, dq := f[at], df[at]
		if d.scaling != nil {
			raw = raw/d.scaling.Inv[at] + d.scaling.Mean[at]
			dq *= d.scaling.Inv[at]
		}
		return dq * scale / (float32(k) * cosh(raw))
	}
	if near := &b.near[i]; near.n > 0 {
		table, of := near.table(e, s, dst)
		grads, _ := near.table(&g.embeddings, s, dst)
		dq := slope(featNear, profileScale) / float32(near.n)
		for _, j := range near.rows[:near.n] {
			axpy(dq, row(table, j, k), row(grads, of, k))
			axpy(dq, row(table, of, k), row(grads, j, k))
		}
	}
	if s < 0 || dst < 0 {
		return
	}
	us, vd, ms, cd := row(e.u, s, k), row(e.v, dst, k), row(e.m, s, k), row(e.c, dst, k)
	gu, gv := row(g.u, s, k), row(g.v, dst, k)
	dq := slope(featWalk, walkScale)
	axpy(dq, vd, gu)
	axpy(dq, us, gv)
	dq = slope(featProfile, profileScale)
	axpy(dq, cd, row(g.m, s, k))
	axpy(dq, ms, row(g.c, dst, k))
	if r >= 0 {
		dq = df[featRel]
		if d.scaling != nil {
			dq *= d.scaling.Inv[featRel]
		}
		d.relationalBackward(dq, us, row(d.rel, r, k), vd, gu, row(g.rel, r, k), gv)
	}
}

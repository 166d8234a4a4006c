package model

import (
	"math"
)

// param is one learnable tensor, [rows][cols] row-major, with Adam's moments.
type param struct {
	name        string
	rows, cols  int
	perRelation bool // row i belongs to relation i
	slow        bool // a relational part: a fifth of the learning rate
	layer       bool // of a layer, not of the decoder
	decays      bool // weights of the decoder's own layers, see weightDecay
	value, m, v []float32
}

// params are all learnable tensors of a network, in a fixed order.
type params struct {
	list []*param
	// Optimiser steps taken by the decoder and by the layers, for Adam's bias correction.
	step, passes int
}

func (p *params) get(name string) *param {
	for _, x := range p.list {
		if x.name == name {
			return x
		}
	}
	return nil
}

// The layers: two hops along the walk, and profiles with their mean.
var layerNames = [4]string{"walk1", "walk2", "profile1", "profile2"}

// layoutParams lists the parameters of a network without their values.
func layoutParams(cfg Config, relations int) []*param {
	var list []*param
	k := cfg.Dim
	relational := func(name string, cols int) {
		list = append(list, &param{name: name, rows: relations, cols: cols, perRelation: true, slow: true, layer: name != "relation"})
	}
	for i, name := range layerNames {
		switch kind := cfg.layer(i); {
		case kind.diagonal():
			relational(name, k)
		case kind.bases < 0:
			relational(name, k*k)
		default: // W_r = sum over b of coef[r][b] basis[b]
			relational(name+".coef", kind.bases)
			list = append(list, &param{name: name + ".basis", rows: kind.bases, cols: k * k, slow: true, layer: true})
		}
	}
	relational("relation", k)
	return append(list,
		&param{name: "hidden", rows: features, cols: hidden, decays: true},
		&param{name: "hidden.bias", rows: 1, cols: hidden},
		&param{name: "output", rows: 1, cols: hidden, decays: true},
		&param{name: "output.bias", rows: 1, cols: 1})
}

// newParams makes the parameters of a cold start. Relational layers start as plain
// propagation and the relational score at nothing, so that training has to beat the
// structure; the decoder starts as He et al. 2015 have it.
func newParams(cfg Config, relations int) *params {
	rng := newPhilox(cfg.Seed, streamInit)
	p := &params{list: layoutParams(cfg, relations)}
	for _, x := range p.list {
		n := x.rows * x.cols
		x.value, x.m, x.v = make([]float32, n), make([]float32, n), make([]float32, n)
	}
	k := cfg.Dim
	identity := func(x []float32) {
		for j := range k {
			x[j*k+j] = 1
		}
	}
	for i, name := range layerNames {
		switch kind := cfg.layer(i); {
		case kind.diagonal():
			fill(p.get(name).value, 1)
		case kind.bases < 0:
			for r := range relations {
				identity(p.get(name).value[r*k*k:])
			}
		default: // the first basis is the identity, and all there is at first
			for r := range relations {
				p.get(name + ".coef").value[r*kind.bases] = 1
			}
			basis := p.get(name + ".basis").value
			identity(basis)
			normal(rng, basis[k*k:], 1/math.Sqrt(float64(k)))
		}
	}
	// What hosts without features leave at zero counts for nothing, in the order of the draws and their spread.
	h := p.get("hidden").value
	peers, rest := h[factPeersToD*hidden:][:peerFacts*hidden], float64(features-peerFacts)
	normal(rng, h[:factPeersToD*hidden], math.Sqrt(2/rest))
	normal(rng, h[(factPeersToD+peerFacts)*hidden:], math.Sqrt(2/rest))
	normal(rng, p.get("output").value, math.Sqrt(1.0/hidden))
	normal(rng, peers, math.Sqrt(2/rest))
	return p
}

// layer returns the kind of relation weights of the i-th of layerNames.
func (c Config) layer(i int) layer {
	s := c.Layer1
	if i%2 == 1 {
		s = c.Layer2
	}
	l, _ := parseLayer(s) // Validate has seen it
	return l
}

// Streams of the generator, so that no two uses share draws.
const (
	streamInit = iota + 1
	streamHeldOut
	streamSample // and one more for each step
)

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// normal fills x with draws of mean 0 and the given standard deviation (Box and Muller 1958).
func normal(rng *philox, x []float32, sd float64) {
	for i := range x {
		u := 1 - float64(rng.float())
		x[i] = float32(sd * math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*float64(rng.float())))
	}
}

// adopt takes over the values and moments of a previous training wherever name and shape
// agree, rows of relations by the relations' names; new relations keep their start.
// It reports whether it could: a network of another shape is no start.
func (p *params) adopt(old *params, oldNames, names []string) bool {
	for _, x := range p.list {
		o := old.get(x.name)
		if o == nil || o.cols != x.cols || o.perRelation != x.perRelation || !x.perRelation && o.rows != x.rows {
			return false
		}
	}
	at := make(map[string]int, len(oldNames))
	for i, n := range oldNames {
		at[n] = i
	}
	for _, x := range p.list {
		o := old.get(x.name)
		if !x.perRelation {
			copy(x.value, o.value)
			copy(x.m, o.m)
			copy(x.v, o.v)
			continue
		}
		for i, n := range names {
			if j, ok := at[n]; ok {
				for _, c := range [][2][]float32{{x.value, o.value}, {x.m, o.m}, {x.v, o.v}} {
					copy(c[0][i*x.cols:][:x.cols], c[1][j*x.cols:][:x.cols])
				}
			}
		}
	}
	p.step, p.passes = old.step, old.passes
	return true
}

// weights returns the relation weights of the i-th layer as relConv reads them.
func (p *params) weights(i int, k int) []float32 {
	if w := p.get(layerNames[i]); w != nil {
		return w.value
	}
	coef, basis := p.get(layerNames[i]+".coef"), p.get(layerNames[i]+".basis")
	w := make([]float32, coef.rows*k*k)
	for r := range coef.rows {
		for b, v := range coef.value[r*coef.cols:][:coef.cols] {
			axpy(v, basis.value[b*k*k:][:k*k], w[r*k*k:][:k*k])
		}
	}
	return w
}

const beta1, beta2, epsilon = 0.9, 0.999, 1e-8 // Adam's, the usual ones

// adam makes one step of Adam (Kingma and Ba 2015), for the decoder alone or for the layers
// as well.
func (p *params) adam(grads [][]float32, rate float64, layers bool) {
	p.advance(layers)
	for i, x := range p.list {
		if x.layer && !layers {
			continue
		}
		a, e := p.stepSize(x, rate)
		decay := x.decay(rate)
		adam(a, e, decay, grads[i], x.m, x.v, x.value)
	}
}

// advance counts a step.
func (p *params) advance(layers bool) {
	p.step++
	if layers {
		p.passes++
	}
}

// stepSize returns a and e of the current step of Adam, value -= a m / (sqrt v + e), with the
// corrections of the moments' bias in them.
func (p *params) stepSize(x *param, rate float64) (a, e float32) {
	t := float64(p.step)
	if x.slow {
		rate *= slowRate
	}
	if x.layer {
		t = float64(p.passes)
	}
	c1, c2 := 1-math.Pow(beta1, t), 1-math.Pow(beta2, t)
	return float32(rate * math.Sqrt(c2) / c1), float32(epsilon * math.Sqrt(c2))
}

// decay is the share of its value that a parameter loses in a step at the rate.
func (x *param) decay(rate float64) float32 {
	if !x.decays {
		return 0
	}
	return float32(rate * weightDecay)
}

// weightDecay, times the learning rate, is what the weights of the decoder lose in each step,
// apart from the gradient (Loshchilov and Hutter 2019). Without it a history of a day or two is learned by
// heart: on the notebook's file with planted anomalies average precision is 0.66 +- 0.04 without and 0.71 +- 0.02
// with it, on simulations the same; with twice as much those begin to lose.
const weightDecay = 0.5

// slowRate is the share of the learning rate that relational parts take: at the
// decoder's own they leave the structure faster than they learn anything better.
const slowRate = 0.2

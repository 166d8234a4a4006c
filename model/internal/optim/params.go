// Package optim holds tensors that learn, the optimiser that moves them (Adam) and the losses of its steps.
// It knows nothing of the networks whose parameters they are.
package optim

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
)

// Param is one learnable tensor, [rows][cols] row-major, with Adam's moments.
type Param struct {
	Name                string
	Rows, Cols          int
	PerRelation         bool // row i belongs to relation i
	Slow                bool // a relational part: a fifth of the learning rate
	Layer               bool // of a layer, not of the decoder
	Decays              bool // weights of the decoder's own layers, see weightDecay
	Value, Mean, Square []float32
}

// Params are all learnable tensors of a network, in a fixed order.
type Params struct {
	List []*Param
	// Optimiser steps taken by the decoder and by the layers, for Adam's bias correction.
	Steps, Passes int
}

// Get returns the parameter of a name, nil where there is none.
func (p *Params) Get(name string) *Param {
	for _, x := range p.List {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// Adopt takes over the values and moments of a previous training wherever name and shape
// agree, rows of relations by the relations' names; new relations keep their start.
// It reports whether it could: a network of another shape is no start.
func (p *Params) Adopt(old *Params, oldNames, names []string) bool {
	for _, x := range p.List {
		o := old.Get(x.Name)
		if o == nil || o.Cols != x.Cols || o.PerRelation != x.PerRelation || !x.PerRelation && o.Rows != x.Rows {
			return false
		}
	}
	at := make(map[string]int, len(oldNames))
	for i, n := range oldNames {
		at[n] = i
	}
	for _, x := range p.List {
		o := old.Get(x.Name)
		if !x.PerRelation {
			copy(x.Value, o.Value)
			copy(x.Mean, o.Mean)
			copy(x.Square, o.Square)
			continue
		}
		for i, n := range names {
			if j, ok := at[n]; ok {
				for _, c := range [][2][]float32{{x.Value, o.Value}, {x.Mean, o.Mean}, {x.Square, o.Square}} {
					copy(c[0][i*x.Cols:][:x.Cols], c[1][j*x.Cols:][:x.Cols])
				}
			}
		}
	}
	p.Steps, p.Passes = old.Steps, old.Passes
	return true
}

// Finite tells whether all values are finite numbers.
func (p *Params) Finite() bool {
	for _, x := range p.List {
		for _, v := range x.Value {
			if v-v != 0 {
				return false
			}
		}
	}
	return true
}

const epsilon = 1e-8 // Adam's, the usual one; see also num.Beta1

// Adam makes one step of Adam (Kingma and Ba 2015), for the decoder alone or for the layers
// as well.
func (p *Params) Adam(grads [][]float32, rate float64, layers bool) {
	p.Advance(layers)
	for i, x := range p.List {
		if x.Layer && !layers {
			continue
		}
		a, e := p.StepSize(x, rate)
		decay := x.Decay(rate)
		num.Adam(a, e, decay, grads[i], x.Mean, x.Square, x.Value)
	}
}

// Advance counts a step of the decoder and, with layers, one of the layers.
func (p *Params) Advance(layers bool) {
	p.Steps++
	if layers {
		p.Passes++
	}
}

// StepSize returns a and e of the current step of Adam, value -= a m / (sqrt v + e), with the
// corrections of the moments' bias in them.
func (p *Params) StepSize(x *Param, rate float64) (a, e float32) {
	t := float64(p.Steps)
	if x.Slow {
		rate *= slowRate
	}
	if x.Layer {
		t = float64(p.Passes)
	}
	c1, c2 := 1-math.Pow(num.Beta1, t), 1-math.Pow(num.Beta2, t)
	return float32(rate * math.Sqrt(c2) / c1), float32(epsilon * math.Sqrt(c2))
}

// Decay is the share of its value that a parameter loses in a step at the rate.
func (x *Param) Decay(rate float64) float32 {
	if !x.Decays {
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

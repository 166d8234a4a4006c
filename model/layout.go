package model

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"flb-filter-rgcn/model/internal/num"
)

// layer is a kind of relation weights: bases is 0 for diagonal, -1 for full, else their number.
type layer struct{ bases int }

func (l layer) diagonal() bool { return l.bases == 0 }

func parseLayer(s string) (layer, error) {
	switch {
	case s == "diagonal":
		return layer{}, nil
	case s == "full":
		return layer{bases: -1}, nil
	}
	if n, ok := strings.CutPrefix(s, "basis:"); ok {
		if b, err := strconv.Atoi(n); err == nil && b >= 1 && b <= 64 {
			return layer{bases: b}, nil
		}
	}
	return layer{}, fmt.Errorf("model: layer %q", s)
}

// The layers: two hops along the walk, and profiles with their mean.
var layerNames = [4]string{"walk1", "walk2", "profile1", "profile2"}

// layoutParams lists the parameters of a network without their values.
func layoutParams(cfg networkConfig, relations int) []*param {
	var list []*param
	k := cfg.dim
	relational := func(name string, cols int) {
		list = append(list, &param{name: name, rows: relations, cols: cols, perRelation: true, slow: true, layer: name != "relation"})
	}
	for i, name := range layerNames {
		switch kind := cfg.layers[i]; {
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
func newParams(cfg networkConfig, relations int) *params {
	rng := num.NewPhilox(cfg.seed, num.StreamInit)
	p := &params{list: layoutParams(cfg, relations)}
	for _, x := range p.list {
		n := x.rows * x.cols
		x.value, x.m, x.v = make([]float32, n), make([]float32, n), make([]float32, n)
	}
	k := cfg.dim
	identity := func(x []float32) {
		for j := range k {
			x[j*k+j] = 1
		}
	}
	for i, name := range layerNames {
		switch kind := cfg.layers[i]; {
		case kind.diagonal():
			num.Fill(p.get(name).value, 1)
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
			num.Normal(rng, basis[k*k:], 1/math.Sqrt(float64(k)))
		}
	}
	// What hosts without features leave at zero counts for nothing, in the order of the draws and their spread.
	h := p.get("hidden").value
	peers, rest := h[factPeersToD*hidden:][:peerFacts*hidden], float64(features-peerFacts)
	num.Normal(rng, h[:factPeersToD*hidden], math.Sqrt(2/rest))
	num.Normal(rng, h[(factPeersToD+peerFacts)*hidden:], math.Sqrt(2/rest))
	num.Normal(rng, p.get("output").value, math.Sqrt(1.0/hidden))
	num.Normal(rng, peers, math.Sqrt(2/rest))
	return p
}

// layerWeights returns the relation weights of the i-th layer, of width k, as relConv reads them.
func layerWeights(p *params, i, k int) []float32 {
	if w := p.get(layerNames[i]); w != nil {
		return w.value
	}
	coef, basis := p.get(layerNames[i]+".coef"), p.get(layerNames[i]+".basis")
	w := make([]float32, coef.rows*k*k)
	for r := range coef.rows {
		for b, v := range coef.value[r*coef.cols:][:coef.cols] {
			num.AddScaled(v, basis.value[b*k*k:][:k*k], w[r*k*k:][:k*k])
		}
	}
	return w
}

// parameters is how many numbers a model learns.
func parameters(cfg networkConfig, relations int) (n int64) {
	for _, p := range layoutParams(cfg, relations) {
		n += int64(p.rows) * int64(p.cols)
	}
	return n
}

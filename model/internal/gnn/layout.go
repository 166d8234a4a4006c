package gnn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// LayerKind is a kind of relation weights: bases is 0 for diagonal, -1 for full, else their number.
type LayerKind struct{ bases int }

func (l LayerKind) diagonal() bool { return l.bases == 0 }

// ParseLayer returns the kind of layer that a setting names: diagonal, full or basis:N, N from 1 to 64.
func ParseLayer(s string) (LayerKind, error) {
	switch {
	case s == "diagonal":
		return LayerKind{}, nil
	case s == "full":
		return LayerKind{bases: -1}, nil
	}
	if n, ok := strings.CutPrefix(s, "basis:"); ok {
		if b, err := strconv.Atoi(n); err == nil && b >= 1 && b <= 64 {
			return LayerKind{bases: b}, nil
		}
	}
	return LayerKind{}, fmt.Errorf("model: layer %q", s)
}

// The layers: two hops along the walk, and profiles with their mean.
var layerNames = [4]string{"walk1", "walk2", "profile1", "profile2"}

// Layout lists the parameters of a network without their values.
func Layout(cfg Config, relations int) []*optim.Param {
	var list []*optim.Param
	k := cfg.Dim
	relational := func(name string, cols int) {
		list = append(list, &optim.Param{Name: name, Rows: relations, Cols: cols, PerRelation: true, Slow: true, Layer: name != "relation"})
	}
	for i, name := range layerNames {
		switch kind := cfg.Layers[i]; {
		case kind.diagonal():
			relational(name, k)
		case kind.bases < 0:
			relational(name, k*k)
		default: // W_r = sum over b of coef[r][b] basis[b]
			relational(name+".coef", kind.bases)
			list = append(list, &optim.Param{Name: name + ".basis", Rows: kind.bases, Cols: k * k, Slow: true, Layer: true})
		}
	}
	relational("relation", k)
	return append(list,
		&optim.Param{Name: "hidden", Rows: NumInputs, Cols: Hidden, Decays: true},
		&optim.Param{Name: "hidden.bias", Rows: 1, Cols: Hidden},
		&optim.Param{Name: "output", Rows: 1, Cols: Hidden, Decays: true},
		&optim.Param{Name: "output.bias", Rows: 1, Cols: 1})
}

// NewParams makes the parameters of a cold start. Relational layers start as plain
// propagation and the relational score at nothing, so that training has to beat the
// structure; the decoder starts as He et al. 2015 have it.
func NewParams(cfg Config, relations int) *optim.Params {
	rng := num.NewPhilox(cfg.Seed, num.StreamInit)
	p := &optim.Params{List: Layout(cfg, relations)}
	for _, x := range p.List {
		n := x.Rows * x.Cols
		x.Value, x.Mean, x.Square = make([]float32, n), make([]float32, n), make([]float32, n)
	}
	k := cfg.Dim
	identity := func(x []float32) {
		for j := range k {
			x[j*k+j] = 1
		}
	}
	for i, name := range layerNames {
		switch kind := cfg.Layers[i]; {
		case kind.diagonal():
			num.Fill(p.Get(name).Value, 1)
		case kind.bases < 0:
			for r := range relations {
				identity(p.Get(name).Value[r*k*k:])
			}
		default: // the first basis is the identity, and all there is at first
			for r := range relations {
				p.Get(name + ".coef").Value[r*kind.bases] = 1
			}
			basis := p.Get(name + ".basis").Value
			identity(basis)
			num.Normal(rng, basis[k*k:], 1/math.Sqrt(float64(k)))
		}
	}
	// What hosts without features leave at zero counts for nothing, in the order of the draws and their spread.
	h := p.Get("hidden").Value
	peers, rest := h[temporal.PeersToD*Hidden:][:temporal.NumPeerCounts*Hidden], float64(NumInputs-temporal.NumPeerCounts)
	num.Normal(rng, h[:temporal.PeersToD*Hidden], math.Sqrt(2/rest))
	num.Normal(rng, h[(temporal.PeersToD+temporal.NumPeerCounts)*Hidden:], math.Sqrt(2/rest))
	num.Normal(rng, p.Get("output").Value, math.Sqrt(1.0/Hidden))
	num.Normal(rng, peers, math.Sqrt(2/rest))
	return p
}

// layerWeights returns the relation weights of the i-th layer, of width k, as relConv reads them.
func layerWeights(p *optim.Params, i, k int) []float32 {
	if w := p.Get(layerNames[i]); w != nil {
		return w.Value
	}
	coef, basis := p.Get(layerNames[i]+".coef"), p.Get(layerNames[i]+".basis")
	w := make([]float32, coef.Rows*k*k)
	for r := range coef.Rows {
		for b, v := range coef.Value[r*coef.Cols:][:coef.Cols] {
			num.AddScaled(v, basis.Value[b*k*k:][:k*k], w[r*k*k:][:k*k])
		}
	}
	return w
}

// NumParameters is how many numbers a model learns.
func NumParameters(cfg Config, relations int) (n int64) {
	for _, p := range Layout(cfg, relations) {
		n += int64(p.Rows) * int64(p.Cols)
	}
	return n
}

package gnn

import (
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
)

// exact computes what the inner products stand for from the 0/1 matrix of sources by
// destinations: (P Pt P)[s, d], and the mean over s's destinations of the cosine between
// their weighted columns and d's.
func exact(ds *temporal.Dataset) (walks, profiles [][]float64) {
	rows, cols := len(ds.Sources), len(ds.Destinations)
	zero := func() [][]float64 {
		x := make([][]float64, rows)
		for i := range x {
			x[i] = make([]float64, cols)
		}
		return x
	}
	a := zero()
	degS, degD := make([]float64, rows), make([]float64, cols)
	for _, e := range ds.Edges {
		a[e.S][e.D] = 1
	}
	for s := range a {
		for d, v := range a[s] {
			degS[s] += v
			degD[d] += v
		}
	}
	p := func(s, d int) float64 { return a[s][d] / math.Sqrt(degS[s]*degD[d]) }
	w := func(s int) float64 { return math.Pow(math.Log(2+degS[s]), -2) }
	cosine := func(d, e int) float64 {
		var de, dd, ee float64
		for s := range a {
			de += w(s) * a[s][d] * a[s][e]
			dd += w(s) * a[s][d]
			ee += w(s) * a[s][e]
		}
		return de / math.Sqrt(dd*ee)
	}
	walks, profiles = zero(), zero()
	for s := range rows {
		for d := range cols {
			for s2 := range rows {
				for d2 := range cols {
					walks[s][d] += p(s, d2) * p(s2, d2) * p(s2, d)
				}
			}
			for d2, v := range a[s] {
				profiles[s][d] += v * cosine(d2, d) / degS[s]
			}
		}
	}
	return walks, profiles
}

func TestLayersStartAsStructure(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(3, 24, 600)).Snapshot()
	ds := temporal.NewDataset(snap, nil, nil)
	walks, profiles := exact(ds)
	worst := func(k int) (walkError, profileError float64) {
		cfg := testNetwork(k, DistMult)
		x, y := FixedInputs(snap, ds.Destinations, k), FixedInputs(snap, ds.Sources, k)
		convs := newConvs(cfg, Shape{len(ds.Sources), len(ds.Destinations), ds.Relations})
		e := embedWith(&convs, NewParams(cfg, ds.Relations), temporal.NewCut(ds, ds.End+1, temporal.NewOrders(ds)).Messages(), k, func() []float32 { return x }, func() []float32 { return y })
		for s := range walks {
			for d := range walks[s] {
				u := num.Dot(num.Row(e.SourceWalk, int32(s), k), num.Row(e.DestinationWalk, int32(d), k)) / float32(k)
				c := num.Dot(num.Row(e.SourceProfile, int32(s), k), num.Row(e.DestinationProfile, int32(d), k)) / float32(k)
				walkError = max(walkError, math.Abs(float64(u)-walks[s][d]))
				profileError = max(profileError, math.Abs(float64(c)-profiles[s][d]))
			}
		}
		return walkError, profileError
	}
	// At least as many dimensions as rows: orthogonal inputs, exact products.
	if w, p := worst(32); w > 1e-5 || p > 1e-5 {
		t.Errorf("dimension 32: off by %v and %v, want none", w, p)
	}
	// Fewer: random inputs, whose products miss by the order of 1/sqrt(k).
	if w, p := worst(8); w < 1e-5 || w > 1 || p > 1.5 {
		t.Errorf("dimension 8: off by %v and %v", w, p)
	}
}

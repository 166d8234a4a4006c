package model

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

// exact computes what the inner products stand for from the 0/1 matrix of sources by
// destinations: (P Pt P)[s, d], and the mean over s's destinations of the cosine between
// their weighted columns and d's.
func exact(ds *dataset) (walks, profiles [][]float64) {
	rows, cols := len(ds.sources), len(ds.destinations)
	zero := func() [][]float64 {
		x := make([][]float64, rows)
		for i := range x {
			x[i] = make([]float64, cols)
		}
		return x
	}
	a := zero()
	degS, degD := make([]float64, rows), make([]float64, cols)
	for _, e := range ds.edges {
		a[e.s][e.d] = 1
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
	snap := graphOf(t, teams(3, 24, 600)).Snapshot()
	ds := newDataset(snap, nil)
	walks, profiles := exact(ds)
	worst := func(k int) (walkError, profileError float64) {
		cfg := DefaultConfig()
		cfg.Dim = k
		x, y := fixedInputs(snap, ds.destinations, k), fixedInputs(snap, ds.sources, k)
		convs := newConvs(cfg.network(), shape{len(ds.sources), len(ds.destinations), ds.relations})
		e := embed(&convs, newParams(cfg.network(), ds.relations), newCut(ds, ds.end+1, newOrders(ds)).messages(), k, func() []float32 { return x }, func() []float32 { return y })
		for s := range walks {
			for d := range walks[s] {
				u := dot(row(e.u, int32(s), k), row(e.v, int32(d), k)) / float32(k)
				c := dot(row(e.m, int32(s), k), row(e.c, int32(d), k)) / float32(k)
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

func TestCutKnowsOnlyWhatCameBefore(t *testing.T) {
	ds := newDataset(graphOf(t, teams(5, 20, 500)).Snapshot(), nil)
	at := ds.cutTimes([]float64{0.5})[0]
	c := newCut(ds, at, newOrders(ds))
	before := 0
	for i, e := range ds.edges {
		switch {
		case e.first < at:
			before++
			if c.srd[i] < 1 || c.srd[i] > e.count {
				t.Errorf("edge %d of %v events counts %v before the cut", i, e.count, c.srd[i])
			}
		case c.srd[i] != 0:
			t.Errorf("edge %d comes after the cut and counts %v", i, c.srd[i])
		}
	}
	if n := len(c.messages().bySource.col); n != before || len(c.messages().byDestination.col) != before {
		t.Errorf("%d messages, %d edges before the cut", n, before)
	}
	if before == 0 || before == len(ds.edges) {
		t.Errorf("%d of %d edges before the cut: the test shows nothing", before, len(ds.edges))
	}
}

func TestEstimatesOfAnEdgesPast(t *testing.T) {
	e := dataEdge{count: 11, first: 100, last: 200}
	for at, want := range map[int64]float32{50: 0, 100: 0, 101: 1.09, 150: 5.5, 201: 11} {
		if got := e.before(at); math.Abs(float64(got-want)) > 1e-4 {
			t.Errorf("before(%d) = %v, want %v", at, got, want)
		}
	}
	for _, c := range []struct {
		a, b int64
		want float32
	}{{0, 100, 0}, {0, 101, 1}, {150, 201, 1}, {201, 300, 0}, {120, 130, float32(1 - math.Pow(0.9, 9))}} {
		if got := e.within(c.a, c.b); math.Abs(float64(got-c.want)) > 1e-6 {
			t.Errorf("within(%d, %d) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestFloodDoesNotDrawTheCuts(t *testing.T) {
	events := teams(6, 20, 1000) // a minute each
	flood := graphbuf.Event{Source: []byte("host-0"), Relation: []byte("client-0"), Destination: []byte("server-0-0")}
	for i := range 20_000 {
		flood.Time = 300*60e9 + int64(i)*1e6
		events = append(events, flood)
	}
	ds := newDataset(graphOf(t, events).Snapshot(), nil)
	plain := newDataset(graphOf(t, events[:1000]).Snapshot(), nil)
	for _, share := range []float64{0.2, 0.5, 0.8} {
		a, b := ds.cutTimes([]float64{share})[0], plain.cutTimes([]float64{share})[0]
		if math.Abs(float64(a-b)) > 50*60e9 {
			t.Errorf("the flood moves the cut at %v by %v minutes", share, (a-b)/60e9)
		}
	}
}

package temporal

import (
	"math"
	"reflect"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

func TestCutKnowsOnlyWhatCameBefore(t *testing.T) {
	ds := NewDataset(modeltest.Graph(t, modeltest.Teams(5, 20, 500)).Snapshot(), nil, nil)
	at := ds.CutTimes([]float64{0.5})[0]
	c := NewCut(ds, at, NewOrders(ds))
	before := 0
	for i, e := range ds.Edges {
		switch {
		case e.First < at:
			before++
			if c.srd[i] < 1 || c.srd[i] > e.count {
				t.Errorf("edge %d of %v events counts %v before the cut", i, e.count, c.srd[i])
			}
		case c.srd[i] != 0:
			t.Errorf("edge %d comes after the cut and counts %v", i, c.srd[i])
		}
	}
	if n := len(c.Messages().BySource.Col); n != before || len(c.Messages().ByDestination.Col) != before {
		t.Errorf("%d messages, %d edges before the cut", n, before)
	}
	if before == 0 || before == len(ds.Edges) {
		t.Errorf("%d of %d edges before the cut: the test shows nothing", before, len(ds.Edges))
	}
}

func TestFloodDoesNotDrawTheCuts(t *testing.T) {
	events := modeltest.Teams(6, 20, 1000) // a minute each
	flood := graphbuf.Event{Source: []byte("host-0"), Relation: []byte("client-0"), Destination: []byte("server-0-0")}
	for i := range 20_000 {
		flood.Time = 300*60e9 + int64(i)*1e6
		events = append(events, flood)
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	plain := NewDataset(modeltest.Graph(t, events[:1000]).Snapshot(), nil, nil)
	for _, share := range []float64{0.2, 0.5, 0.8} {
		a, b := ds.CutTimes([]float64{share})[0], plain.CutTimes([]float64{share})[0]
		if math.Abs(float64(a-b)) > 50*60e9 {
			t.Errorf("the flood moves the cut at %v by %v minutes", share, (a-b)/60e9)
		}
	}
}

// However many threads make a dataset and its windows, they are the same to the bit.
func TestThreadsMakeTheSameWindows(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(5, 20, 3000)).Snapshot()
	type made struct {
		edges     []Edge
		tenures   Tenures
		relations RelationTimes
		windows   []Window
		deltas    []deltas
		messages  []Messages
	}
	by := func(pool *num.Pool) (m made) {
		defer pool.Close()
		ds := NewDataset(snap, modeltest.ByLetters(4), pool)
		m.edges, m.tenures, m.relations = ds.Edges, ds.Tenures, ds.RelationsOf
		windows, _ := NewWindows(ds, false)
		for i := range windows.Len() {
			w := windows.Get(i)
			m.messages = append(m.messages, *w.Messages())
			m.deltas = append(m.deltas, *w.deltas)
			cut := *w.Cut
			cut.ds, cut.built, cut.orders = nil, nil, nil
			m.windows = append(m.windows, Window{Cut: &cut, unseen: w.unseen, seen: w.seen, returns: w.returns, returnSums: w.returnSums})
		}
		return m
	}
	one := by(nil)
	if len(one.windows) != TrainWindows {
		t.Fatalf("%d windows", len(one.windows))
	}
	for _, threads := range []int{1, 3, 8} {
		if !reflect.DeepEqual(by(num.NewPool(threads, nil)), one) {
			t.Errorf("%d threads make other windows than one", threads)
		}
	}
}

package temporal

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

func TestCutKnowsOnlyWhatCameBefore(t *testing.T) {
	ds := NewDataset(modeltest.Graph(t, modeltest.Teams(5, 20, 500)).Snapshot(), nil)
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
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil)
	plain := NewDataset(modeltest.Graph(t, events[:1000]).Snapshot(), nil)
	for _, share := range []float64{0.2, 0.5, 0.8} {
		a, b := ds.CutTimes([]float64{share})[0], plain.CutTimes([]float64{share})[0]
		if math.Abs(float64(a-b)) > 50*60e9 {
			t.Errorf("the flood moves the cut at %v by %v minutes", share, (a-b)/60e9)
		}
	}
}

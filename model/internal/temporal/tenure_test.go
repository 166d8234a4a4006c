package temporal

import (
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

func TestTenureFactors(t *testing.T) {
	const d = dayNanos
	for _, c := range []struct {
		name             string
		since, t, start  int64
		source, relation float64 // powers
		want             float64 // the factor, for a source since then and a relation from long ago
	}{
		{"as old as the graph", 0, 10 * d, 0, 1, 1, 1},
		{"older than the graph, whose first sessions are gone", -5 * d, 10 * d, 0, 1, 1, 1},
		{"half its age", 5 * d, 10 * d, 0, 1, 1, 5.25 / 10.25},
		{"of this moment", 10 * d, 10 * d, 0, 1, 1, 1 / 41.0},
		{"of this moment, where newcomers are usual", 10 * d, 10 * d, 0, .5, 1, 1 / math.Sqrt(41)},
		{"from after its session, which came late", 11 * d, 10 * d, 0, 1, 1, 1 / 41.0},
		{"in a graph that begins", 5, 5, 5, 1, 1, 1},
		{"after an hour of a graph", d / 24, d / 24, 0, 1, 1, 6 / 7.0},
		{"at home, in an old graph", 0, 60 * d, -1000 * d, 1, 1, 1},
		{"a day there, in an old graph", 59 * d, 60 * d, -1000 * d, 1, 1, 1.25 / 30.25},
		{"centuries apart", math.MaxInt64, math.MaxInt64, math.MinInt64, 1, 1, 1 / 121.0},
	} {
		k := Tenures{c.start, float32(c.source), float32(c.relation)}
		if got := math.Exp(float64(k.Factor(c.since, c.start, c.t))); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("source %s: factor %.6f, want %.6f", c.name, got, c.want)
		}
		k = Tenures{c.start, float32(c.relation), float32(c.source)}
		if got := math.Exp(float64(k.Factor(c.start, c.since, c.t))); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("relation %s: factor %.6f, want %.6f", c.name, got, c.want)
		}
	}
	k := Tenures{0, 1, 1}
	if got, want := k.Factor(5*d, 8*d, 10*d), k.Factor(0, 8*d, 10*d); got != want {
		t.Errorf("a young relation and a source of middle age: %v, want that of the relation, %v", got, want)
	}
}

// TestNewcomersThatAreTheRule: the more of a day's triplets newcomers bring, the less their youth counts.
func TestNewcomersThatAreTheRule(t *testing.T) {
	powers := func(newcomers int) Tenures {
		events := modeltest.Teams(9, 20, 2000) // a minute each
		for i := range newcomers {
			e := &events[len(events)-1-i*2]
			e.Source = fmt.Appendf(nil, "new-%d", i)
		}
		ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil)
		return ds.Tenures
	}
	none, some, many := powers(0), powers(20), powers(400)
	if none.source != 1 || none.relation != 1 || none.start != 60e9 { // of a hundred triplets the third came after a minute
		t.Errorf("without newcomers %+v", none)
	}
	if some.source > 0.9 || many.source > 0.5*some.source || many.source <= 0 || many.relation != 1 {
		t.Errorf("powers of a source's youth %v and %v with 20 and 400 newcomers, of a relation's %v", some.source, many.source, many.relation)
	}
}

// TestOldRecordsDoNotAgeTheGraph: a few records with a clock of 1970 make nobody younger.
func TestOldRecordsDoNotAgeTheGraph(t *testing.T) {
	events := modeltest.Teams(10, 20, 3000)
	const begun = 1_700_000_000e9
	for i := range events {
		events[i].Time += begun
	}
	right := NewDataset(modeltest.Graph(t, events).Snapshot(), nil)
	for i := range 2 {
		events = append(events, graphbuf.Event{Source: fmt.Appendf(nil, "lost-%d", i), Relation: []byte("client-0"), Destination: []byte("server-0-0"), Time: 5e9})
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil)
	if ds.start > begun/2 {
		t.Fatal("the graph did not keep the old records")
	}
	if d := ds.Tenures.start - right.Tenures.start; d < -3600e9 || d > 3600e9 {
		t.Errorf("with old records the graph goes back to %d, want %d", ds.Tenures.start, right.Tenures.start)
	}
	now := right.End
	if got, want := ds.Tenures.Factor(begun, begun, now), right.Tenures.Factor(begun, begun, now); math.Abs(float64(got-want)) > 0.1 {
		t.Errorf("the factor of whoever came first is %v, without old records %v", got, want)
	}
}

package temporal

import (
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

func TestTenureFactors(t *testing.T) {
	const d = dayNanos
	settled := newAgeFactors([ageClasses]float64{5: 100}, float64(10*d))       // in a graph of ten days: nobody is new
	growing := newAgeFactors([ageClasses]float64{0: 30, 5: 70}, float64(10*d)) // three tenths of the triplets are of newcomers
	old := newAgeFactors([ageClasses]float64{6: 100}, longTenure)
	begun := newAgeFactors([ageClasses]float64{0: 100}, float64(d/24))
	none := ageFactors{}
	for _, c := range []struct {
		name            string
		since, t, start int64
		of              ageFactors
		want            float64 // the factor
	}{
		{"as old as the graph", 0, 10 * d, 0, settled, 1},
		{"older than the graph, whose first sessions are gone", -5 * d, 10 * d, 0, settled, 1},
		// Of attacks with a part of their own 1 / (1 + .6 + .6^2 + ... + .6^5) are as young, of benign triplets a fifth
		// of six hours in ten days; the oldest are a fifth of 2.25 days in ten and all that were counted.
		{"of this moment", 10 * d, 10 * d, 0, settled, (0.6 + 0.4*0.03262621/0.845) / (0.6 + 0.4*0.41957572/0.005)},
		{"of this moment, where newcomers are usual", 10 * d, 10 * d, 0, growing, (0.6 + 0.4*0.03262621/0.605) / (0.6 + 0.4*0.41957572/0.245)},
		{"from after its session, which came late", 11 * d, 10 * d, 0, settled, math.Exp(float64(settled[0]))},
		{"half a class further", 10*d - d*3/4, 10 * d, 0, settled, math.Exp(float64(settled[1]+settled[2]) / 2)},
		{"in a graph that begins", 5, 5, 5, begun, 1},
		{"new after an hour of a graph", d / 24, d / 24, 0, begun, 1},
		{"at home, in an old graph", 0, 60 * d, -1000 * d, old, 1},
		{"centuries apart", math.MaxInt64, math.MaxInt64, math.MinInt64, old, math.Exp(float64(old[0]))},
	} {
		k := Tenures{c.start, c.of, none}
		if got := math.Exp(float64(k.Factor(since(c.since, c.start), c.t, 0))); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("source %s: factor %.6f, want %.6f", c.name, got, c.want)
		}
		k = Tenures{c.start, none, c.of}
		if got := math.Exp(float64(k.Factor(since(c.start, c.since), c.t, 0))); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("relation %s: factor %.6f, want %.6f", c.name, got, c.want)
		}
	}
	k := Tenures{0, settled, settled}
	for came, similar := range map[int64]float32{10 * d: 0.9, 9 * d: 0.5, 8 * d: 1} {
		if got, want := k.Factor(since(0, came), 10*d, similar), (1-similar)*k.Factor(since(0, came), 10*d, 0); got != want {
			t.Errorf("a relation that resembles the source's by %v: %v, want %v", similar, got, want)
		}
		if got, want := k.Factor(since(came, 0), 10*d, similar), k.Factor(since(came, 0), 10*d, 0); got != want || !k.IsYoung(came, 10*d) {
			t.Errorf("a young source: %v by what it uses, else %v", got, want)
		}
	}
	if k.IsYoung(0, 10*d) {
		t.Error("what came with the graph is young")
	}
	if got, want := k.Factor(since(5*d, 8*d), 10*d, 0), k.Factor(since(0, 8*d), 10*d, 0); got != want {
		t.Errorf("a young relation and a source of middle age: %v, want that of the relation, %v", got, want)
	}
}

// since is when a source that was nothing else before, and a relation, first came.
func since(source, relation int64) Since { return Since{source, source, relation} }

// A server that connects for the first time is half a newcomer, in what is counted as benign, too.
func TestTenureOfAServer(t *testing.T) {
	of := func(server string) *Dataset {
		var events []graphbuf.Event
		for day := range 20 {
			for host := range 10 {
				events = append(events, graphbuf.Event{Source: fmt.Append(nil, "host-", host), Relation: []byte("r"), Destination: []byte("server"), Time: int64(day)*dayNanos + int64(host)})
			}
			if day >= 15 {
				events = append(events, graphbuf.Event{Source: []byte(server), Relation: []byte("r"), Destination: []byte("host-1"), Time: int64(day)*dayNanos + 20})
			}
		}
		return NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	}
	row := func(ds *Dataset) int32 { return int32(len(ds.Sources) - 1) } // the last one to come
	server, other := of("server"), of("other")
	at := 15*dayNanos + 20
	if f, want := server.tenure(row(server), 0, at, 0), server.Tenures.source[0]/2; math.Abs(float64(f-want)) > 1e-6 || f >= 0 {
		t.Errorf("a server's first session: %v, want %v", f, want)
	}
	if f := other.tenure(row(other), 0, at, 0); f >= -1 {
		t.Errorf("a newcomer's first session: %v", f)
	}
	if server.Tenures.source[0] >= other.Tenures.source[0] {
		t.Errorf("the benign newcomers: %v where one is a server, %v else", server.Tenures.source, other.Tenures.source)
	}
}

// TestAgeNeverHurts: whatever the benign ages are, an older part has no lower factor, and none has one above 1.
func TestAgeNeverHurts(t *testing.T) {
	rng := num.NewPhilox(3, 1)
	for range 500 {
		var benign [ageClasses]float64
		life := longTenure * float64(rng.Float())
		for c := range ageClass(life) + 1 {
			if rng.Float() < 0.5 {
				benign[c] = math.Exp(10 * float64(rng.Float()))
			}
		}
		k := Tenures{source: newAgeFactors(benign, life)}
		now, last := int64(life), float32(math.Inf(-1))
		for step := range 200 {
			f := k.Factor(since(now-now*int64(step)/199, 0), now, 0)
			if !(f >= last-1e-6) || f > 0 {
				t.Fatalf("benign ages %v in a graph of %v days: %v at %d/199 of its age, after %v", benign, life/float64(dayNanos), f, step, last)
			}
			last = f
		}
	}
}

// TestNewcomersThatAreTheRule: the more of a day's triplets newcomers bring, the less their youth counts.
func TestNewcomersThatAreTheRule(t *testing.T) {
	of := func(newcomers int) Tenures {
		events := modeltest.Teams(9, 20, 2000) // a minute each
		for i := range newcomers {
			e := &events[len(events)-1-i*2]
			e.Source = fmt.Appendf(nil, "new-%d", i)
		}
		ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
		return ds.Tenures
	}
	none, some, many := of(0), of(20), of(400)
	if none.start != 60e9 { // of a hundred triplets the third came after a minute
		t.Errorf("the graph began %v after the first session", none.start)
	}
	if !(none.source[0] < some.source[0]-0.2 && some.source[0] < many.source[0]-0.2 && many.source[0] < 0) {
		t.Errorf("factors of a source's youth %v, %v and %v with none, 20 and 400 newcomers", none.source[0], some.source[0], many.source[0])
	}
	if d := many.relation[0] - none.relation[0]; d < -0.1 || d > 0.1 {
		t.Errorf("factors of a relation's youth %v without and %v with new sources", none.relation[0], many.relation[0])
	}
}

// TestOldRecordsDoNotAgeTheGraph: a few records with a clock of 1970 make nobody younger.
func TestOldRecordsDoNotAgeTheGraph(t *testing.T) {
	events := modeltest.Teams(10, 20, 3000)
	const begun = 1_700_000_000e9
	for i := range events {
		events[i].Time += begun
	}
	right := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	for i := range 2 {
		events = append(events, graphbuf.Event{Source: fmt.Appendf(nil, "lost-%d", i), Relation: []byte("client-0"), Destination: []byte("server-0-0"), Time: 5e9})
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	if ds.start > begun/2 {
		t.Fatal("the graph did not keep the old records")
	}
	if d := ds.Tenures.start - right.Tenures.start; d < -3600e9 || d > 3600e9 {
		t.Errorf("with old records the graph goes back to %d, want %d", ds.Tenures.start, right.Tenures.start)
	}
	now := right.End
	if got, want := ds.Tenures.Factor(since(begun, begun), now, 0), right.Tenures.Factor(since(begun, begun), now, 0); math.Abs(float64(got-want)) > 0.1 {
		t.Errorf("the factor of whoever came first is %v, without old records %v", got, want)
	}
}

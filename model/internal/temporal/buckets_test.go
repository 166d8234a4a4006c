package temporal

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// history is a graph of one source and a few destinations, with all times of the events.
func history(t *testing.T, length time.Duration, seed uint64) (*Dataset, [][]int64) {
	rng := rand.New(rand.NewPCG(seed, uint64(length)))
	g, err := graphbuf.New(graphbuf.Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 365 * 24 * time.Hour, Trusted: true})
	if err != nil {
		t.Fatal(err)
	}
	const start = int64(20_000 * 24 * time.Hour)
	type event struct {
		at          int64
		destination int
	}
	var events []event
	for d := range 20 { // destinations come and go: of some a burst, of some a long pause
		n := 1 + rng.IntN(60)
		a, b := rng.Int64N(int64(length)), rng.Int64N(int64(length))
		for range n {
			at := min(a, b) + rng.Int64N(max(a, b)-min(a, b)+1)
			if d%3 == 0 && at > min(a, b)+(max(a, b)-min(a, b))/5 {
				at = max(a, b)
			}
			events = append(events, event{start + at, d})
		}
	}
	slices.SortFunc(events, func(a, b event) int { return int(min(max(a.at-b.at, -1), 1)) })
	times := make([][]int64, 20)
	refs := make([]graphbuf.Ref, 1)
	for _, e := range events {
		g.Observe([]graphbuf.Event{{Source: []byte("s"), Relation: []byte("r"), Destination: fmt.Appendf(nil, "d%02d", e.destination), Time: e.at}}, refs)
		times[e.destination] = append(times[e.destination], e.at)
	}
	snap := g.Snapshot()
	ds := NewDataset(snap, nil, nil)
	ordered := make([][]int64, len(ds.Edges))
	for i := range ds.Edges {
		var d int
		fmt.Sscanf(snap.Nodes[ds.Destinations[ds.Edges[i].D]].Name, "d%d", &d)
		ordered[i] = times[d]
	}
	return ds, ordered
}

// TestThePastFromBuckets compares what is estimated of an edge's past with all times of its events: at the beginnings
// of buckets it is known whether there were events, and which day had one.
func TestThePastFromBuckets(t *testing.T) {
	for _, length := range []time.Duration{20 * time.Minute, 9 * time.Hour, 6 * 24 * time.Hour, 29 * 24 * time.Hour} {
		ds, times := history(t, length, 7)
		for i := range ds.Edges {
			e := &ds.Edges[i]
			for b := range maxBuckets - 1 {
				from, to := ds.begin(b), ds.begin(b)+ds.length
				n := 0
				days := map[int64]bool{}
				var last int64
				before := 0
				for _, at := range times[i] {
					if at >= from && at < to {
						n++
						days[dayOf(at)] = true
					}
					if at < to {
						before++
						last = at
					}
				}
				if got := ds.within(e, from, to); (got == 1) != (n > 0) || n == 0 && got != 0 {
					t.Errorf("%v, %d events from %d: within %v of bucket %d with %d events", length, len(times[i]), times[i][0], got, b, n)
				}
				if got := ds.days(e, Span{from, to}); ds.length <= dayNanos && math.Abs(got-float64(len(days))) > 1e-9 {
					t.Errorf("%v: on %v days of bucket %d, want %d", length, got, b, len(days))
				}
				if before > 0 {
					if got := ds.lastBefore(e, to); got >= to || got > last && got-last > ds.length || last-got > ds.length {
						t.Errorf("%v: last before bucket %d at %d, want within %d of %d", length, b, got, ds.length, last)
					}
				}
				// All but the first and the last event may lie in any of the buckets, but in no others.
				got, of := ds.before(e, to), bits.OnesCount64(e.active)
				if of == 1 && got != float32(before) || got < min(1, float32(before)) || got > float32(len(times[i])) {
					t.Errorf("%v: %v events before bucket %d ends, of %d; there were %d", length, got, b, len(times[i]), before)
				}
			}
			if got := ds.before(e, e.last+1); int(got) != len(times[i]) {
				t.Errorf("%v events in all, want %d", got, len(times[i]))
			}
		}
	}
}

// TestThePastWithoutBuckets: a snapshot of an earlier version does not say when an edge was active.
func TestThePastWithoutBuckets(t *testing.T) {
	hour := int64(time.Hour)
	snap := &graphbuf.Snapshot{
		Nodes: []graphbuf.Name{{Name: "d"}, {Name: "s"}}, Relations: []graphbuf.Name{{Name: "r"}},
		Edges: []graphbuf.Edge{{Source: 1, Count: 101, First: 1000 * hour, Last: 1100 * hour}},
	}
	ds := NewDataset(snap, nil, nil)
	e := &ds.Edges[0]
	for _, c := range []struct{ at, want float64 }{{1000, 0}, {1000.01, 1}, {1025, 26}, {1050, 51}, {1099, 99}, {1100.01, 101}} {
		if got := ds.before(e, int64(c.at*float64(hour))); math.Abs(float64(got)-c.want) > 1.6 {
			t.Errorf("%v events before hour %v, want %v", got, c.at, c.want)
		}
	}
	if got := ds.within(e, 1020*hour, 1030*hour); got != 1 {
		t.Errorf("active with chance %v within ten hours of a hundred, with an event in each", got)
	}
}

// TestTimesOfCenturies: a graph may hold edges of 1677, of today and of 2262.
func TestTimesOfCenturies(t *testing.T) {
	for _, c := range [][2]int64{{math.MinInt64, math.MaxInt64 - 1}, {math.MinInt64, math.MinInt64 + 5}, {-5, math.MaxInt64 - 1}} {
		snap := &graphbuf.Snapshot{
			Nodes: []graphbuf.Name{{Name: "d"}, {Name: "s"}}, Relations: []graphbuf.Name{{Name: "r"}},
			Edges: []graphbuf.Edge{{Source: 1, Count: 1000, First: c[0], Last: c[1]}},
		}
		ds := NewDataset(snap, nil, nil)
		e := &ds.Edges[0]
		last := float32(0)
		for i := maxBuckets - 1; i >= 0; i-- {
			got := ds.before(e, ds.begin(i))
			if got < last || got > 1000 {
				t.Errorf("%v: %v events before bucket %d, %v before the one before", c, got, i, last)
			}
			last = got
		}
		if got := ds.before(e, c[0]/2+c[1]/2); c[0] < -5 && c[1] > 5 && math.Abs(float64(got)-500) > 20 {
			t.Errorf("%v: %v events in the first half", c, got)
		}
	}
}

// TestHalfDays: a flood of an afternoon is one half day, and what the graph tells at the moment of an event a training
// finds in its past.
func TestHalfDays(t *testing.T) {
	const hour, start = int64(time.Hour), int64(20_000 * 24 * time.Hour)
	var hours []int64
	for h := range int64(6) {
		hours = append(hours, 13+h) // a flood
	}
	hours = append(hours, 24+1, 24+13, 24+14, 5*24+11, 5*24+12, 9*24+3, 9*24+23, 28*24+4)
	g, err := graphbuf.New(graphbuf.Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	refs := make([]graphbuf.Ref, 1)
	known := map[int64]bool{}
	for h, next := int64(0), 0; h < 29*24; h++ {
		g.Observe([]graphbuf.Event{{Source: []byte("clock"), Relation: []byte("r"), Destination: []byte("d"), Time: start + h*hour}}, refs)
		if next == len(hours) || h != hours[next] {
			continue
		}
		g.Observe([]graphbuf.Event{{Source: []byte("s"), Relation: []byte("r"), Destination: []byte("d"), Time: start + h*hour}}, refs)
		if int(refs[0].HalfDays) != len(known) {
			t.Errorf("hour %d: the graph tells of %d half days, want %d", h, refs[0].HalfDays, len(known))
		}
		known[h/12] = true
		next++
	}
	ds := NewDataset(g.Snapshot(), nil, nil)
	if len(ds.Edges) != 2 {
		t.Fatalf("%d triplets, want two", len(ds.Edges))
	}
	for i := range ds.Edges {
		e := &ds.Edges[i]
		if e.count == 29*24 { // the clock's
			continue
		}
		for half := hours[0]/12 + 1; half < 29*2; half++ { // all before the beginning of a half day is known
			before := map[int64]bool{}
			for _, h := range hours {
				if h/12 < half {
					before[h/12] = true
				}
			}
			if n := ds.halfDays(e, start+half*12*hour); n != len(before) {
				t.Errorf("before half day %d there were %d, want %d", half, n, len(before))
			}
		}
		if n := ds.halfDays(e, ds.End+1); n != len(known) {
			t.Errorf("%d half days in all, want %d", n, len(known))
		}
	}
}

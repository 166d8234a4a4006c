package temporal

import (
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/num"
)

// TestBusyDaysOfACentury: days are as if they were counted one by one, and to count those of two centuries takes no
// longer: a graph may hold edges of 1970, of today and of 2262.
func TestBusyDaysOfACentury(t *testing.T) {
	rng := num.NewPhilox(3, 1)
	oneByOne := func(e *Edge, sp Span) (n float64) {
		for at := sp.start; at < sp.end; at = (at/dayNanos + 1) * dayNanos {
			n += float64(e.within(at, min(sp.end, (at/dayNanos+1)*dayNanos)))
		}
		return n
	}
	const now = 20_000 * dayNanos
	time := func() int64 { return now + int64(rng.IntN(40*24))*dayNanos/24 }
	for range 2000 {
		a, b, c, d := time(), time(), time(), time()
		e := Edge{First: min(a, b), last: max(a, b), count: float32(2 + rng.IntN(30))}
		if e.First == e.last {
			e.count = 1
		}
		sp := Span{min(c, d), max(c, d)}
		if got, want := e.days(sp), oneByOne(&e, sp); math.Abs(got-want) > 1e-4*(1+want) {
			t.Fatalf("%+v has events on %v days of %+v, want %v", e, got, sp, want)
		}
	}
	ds := &Dataset{start: dayNanos / 2, End: math.MaxInt64 - 1}
	for range 300_000 { // by days and edges this would be thirty thousand million steps
		ds.Edges = append(ds.Edges, Edge{First: ds.start, last: ds.End, count: math.MaxFloat32})
	}
	sp := Span{now, math.MaxInt64}
	if got, want := ds.BusyDays(sp), float64(math.MaxInt64/dayNanos-20_000+1); math.Abs(got-want) > 1 {
		t.Errorf("%v busy days, want %v", got, want)
	}
	// Of the time before 1970, or of the last day there is, no more is asked for than there is.
	for _, e := range []Edge{{First: math.MinInt64, last: -1, count: 2}, {First: math.MaxInt64 - 5, last: math.MaxInt64 - 1, count: 2}} {
		ds := &Dataset{start: e.First, End: e.last, Edges: []Edge{e}}
		if got := ds.BusyDays(Span{e.First, e.last + 1}); math.IsNaN(got) || got < 0 {
			t.Errorf("%+v: %v busy days", e, got)
		}
	}
}

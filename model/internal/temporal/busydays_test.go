package temporal

import (
	"math"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// TestDaysOfAnEdge compares on how many days an edge had events with the days of all its events.
func TestDaysOfAnEdge(t *testing.T) {
	for _, length := range []time.Duration{5 * time.Hour, 6 * 24 * time.Hour, 29 * 24 * time.Hour} {
		for seed := range uint64(20) {
			ds, times := history(t, length, seed)
			first, last := dayOf(ds.begin(maxBuckets-1)), dayOf(ds.End)
			for i := range ds.Edges {
				for from := first; from <= last; from += 3 {
					sp := Span{startOf(from), startOf(from + 5)}
					want := map[int64]bool{}
					for _, at := range times[i] {
						if at >= sp.start && at < sp.end {
							want[dayOf(at)] = true
						}
					}
					if got := ds.days(&ds.Edges[i], sp); math.Abs(got-float64(len(want))) > 1e-9 {
						t.Fatalf("%v, seed %d: on %v days of %d to %d, want %d: %v", length, seed, got, from, from+5, len(want), times[i])
					}
				}
			}
		}
	}
}

// TestBusyDaysOfACentury: a graph may hold edges of 1970, of today and of 2262. To count their days takes no longer than
// to count those of a month.
func TestBusyDaysOfACentury(t *testing.T) {
	const now = 20_000 * dayNanos
	century := func(first, last int64, edges int) *Dataset {
		ds := &Dataset{start: first, End: last, buckets: newBuckets(&graphbuf.Snapshot{}, first, last)}
		for range edges {
			ds.Edges = append(ds.Edges, Edge{First: first, last: last, count: math.MaxFloat32, active: math.MaxUint64})
		}
		return ds
	}
	ds := century(dayNanos/2, math.MaxInt64-1, 300_000) // by days and edges this would be thirty thousand million steps
	sp := Span{now, math.MaxInt64}
	if got, want := ds.BusyDays(sp), float64(math.MaxInt64/dayNanos-20_000+1); math.Abs(got-want) > 1 {
		t.Errorf("%v busy days, want %v", got, want)
	}
	// Of the time before 1970, or of the last day there is, no more is asked for than there is.
	for _, ends := range [][2]int64{{math.MinInt64, -1}, {math.MaxInt64 - 5, math.MaxInt64 - 1}} {
		ds := century(ends[0], ends[1], 1)
		if got := ds.BusyDays(Span{ends[0], ends[1] + 1}); math.IsNaN(got) || got < 0 {
			t.Errorf("%v: %v busy days", ends, got)
		}
	}
}

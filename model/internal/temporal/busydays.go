package temporal

import (
	"math"
	"slices"
)

const dayNanos = int64(24 * 3600e9)

// BusyDays is how many busy days' worth of triplets a stretch of time holds: a weekend in
// which a third of what is usual happened is less than a day. Each triplet counts
// once a day. Where the data are too short to know a usual day it is the length of the stretch.
func (ds *Dataset) BusyDays(sp Span) float64 {
	const recent = 14
	first, last := dayOf(ds.start)+1, dayOf(ds.End) // whole days are first to last-1
	first = max(first, last-recent)
	if first >= last {
		return (float64(sp.end) - float64(sp.start)) / float64(dayNanos)
	}
	whole := make([]float64, last-first)
	var all float64
	for i := range ds.Edges {
		e := &ds.Edges[i]
		for d := max(first, dayOf(e.First)); d < min(last, dayOf(e.last)+1); d++ {
			whole[d-first] += float64(e.within(startOf(d), startOf(d+1)))
		}
		all += e.days(sp)
	}
	slices.Sort(whole)
	return all / max(whole[(len(whole)-1)*3/4], 1)
}

// days is on how many days of a stretch of time an edge is likely to have had an event. However many they are, it takes
// no longer: those between the day on which the edge or the stretch begins and that on which one of them ends are all alike.
func (e *Edge) days(sp Span) (n float64) {
	from, to := max(e.First, sp.start), min(e.last, sp.end-1)
	if from > to {
		return 0
	}
	on := func(d int64) float64 {
		return float64(e.within(max(sp.start, startOf(d)), min(sp.end, startOf(d+1))))
	}
	a, b := dayOf(from), dayOf(to)
	if n = on(a); b > a {
		n += on(b)
	}
	if between := b - a - 1; between > 0 {
		n += float64(between) * on(a+1)
	}
	return n
}

// dayOf is the day of a time, since 1970.
func dayOf(t int64) int64 {
	d := t / dayNanos
	if t%dayNanos < 0 {
		d--
	}
	return d
}

// startOf is the time at which a day begins, the first or the last moment that there is where it is beyond.
func startOf(day int64) int64 {
	switch {
	case day > math.MaxInt64/dayNanos:
		return math.MaxInt64
	case day < math.MinInt64/dayNanos:
		return math.MinInt64
	}
	return day * dayNanos
}

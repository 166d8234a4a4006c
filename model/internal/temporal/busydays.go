package temporal

import (
	"math"
	"slices"
)

const dayNanos = int64(24 * 3600e9)

// BusyDays measures a stretch of time in busy days: by how many triplets it has, each counted once a day,
// against those of a usual busy day. A weekend with a third of the usual activity is less than one day. Where
// the data are too short to know a usual day, it returns the plain length in days.
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
			whole[d-first] += float64(ds.within(e, startOf(d), startOf(d+1)))
		}
		all += ds.days(e, sp)
	}
	slices.Sort(whole)
	return all / max(whole[(len(whole)-1)*3/4], 1)
}

// days estimates on how many days of a stretch of time an edge had an event. It takes constant time: all days
// between the first and the last one that count are alike.
func (ds *Dataset) days(e *Edge, sp Span) (n float64) {
	from, to := max(e.First, sp.start), min(e.last, sp.end-1)
	if from > to {
		return 0
	}
	on := func(d int64) float64 {
		return float64(ds.within(e, max(sp.start, startOf(d)), min(sp.end, startOf(d+1))))
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

// dayOf returns the day of a time, counted from 1970.
func dayOf(t int64) int64 {
	d := t / dayNanos
	if t%dayNanos < 0 {
		d--
	}
	return d
}

// startOf returns the time at which a day begins. Beyond the range of int64 it returns the first or the last
// time there is.
func startOf(day int64) int64 {
	switch {
	case day > math.MaxInt64/dayNanos:
		return math.MaxInt64
	case day < math.MinInt64/dayNanos:
		return math.MinInt64
	}
	return day * dayNanos
}

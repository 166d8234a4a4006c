package temporal

import (
	"math"
	"math/bits"
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

// days estimates on how many days of a stretch of time an edge had an event. Whether it is one of a day or of a
// century, this takes as many steps as there are buckets.
func (ds *Dataset) days(e *Edge, sp Span) (n float64) {
	perBucket := float64(e.count) / float64(bits.OnesCount64(e.active))
	counted, on := int64(math.MinInt64), 0.0 // the last day that was counted, and the chance of an event on it
	for left := e.active; left != 0; {       // the earliest first
		i := maxBuckets - 1 - bits.LeadingZeros64(left)
		left &^= 1 << i
		from, to := ds.stretch(e, i)
		a, b := max(from, sp.start), min(to, sp.end-1)
		if a > b {
			continue
		}
		share := (span(a, b) + 1) / (span(from, to) + 1)
		first, last := dayOf(a), dayOf(b)
		if first == last {
			p := float64(chance(share, perBucket))
			if first != counted {
				counted, on = first, 0
			}
			n += max(0, p-on)
			on = max(on, p)
			continue
		}
		days := max(1, span(a, b)/float64(dayNanos))
		n += days * float64(chance(share/days, perBucket))
		counted, on = last, 1
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

package temporal

import (
	"math"
	"math/bits"

	"flb-filter-rgcn/graphbuf"
)

// activity tells in which stretches of time, called buckets, an edge had events: bit i of an edge's active stands for
// [begun-i*bucket, begun-(i-1)*bucket), the highest bit for that bucket and all before it.
type activity struct{ bucket, begun int64 }

const activityBits = 64

// active returns the edge's buckets. Where the snapshot does not know them, the edge had events in the buckets of its
// first and its last one and, as far as their number goes, evenly between.
func (a activity) active(e *graphbuf.Edge) uint64 {
	if e.Active != 0 {
		return e.Active
	}
	from, to := a.index(e.First), a.index(e.Last)
	mask := uint64(1)<<from | uint64(1)<<to
	for n, i := int(min(e.Count, activityBits)), 1; i < n-1; i++ {
		mask |= 1 << (to + (from-to)*i/(n-1))
	}
	return mask
}

// index is the number of the bucket at the time t: 0 for the last one and beyond, at most the highest bit's.
func (a activity) index(t int64) int {
	if t >= a.begun {
		return 0
	}
	return int(min((uint64(a.begun)-uint64(t)-1)/uint64(a.bucket)+1, activityBits-1))
}

// start is when bucket i begins.
func (a activity) start(i int) int64 { return a.begun - int64(i)*a.bucket }

// newActivity takes the buckets of a snapshot, or where it has none, as many as there can be between the first and the
// last of its events.
func newActivity(snap *graphbuf.Snapshot, start, end int64) activity {
	if snap.Bucket > 0 {
		return activity{snap.Bucket, snap.Begun}
	}
	bucket := int64((uint64(end)-uint64(start))/activityBits) + 1
	return activity{bucket, end - bucket + 1}
}

// share returns which part of an edge's buckets lies before t: of the bucket that holds t, as much as has passed of it.
func (ds *Dataset) share(e *Edge, t int64) float64 {
	a := ds.activity
	i := a.index(t)
	whole := bits.OnesCount64(e.active >> i >> 1)
	part := 0.0
	if e.active>>i&1 != 0 {
		from, to := max(a.start(i), e.First), min(a.start(i-1), e.last)
		if i == activityBits-1 {
			from = e.First
		}
		if i == 0 {
			to = e.last
		}
		if part = 1; t < to && from < to {
			part = max(0, float64(t-from)/float64(to-from))
		}
	}
	return (float64(whole) + part) / float64(bits.OnesCount64(e.active))
}

// before estimates how many events of an edge came before t: those of its first and its last time are known, and the
// others are spread evenly over the buckets in which it was active.
func (ds *Dataset) before(e *Edge, t int64) float32 {
	switch {
	case e.First >= t:
		return 0
	case e.last < t:
		return e.count
	}
	return 1 + max(e.count-2, 0)*float32(ds.share(e, t))
}

// within estimates the chance that an edge had an event in [a, b).
func (ds *Dataset) within(e *Edge, a, b int64) float32 {
	switch {
	case e.last < a || e.First >= b:
		return 0
	case e.First >= a || e.last < b:
		return 1
	}
	from, to := ds.activity.index(b-1), ds.activity.index(a)
	// Whole buckets of the stretch: those after the one with a, before the one with b-1.
	if to-from > 1 && e.active>>(from+1)&(1<<(to-from-1)-1) != 0 {
		return 1
	}
	share := ds.share(e, b) - ds.share(e, a)
	return float32(1 - math.Pow(max(0, 1-share), max(float64(e.count)-2, 0)))
}

// lastBefore estimates when an edge that was first seen before t was last active before it.
func (ds *Dataset) lastBefore(e *Edge, t int64) int64 {
	if e.last < t {
		return e.last
	}
	a := ds.activity
	i := a.index(t - 1)
	m := e.active >> i
	if m == 0 {
		return e.First
	}
	i += bits.TrailingZeros64(m)
	if i == activityBits-1 {
		return e.First
	}
	return max(e.First, min(t-1, a.start(i)+a.bucket/2))
}

// fade is 1 at the time at, and half for each half-life before.
func fade(t, at int64, half float64) float32 {
	return float32(math.Exp2((float64(t) - float64(at)) / half))
}

func (ds *Dataset) fades(at int64, half float64) (w [activityBits]float32) {
	for i := range w {
		if t := ds.activity.start(i); t < at {
			w[i] = fade(min(t+ds.activity.bucket/2, at), at, half)
		}
	}
	return w
}

func (ds *Dataset) recent(e *Edge, at int64, w *[activityBits]float32) (sum float32) {
	for m := e.active; m != 0; m &= m - 1 {
		sum += w[bits.TrailingZeros64(m)]
	}
	return sum
}

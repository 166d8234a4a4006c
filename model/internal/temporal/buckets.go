package temporal

import (
	"math"
	"math/bits"

	"flb-filter-rgcn/graphbuf"
)

// The graph keeps of every edge how many events it had, when the first and the last one was, and in which of 64 stretches
// of time, called buckets, it had any. From these a training estimates what was known at a moment of the past: the events
// between the first and the last one are taken to be evenly spread over the buckets in which there were some.

// buckets are those of a dataset. Bit i of an edge's active stands for the time from begin(i) up to, but without,
// begin(i-1). The highest bit stands for that time and all before it, bit 0 for that time and all after it.
type buckets struct{ length, begun int64 } // begun is when bucket 0 began; unix nanoseconds

const maxBuckets = 64

// newBuckets returns the buckets of a snapshot or, where it knows none, as many as there can be between the first and
// the last of its events.
func newBuckets(snap *graphbuf.Snapshot, first, last int64) buckets {
	if snap.Bucket > 0 {
		return buckets{snap.Bucket, snap.Begun}
	}
	length := int64((uint64(last)-uint64(first))/maxBuckets) + 1
	return buckets{length, max(first, last-length+1)}
}

// at is the number of the bucket that holds the time t.
func (b buckets) at(t int64) int {
	if t >= b.begun {
		return 0
	}
	return int(min((uint64(b.begun)-uint64(t)-1)/uint64(b.length)+1, maxBuckets-1))
}

// begin is when bucket i begins, or the first time there is if that is later.
func (b buckets) begin(i int) int64 {
	back := uint64(i) * uint64(b.length)
	if back > uint64(b.begun)-1<<63 {
		return math.MinInt64
	}
	return int64(uint64(b.begun) - back)
}

// active returns in which buckets an edge had events. Where the snapshot does not know, they are taken to be evenly
// spread between the first and the last one.
func (b buckets) active(e *graphbuf.Edge) uint64 {
	if e.Active != 0 {
		return e.Active
	}
	from, to := b.at(e.First), b.at(e.Last)
	active := uint64(1)<<from | uint64(1)<<to
	for i, n := 1, int(min(e.Count, maxBuckets)); i < n-1; i++ {
		active |= 1 << (from - (from-to)*i/(n-1))
	}
	return active
}

// stretch is the part of bucket i in which an edge can have had events, of which there are some in that bucket: from the
// time from up to and with the time to.
func (b buckets) stretch(e *Edge, i int) (from, to int64) {
	from, to = e.First, e.last
	if i < maxBuckets-1 {
		from = max(from, b.begin(i))
	}
	if i > 0 {
		to = min(to, b.begin(i-1)-1)
	}
	return from, max(from, to)
}

// passed returns which share of the time in which an edge was active had passed at t, in buckets of equal weight.
func (b buckets) passed(e *Edge, t int64) float64 {
	i := b.at(t)
	n := float64(bits.OnesCount64(e.active >> i >> 1)) // buckets before
	if e.active>>i&1 != 0 {
		from, to := b.stretch(e, i)
		n += shareBefore(from, to, t)
	}
	return n / float64(bits.OnesCount64(e.active))
}

// shareBefore is which share of the time between from and to lies before t.
func shareBefore(from, to, t int64) float64 {
	switch {
	case t >= to:
		return 1
	case t <= from:
		return 0
	}
	return span(from, t) / span(from, to)
}

// span is the time between two times, in floating point: that of times centuries apart would overflow an int64.
func span(from, to int64) float64 { return float64(to) - float64(from) }

// between is how many events of an edge lie between the first and the last one.
func (e *Edge) between() float64 { return max(float64(e.count)-2, 0) }

// before estimates how many events of an edge came before t.
func (b buckets) before(e *Edge, t int64) float32 {
	switch {
	case e.First >= t:
		return 0
	case e.last < t:
		return e.count
	}
	return 1 + float32(e.between()*b.passed(e, t))
}

// within estimates the chance that an edge had an event in [from, to).
func (b buckets) within(e *Edge, from, to int64) float32 {
	switch {
	case from >= to, e.last < from, e.First >= to:
		return 0
	case e.First >= from, e.last < to:
		return 1
	}
	// Of a bucket that lies in the stretch as a whole it is known.
	earliest, latest := b.at(from), b.at(to-1)
	if earliest == maxBuckets-1 || from > b.begin(earliest) {
		earliest--
	}
	if latest == 0 || to < b.begin(latest-1) {
		latest++
	}
	if earliest >= latest && e.active>>latest<<(maxBuckets-1-(earliest-latest)) != 0 {
		return 1
	}
	return chance(b.passed(e, to)-b.passed(e, from), e.between())
}

// chance is that of at least one of n events in a share of the time over which they are spread evenly.
func chance(share, n float64) float32 { return float32(1 - math.Pow(max(0, 1-share), n)) }

// halfDays is in how many half days, or longer buckets, an edge that was first seen before t had events before t. The
// graph's buckets begin at midnight, so that none lies in two half days.
func (b buckets) halfDays(e *Edge, t int64) int {
	const half = dayNanos / 2
	i := b.at(t - 1)
	n, last := 0, int64(0)
	for left := e.active >> i << i; left != 0; left &= left - 1 {
		begin := b.begin(bits.TrailingZeros64(left))
		number := begin / half
		if begin%half < 0 {
			number--
		}
		if n == 0 || number != last {
			n, last = n+1, number
		}
	}
	return max(n, 1)
}

// lastBefore estimates when an edge, first seen before t, had its last event before t: in the middle of a bucket.
func (b buckets) lastBefore(e *Edge, t int64) int64 {
	if e.last < t {
		return e.last
	}
	i := b.at(t - 1)
	earlier := e.active >> i
	if earlier == 0 {
		return e.First
	}
	from, to := b.stretch(e, i+bits.TrailingZeros64(earlier))
	return min(t-1, from+int64((uint64(to)-uint64(from))/2))
}

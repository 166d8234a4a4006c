package graphbuf

import (
	"math/bits"
	"time"
)

// activity is when an edge was seen, by stretches of time called buckets: bit i of seen stands for the bucket i before
// last, the highest bit for that one and all before it.
//
// All buckets of a graph have one length, which doubles whenever what the graph has lived through takes more than 64 of
// them. An edge follows when it is next looked at: level is the number of doublings that it knows of.
type activity struct {
	seen  uint64
	last  int32 // number of a bucket
	level uint8
}

const (
	activityBits   = 64
	shortestBucket = int64(12*time.Hour) >> 10 // 42.1875 s; 2^10 of them are half a day
	longest        = 26                        // the highest level: 90 years
	day            = int64(24 * time.Hour)
	// A clock starts as if it had lived a multiple of so many days, and at least that many, up to the time of day of
	// the first event. So a bucket begins at each midnight, unless buckets are longer than a day, and late events have
	// buckets too.
	livedUnit = 1024 * day
)

// buckets are those of a graph.
type buckets struct {
	level   uint8
	highest uint8 // level at which the buckets cover the window
	first   int64 // what the clock had lived when the graph began
}

func newBuckets(window time.Duration) buckets {
	b := buckets{highest: longest}
	if window > 0 {
		b.highest, _ = levelOf((int64(window)-1)/activityBits + 1)
	}
	return b
}

func (b *buckets) length() int64 { return shortestBucket << b.level }

// levelOf is the level at which buckets are so long, at least, and whether they are exactly so.
func levelOf(length int64) (level uint8, exact bool) {
	for level < longest && shortestBucket<<level < length {
		level++
	}
	return level, shortestBucket<<level == length
}

// at is the number of the bucket at the clock's age lived.
func (b *buckets) at(lived int64) int32 { return int32(max(lived, 0) / b.length()) }

// reach doubles the buckets until those since the beginning have bits enough.
func (b *buckets) reach(lived int64) {
	if b.first == 0 {
		b.first = lived
	}
	for b.level < b.highest && b.at(lived)-b.at(b.first) >= activityBits {
		b.level++
	}
}

// raise brings an edge's activity to a level.
func (a *activity) raise(level uint8) {
	for ; a.level < level; a.level++ {
		a.seen, a.last = halve(a.seen, a.last&1 == 0), a.last>>1
	}
}

// halve joins the buckets two by two. Of an even one the other half comes later, so that it stands alone.
func halve(seen uint64, even bool) uint64 {
	var oldest uint64
	if even {
		oldest = seen >> (activityBits - 1) << (activityBits / 2)
		seen <<= 1
	}
	x := (seen | seen>>1) & 0x5555555555555555
	for i, mask := range [...]uint64{0x3333333333333333, 0x0f0f0f0f0f0f0f0f, 0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff} {
		x = (x | x>>(1<<i)) & mask
	}
	return x | oldest
}

// mark records that the edge was seen in a bucket.
func (a *activity) mark(bucket int32) {
	switch {
	case a.seen == 0:
		a.seen, a.last = 1, bucket
	case bucket > a.last:
		a.seen, a.last = older(a.seen, bucket-a.last)|1, bucket
	default:
		a.seen |= 1 << min(a.last-bucket, activityBits-1)
	}
}

// older moves activity so many buckets into the past.
func older(seen uint64, by int32) uint64 {
	if by == 0 || seen == 0 {
		return seen
	}
	if by >= activityBits {
		return 1 << (activityBits - 1)
	}
	out := seen << by
	if seen>>(activityBits-by) != 0 {
		out |= 1 << (activityBits - 1)
	}
	return out
}

// join adds the activity of another edge, of the same level.
func (a *activity) join(b activity) {
	switch {
	case a.seen == 0:
		*a = b
	case b.last > a.last:
		a.seen, a.last = older(a.seen, b.last-a.last)|b.seen, b.last
	default:
		a.seen |= older(b.seen, a.last-b.last)
	}
}

// stretches is in how many buckets of a level there was activity; longer ones count as one each, and so does all that lies
// before them.
func (a activity) stretches(level uint8) int {
	if a.level < level { // Most edges were active in one stretch alone, and the record path asks for each.
		oldest := a.last - int32(bits.Len64(a.seen|1)-1)
		if by := level - a.level; oldest>>by == a.last>>by {
			return int(min(a.seen, 1))
		}
	}
	a.raise(level)
	return bits.OnesCount64(a.seen)
}

// The levels at which a bucket is a day and half of one.
const dayLevel, halfDayLevel = 11, 10

// at is the activity counted from the bucket in which the clock had lived so long: bit i is the bucket i before it.
func (a activity) at(b *buckets, lived int64) uint64 {
	a.raise(b.level)
	by := b.at(lived) - a.last
	if by < 0 { // it came while a snapshot was made
		return max(a.seen>>min(-by, activityBits-1), 1)
	}
	return older(a.seen, by)
}

// spread is the activity of an edge of which the times between its first and its last event are not known: so many
// events, evenly spread over the buckets.
func spread(from, to int32, count uint32) (a activity) {
	n := int64(min(count, uint32(to-from)+1, 2*activityBits))
	a.mark(from)
	for i := int64(1); i < n; i++ {
		a.mark(from + int32(int64(to-from)*i/(n-1)))
	}
	return a
}

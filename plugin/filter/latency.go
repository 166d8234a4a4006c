package filter

import (
	"sync/atomic"
	"time"
)

// LatencyBounds are the upper bounds of the buckets of a Latency.
var LatencyBounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
}

// Latency is how long calls of Process took.
type Latency struct {
	Counts [len(LatencyBounds) + 1]uint64 // the last: beyond all bounds
	Sum    time.Duration
}

type latency struct {
	counts [len(LatencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (l *latency) add(d time.Duration) {
	i := 0
	for i < len(LatencyBounds) && d > LatencyBounds[i] {
		i++
	}
	l.counts[i].Add(1)
	l.sum.Add(int64(d))
}

// Latency returns how long the calls of Process took so far.
func (f *Instance) Latency() (l Latency) {
	for i := range l.Counts {
		l.Counts[i] = f.path.latency.counts[i].Load()
	}
	l.Sum = time.Duration(f.path.latency.sum.Load())
	return l
}

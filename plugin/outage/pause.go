package outage

import (
	"sync/atomic"
	"time"
)

// Pause keeps log lines on the same thing apart. Several goroutines may ask it at a time: one of them logs. The zero
// value has no line behind it.
type Pause struct {
	last atomic.Int64 // time of the last line, Unix nanoseconds; 0: none yet
}

// Over tells whether the last line lies at least so far back, and takes now for the time of the next one if it does. A
// last line in the future is one from before a clock was set back, and keeps nothing silent.
func (p *Pause) Over(now time.Time, least time.Duration) bool {
	at, last := now.UnixNano(), p.last.Load()
	if last != 0 && at >= last && at-last < int64(least) {
		return false
	}
	return p.last.CompareAndSwap(last, at)
}

// Package outage is what to do while something fails again and again, as a server or a disk may for weeks: when to try
// again, and when to say so in the log. It knows nothing of what fails.
package outage

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Jitter spreads an interval by a tenth up and down, so that a fleet that started at once does not ask at once.
func Jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d))
}

// Outage is a time in which something fails again and again. It says when to log that: at once, and then at intervals
// that double from a minute to a day. The zero value is no outage.
type Outage struct {
	since, last time.Time
	pause       time.Duration
	failures    int
}

const (
	firstPause = time.Minute
	lastPause  = 24 * time.Hour
)

// Failed takes note of a failure and reports whether to log it.
func (o *Outage) Failed(now time.Time) (log bool) {
	o.failures++
	switch {
	case o.failures == 1:
		o.since, o.pause = now, firstPause
	case now.Sub(o.last) < o.pause:
		return false
	default:
		o.pause = min(2*o.pause, lastPause)
	}
	o.last = now
	return true
}

// Over ends the outage and returns how many failures there were, and since when.
func (o *Outage) Over() (failures int, since time.Time) {
	failures, since = o.failures, o.since
	*o = Outage{}
	return failures, since
}

// Failures is how many there were in a row.
func (o *Outage) Failures() int { return o.failures }

// After tells after how many failures, which have a name such as "failure", something works again.
func After(n int, name string) string {
	if n == 1 {
		return "after 1 " + name
	}
	return fmt.Sprintf("after %d %ss", n, name)
}

// Retry is how long to wait after so many failures in a row: from a second, doubling, to most.
func Retry(failures int, most time.Duration) time.Duration {
	d := time.Second << min(max(failures-1, 0), 20)
	return Jitter(min(d, most))
}

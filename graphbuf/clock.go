package graphbuf

import "time"

// clock is the time by which edges grow old: that of the newest event that is to be believed. A
// machine's clock may jump, by years even, and jump back. What came meanwhile must neither age all
// else out of the graph nor, with times of its own that nothing newer reaches, stay for good.
type clock struct {
	now    int64
	turned int64 // now, when it last went back
	leap   int64 // beyond which a step is a jump
	// Events until edges go for their age again, after a jump forward.
	unsettled int
	// Events in a row that came from before a jump back, and the newest of them.
	late    int
	lateNow int64
}

const (
	// settleEvents is how many events a jump forward has to last until it is believed. A pause as long only has
	// edges stay so much longer.
	settleEvents = 4096
	// lateEvents in a row turn the clock back. A few are only late.
	lateEvents = 256
	leastLeap  = int64(24 * time.Hour)
)

func newClock(window time.Duration) clock { return clock{leap: max(int64(window)/4, leastLeap)} }

// see takes the time of an event.
func (c *clock) see(t int64) {
	c.unsettled = max(0, c.unsettled-1)
	if t < c.now-c.leap {
		if c.late++; c.late == 1 || t > c.lateNow {
			c.lateNow = t
		}
		if c.late == lateEvents {
			c.now, c.turned, c.late = c.lateNow, c.lateNow, 0
		}
		return
	}
	c.late = 0
	if c.now != 0 && t > c.now+c.leap {
		c.unsettled = settleEvents
	}
	c.now = max(c.now, t)
}

// settled tells whether the clock is good enough to forget by.
func (c *clock) settled() bool { return c.unsettled == 0 }

// heal brings times that the clock does not believe down to when it went back. A regular stays one.
func (e *edge) heal(c *clock) {
	if e.last <= c.now {
		return
	}
	regular := e.regular()
	e.last = c.turned
	e.first = min(e.first, e.last)
	if regular {
		e.first = min(e.first, e.last-regularAfter)
	}
}

// see takes a sight of an edge between times first and last, by the clock. Times a window or more
// apart are of two lives of the triplet, the second of which counts.
func (e *edge) see(first, last int64, c *clock, window int64) {
	regular := e.regular()
	e.heal(c)
	switch {
	case window > 0 && last-e.last > window:
		e.first = first
	case window == 0 || e.last-first <= window:
		e.first = min(e.first, first)
	}
	e.last = max(e.last, last)
	if regular && !e.regular() {
		e.first = e.last - regularAfter
	}
}

package graphbuf

import (
	"math"
	"time"
)

// clock is the time of the newest event that is believed, and what of an edge's age it stands for. It
// follows the rule of the package comment.
type clock struct {
	now   int64 // newest time that is believed
	begun bool  // there was an event
	lived int64 // nanoseconds: the steps of now, each counted as step at most, less a part of a day
	leap  int64 // beyond it a step ahead is doubted, and an event behind is old
	step  int64
	unit  int64 // of the ages that edges carry

	trusted bool // no step ahead is doubted
	// Of the doubted stretch of time: its first and newest event, the time for which the first was taken, and how many
	// events it had; each event that is not ahead takes back settleAgainst of them.
	from, newest, base int64
	doubted            int
}

const (
	// settleEvents is how many events a jump ahead has to last until it is believed.
	settleEvents = 4096
	// settleAgainst is how many of these an event of the time before the jump takes back: two senders, one of
	// them with a wrong clock, do not turn the clock, and a few late records do not hold it up.
	settleAgainst = 4

	leastLeap   = int64(24 * time.Hour)
	leapForever = int64(30*24*time.Hour) / 4 // where nothing goes for its age

	ageBits = 10 // an age is known to so many bits of the window
)

func newClock(window time.Duration, trusted bool) clock {
	c := clock{trusted: trusted}
	if window == 0 {
		c.leap, c.unit = leapForever, int64(time.Second)
		c.step = c.leap
		return c
	}
	c.leap, c.unit = max(int64(window)/4, leastLeap), max(int64(window)>>ageBits, 1)
	// A short window is over after a pause of two; with longer steps the ages would be too large for their bits.
	c.step = min(c.leap, 2*min(max(int64(window), 1), math.MaxInt64/2))
	return c
}

// since is how long t lies before now: negative when it comes later, and the longest time there is instead of more.
func since(now, t int64) int64 {
	d := now - t
	if now >= t && d < 0 {
		return math.MaxInt64
	}
	if now < t && d >= 0 {
		return math.MinInt64
	}
	return d
}

// see takes the time of an event and returns the time that it counts for, and whether that is of the past.
func (c *clock) see(t int64) (at int64, old bool) {
	if !c.begun {
		c.believe(t)
		return t, false
	}
	behind := since(c.now, t)
	switch {
	case behind > c.leap:
		return t, true
	case behind >= -c.leap:
		if c.doubted > 0 {
			c.doubted = max(0, c.doubted-settleAgainst)
		}
	case !c.trusted && !c.settle(t):
		t = c.doubt(t)
	}
	c.believe(t)
	return t, false
}

// settle takes the time of an event after a jump ahead and tells whether there were enough of them.
func (c *clock) settle(t int64) bool {
	if c.doubted == 0 || since(c.from, t) > c.leap || since(t, c.newest) > c.leap { // another stretch
		c.from, c.base, c.doubted = t, c.now, 0
	}
	c.newest = max(c.newest, t)
	if c.doubted == 0 {
		c.newest = t
	}
	if c.doubted++; c.doubted < settleEvents {
		return false
	}
	c.doubted = 0
	return true
}

// doubt returns for what an event after a jump ahead is taken: as if the jump had not been. Logs are rarely in order, so
// that some events of a stretch lie before its first one; they count for the same time.
func (c *clock) doubt(t int64) int64 {
	if since(t, c.from) > c.leap {
		c.from, c.base = t, c.now
	}
	return add(c.base, max(0, t-c.from))
}

// believe moves the clock ahead to t.
func (c *clock) believe(t int64) {
	if !c.begun {
		c.now, c.begun = t, true
		c.lived = livedUnit + (t%livedUnit+livedUnit)%livedUnit
		return
	}
	if t > c.now {
		c.lived += c.counted(since(t, c.now))
		c.now = t
	}
}

// counted is for how much a step ahead counts. From a long step whole days are cut, so that buckets of half a day still
// begin at midnight.
func (c *clock) counted(step int64) int64 {
	over := step - c.step
	if over <= 0 {
		return step
	}
	if c.step < 2*day {
		return c.step
	}
	return c.step - (day-over%day)%day
}

// add adds a time that is not negative, and stays at the last moment there is.
func add(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// stamp is what an edge carries that was last seen such a time ago. What is older than half of the ages that there are
// room for counts as that old: it may grow as old again until it would count as new.
func (c *clock) stamp(age int64) uint32 {
	return uint32(c.lived/c.unit) - uint32(min(max(age, 0)/c.unit, math.MaxInt32/2))
}

// age is how long ago an edge was last seen, by its stamp.
func (c *clock) age(stamp uint32) int64 {
	return int64(max(int32(uint32(c.lived/c.unit)-stamp), 0)) * c.unit
}

// lateness is how many events came, of late, and how many of these lay more than a day behind the graph's time. Where
// nobody else checks them, whoever dates his events back could make a name of today one of last month. Where the graph is
// fed with logs of before, in any order, hardly any name would be as old as it is if that was not believed.
type lateness struct {
	all, late uint64
	halved    int64 // what the clock had lived when both were last halved
}

// lateShare is one in how many events has to be late for their times to be believed.
const lateShare = 8

// count takes in n events. A leap later they count half.
func (l *lateness) count(n uint64, late bool, c *clock) {
	if passed := c.lived - l.halved; passed >= c.leap {
		by := passed / c.leap
		l.all, l.late, l.halved = l.all>>min(by, 63), l.late>>min(by, 63), l.halved+by*c.leap
	}
	l.all += n
	if late {
		l.late += n
	}
}

// usual tells whether so many are late that a graph's names are as old as their events say.
func (l *lateness) usual() bool { return l.late*lateShare > l.all }

package filter

import (
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// clock is the filter's own time. The machine's clock may be wrong at the start, jump, and be put right; so may the
// clocks of the machines whose records come. The filter's clock begins with the machine's, unless that differs by more
// than a leap of the graph from the newest record learned before the start: then it goes on from that record, unless the
// machine's clock said the same when the graph was saved, and was not doubted then. While the
// filter runs, its clock goes by the time that passes, which setting a clock does not change. It follows the machine's
// clock as long as the two are within a leap of each other. Beyond that the machine's is doubted; if it lies ahead, and
// stays there for settleClock without another jump, it is believed. The filter's own clock never goes back by more than
// a leap.
//
// All fields are atomic or set at the start, so that records wait for nothing. Two records at the same moment may both
// notice a jump; what they store differs by the time between their two looks.
type clock struct {
	read func() (wall, passed int64) // the machine's clock, unix nanoseconds, and the time since some moment
	leap int64

	offset atomic.Int64 // of the filter's own time from the time that passed
	unsure atomic.Bool  // nothing vouches for the time at which it began
	// Since when, and from which offset, the machine's clock is doubted; 0: it is not.
	since, other atomic.Int64
	moved        atomic.Uint64 // records whose time was not believed
	movedFrom    atomic.Int64  // the time in the last of them
}

const (
	// FarFuture is how far a record's time may lie ahead of the clock and be believed.
	FarFuture = 24 * time.Hour
	// settleClock is for how long the machine's clock is doubted after a jump ahead, or when it is ahead of what was
	// learned before the start by more than a leap.
	settleClock = 24 * time.Hour
)

// What a clock says before and after these is not believed where there is anything else to go by.
var (
	earliest = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
)

func likely(wall int64) bool { return wall >= earliest && wall < latest }

// machineClock reads the time and the clock that nobody sets.
func machineClock() func() (wall, passed int64) {
	start := time.Now()
	return func() (int64, int64) {
		now := time.Now()
		return now.UnixNano(), int64(now.Sub(start))
	}
}

// lastWritten is what the machine's clock said when the graph was last saved, unix nanoseconds, 0 where that is
// not known, and since when it was doubted then, 0 where it was not.
type lastWritten struct{ at, doubted int64 }

// begin sets the clock, by the newest event that was learned before (0: none), and when that was saved.
func (c *clock) begin(newest int64, saved lastWritten) {
	wall, passed := c.read()
	own := wall
	switch steady := wall > newest && likely(wall) && c.near(wall, saved.at); {
	case newest > 0 && !c.near(wall, newest) && steady && saved.doubted == 0:
		// It has not jumped. It is the records that are old: those of a log that was learned, or none came since.
	case newest > 0 && !c.near(wall, newest):
		own = newest
		if steady && saved.doubted <= wall { // it is doubted for as long as it was before the start
			c.other.Store(wall - passed)
			c.since.Store(passed - (wall - saved.doubted))
		}
	case newest <= 0 && !likely(wall):
		c.unsure.Store(true)
		if wall <= 0 || wall >= latest {
			own = earliest
		}
	}
	c.offset.Store(own - passed)
}

// near tells whether two times are within a leap of each other.
func (c *clock) near(a, b int64) bool { return a-b <= c.leap && b-a <= c.leap && (a < 0) == (b < 0) }

// times are the clocks at one moment.
type times struct {
	own, wall int64
	agree     bool
}

// now reads both clocks.
func (c *clock) now() times {
	wall, passed := c.read()
	offset, own := wall-passed, passed+c.offset.Load()
	if c.near(wall, own) {
		c.offset.Store(offset)
		c.since.Store(0)
		return times{wall, wall, true}
	}
	if c.since.Load() == 0 || !c.near(offset, c.other.Load()) {
		c.other.Store(offset)
		c.since.Store(passed + 1)
	}
	if wall > own && likely(wall) && (c.unsure.Load() || passed-c.since.Load() >= int64(settleClock)) {
		c.offset.Store(offset)
		c.since.Store(0)
		c.unsure.Store(false)
		return times{wall, wall, true}
	}
	return times{own, wall, false}
}

// doubtedSince returns since when, by the machine's clock, that is doubted, unix nanoseconds; 0: it is not.
func (c *clock) doubtedSince() int64 {
	if n := c.now(); !n.agree {
		wall, passed := c.read()
		return wall - (passed - c.since.Load())
	}
	return 0
}

// believed returns the time for which a record at t counts. newest is that of the newest record so far.
func (c *clock) believed(n *times, t, newest int64) int64 {
	switch {
	case t <= 0: // it has none
		return n.own
	case t <= n.own+int64(FarFuture) && (n.agree || t >= n.own-c.leap):
		return t
	case !n.agree && n.wall > 0 && max(t, n.wall)-min(t, n.wall) <= int64(FarFuture): // it has the machine's time
		return c.move(t, n.own+min(t-n.wall, 0))
	case t < n.own:
		return t
	case !n.agree && likely(n.wall) && t <= n.wall && t-newest <= c.leap: // what came while the filter did not run
		return t
	}
	return c.move(t, n.own)
}

// wrongStart tells whether the first of the events, which come from a log, has a time that most of the others contradict
// by lying more than a leap before it, and by which of them to begin instead. All of them would be of the past otherwise,
// and what is older than the window not learned. Where times fall little by little, the log has its newest record first,
// and no time is wrong.
func (c *clock) wrongStart(events []graphbuf.Event) (begin int64, wrong bool) {
	before := func(i, j int) bool { return events[i].Time < events[j].Time && !c.near(events[i].Time, events[j].Time) }
	for start := 0; start < len(events); {
		n, fall := 0, 0 // events long before the first, and the first that is long before its neighbour
		for i := start + 1; i < len(events); i++ {
			if before(i, start) {
				n++
			}
			if fall == 0 && before(i, i-1) {
				fall = i
			}
		}
		if 2*n <= len(events)-start-1 {
			return events[start].Time, start > 0
		}
		if fall == 0 {
			break
		}
		start = fall
	}
	return 0, false
}

// move counts a record at t that is taken for another time.
func (c *clock) move(t, to int64) int64 {
	c.moved.Add(1)
	c.movedFrom.Store(t)
	return to
}

// ofLog is believed for a log that is read without regard to when it was written: its own times count.
func (c *clock) ofLog(wall, t, newest int64) int64 {
	if t > 0 && (t-int64(FarFuture) <= wall || !likely(wall)) {
		return t
	}
	if newest <= 0 {
		newest = wall
	}
	if t <= 0 {
		return newest
	}
	return c.move(t, newest)
}

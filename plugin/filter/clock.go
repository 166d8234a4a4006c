package filter

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// clock is the filter's own time. The machine's clock may be wrong at the start, jump, and be put right; so may those
// of the machines whose records come. The filter's begins with the machine's, unless the newest record that was learned
// before the start says otherwise: then it goes on from that one. While the filter runs it goes by the time
// that passes, which no clock that is set changes. It follows the machine's as long as both are within a leap of the graph of
// each other. Beyond that the machine's is doubted; when it lies ahead and has done so for settleClock without another
// jump, it is believed. The filter's own clock never goes back by more than a leap.
type clock struct {
	read func() (wall, passed int64) // the machine's clock, unix nanoseconds, and the time since some moment
	leap int64

	offset atomic.Int64 // of the filter's own time from the time that passed
	unsure atomic.Bool  // nothing vouches for the time at which it began
	// Since when, and from which offset, the machine's clock is doubted; 0: it is not.
	since, other atomic.Int64
	moved        atomic.Uint64 // records whose time was not believed
	movedFrom    atomic.Int64  // that of the last of them
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

// begin sets the clock, by the newest event that was learned before (0: none).
func (c *clock) begin(newest int64) {
	wall, passed := c.read()
	own := wall
	switch {
	case newest > 0 && !c.near(wall, newest):
		own = newest
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

// said is what of times that are not believed was said already.
type said struct {
	doubted bool
	records uint64
	at      time.Time
	// Records that wait to be said, and since when.
	waiting uint64
	noticed time.Time
}

const (
	// sayAgain is how often records with wrong times may be worth a line in the log.
	sayAgain = time.Hour
	// sayAfter is for how long such a line may wait for more of them.
	sayAfter = 10 * time.Second
)

// sayTimes logs that the machine's clock is doubted, once until it agrees again, and that records have
// times that are not believed, once an hour at most.
func (f *Instance) sayTimes(closing bool) {
	f.saidMu.Lock()
	defer f.saidMu.Unlock()
	st, s := f.graph.Stats(), &f.said
	date := func(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339) }
	if f.live {
		n := f.clock.now()
		if n.agree && s.doubted {
			f.host.Log(LevelInfo, fmt.Sprintf("clock: the machine's, at %s, and the filter's own agree again", date(n.wall)))
		}
		if !n.agree && !s.doubted {
			next := "set it right; records that go by it count for the filter's own time meanwhile"
			level := LevelWarn
			if n.wall > n.own && likely(n.wall) {
				next = fmt.Sprintf("after a pause of this filter that is as it should be, otherwise set it right. Records count for the "+
					"filter's own time until the machine's has stayed for %v", settleClock)
				level = LevelInfo
			}
			f.host.Log(level, fmt.Sprintf("clock: the machine's says %s, the filter's own, which goes on from the newest record learned, says %s: %s", date(n.wall), date(n.own), next))
		}
		s.doubted = !n.agree
	}
	records := f.wrongTimes(&st)
	if records == s.records || !s.at.IsZero() && !closing && time.Since(s.at) < sayAgain {
		return
	}
	if s.waiting == 0 {
		s.noticed = time.Now()
	}
	if records != s.waiting && !closing && time.Since(s.noticed) < sayAfter {
		s.waiting = records
		return
	}
	s.waiting = 0
	var which []string
	if n, t := f.clock.moved.Load(), f.clock.movedFrom.Load(); n+st.Doubted > 0 {
		if n == 0 {
			t = st.DoubtedTime
		}
		which = append(which, fmt.Sprintf("%d with one that is not believed, the last of them %s", n+st.Doubted, date(t)))
	}
	if st.Old > 0 {
		which = append(which, fmt.Sprintf("%d long past, the last of them %s", st.Old, date(st.OldTime)))
	}
	f.host.Log(LevelWarn, fmt.Sprintf("%d records with wrong or old times: %s; the newest learned is of %s. They are scored and counted, "+
		"and no connection is forgotten for them; unless they are an old log, set the clock of their sender right", records, strings.Join(which, ", "), date(st.Now)))
	s.records, s.at = records, time.Now()
}

// wrongTimes is how many records had times that were not believed or long past.
func (f *Instance) wrongTimes(st *graphbuf.Stats) uint64 {
	return f.clock.moved.Load() + st.Old + st.Doubted
}

// alertTime is the time for which an alert counts: in a live filter no record can choose it.
func (f *Instance) alertTime(own int64, ref *graphbuf.Ref) int64 {
	if f.live {
		return min(ref.Now, own)
	}
	return max(ref.Time, 0)
}

package filter

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"flb-filter-rgcn/plugin/outage"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

// readTimes are the forms in which a time in a record is read.
const readTimes = "seconds (or milli-, micro- or nanoseconds) since 1970, ISO 8601 (2026-08-31T10:00:00Z) or syslog's form (Aug 31 10:00:00)"

// shownTime is how much of a time that cannot be read is quoted, in bytes. A time is shorter; a field that holds
// something else has no more of it in the log.
const shownTime = 40

// unreadTime is what stands in a record's field for the time and cannot be read.
type unreadTime struct {
	field string
	value [shownTime + 1]byte // its beginning; the last byte tells that there is more
	size  int                 // of that; -1: it is no text
}

// take keeps what stands in the record that the walker has reached, or in the row that it holds.
func (u *unreadTime) take(w *record.Walker, b *triplet.Buffer) {
	var value []byte
	if w.Event().Unread {
		u.field, value = w.UnreadTime()
	} else {
		u.field, value = b.UnreadTime()
	}
	if u.size = -1; value != nil {
		u.size = copy(u.value[:], value)
	}
}

// String is the value in texts. It comes from outside: quoted and cut.
func (u *unreadTime) String() string {
	if u.size < 0 {
		return "a list, an object or the like"
	}
	value, more := u.value[:u.size], ""
	if len(value) > shownTime {
		n := shownTime
		for n > shownTime-utf8.UTFMax && !utf8.RuneStart(value[n]) {
			n--
		}
		value, more = value[:n], "..."
	}
	quoted := strconv.Quote(string(value))
	return quoted[:len(quoted)-1] + more + `"`
}

// What is known of the times of records.
const (
	timesUnknown = iota // too few came
	timesNone           // it was logged that none of the first has one
	timesSome           // one has, or needs none
)

// checkTimes warns once if none of the first records has a time where the settings look for one, and otherwise of those
// among them whose time is there and cannot be read. Lines of sshd are exempt from the first: most have no such field, and
// the time that the input gave them counts.
func (f *fit) checkTimes(t *totals, now time.Time) {
	c, unreadable := &f.cfg.Fields, f.counters.unread.Load()
	switch seen := f.timesSeen.Load(); {
	case seen == timesSome:
	case t.timed || len(c.Time) == 0 || c.SSHD:
		if f.timesSeen.Swap(timesSome) == timesNone { // that is about those before this chunk, too
			f.unreadable.told.Store(unreadable - t.unread)
		}
	case seen == timesNone || f.untimed.Add(t.counted) < fitPeriod || !f.timesSeen.CompareAndSwap(timesUnknown, timesNone):
		return
	default:
		where, remedy := "", ""
		if unreadable > 0 {
			last := f.unreadable.last()
			where, remedy = fmt.Sprintf(", where one has %s in %s", last.String(), last.field), ", or have it written as "+readTimes
		}
		f.warn(Warning{About: AboutTimes, What: fmt.Sprintf("none of the first %d records has a time that can be read in %s%s, so the time that the input gave each of them counts",
			f.untimed.Load(), strings.Join(c.Time, " or "), where), Remedy: "set Time to the field that has it" + remedy})
		return
	}
	if f.timesSeen.Load() == timesSome && unreadable > 0 {
		f.logUnreadable(now)
	}
}

// unreadableTimes tell of records whose time cannot be read, so that it is the input's that counts: in a live filter they
// are of now, and the records beside them, whose times are right, look old.
type unreadableTimes struct {
	told atomic.Uint64 // of those that are counted

	mu      sync.Mutex // guards all below; held for moments, once a chunk that has one
	since   time.Time  // when the first came
	example unreadTime // of the last chunk
	lines   outage.Outage
}

// note takes note of a chunk with such records.
func (u *unreadableTimes) note(example *unreadTime, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.since.IsZero() {
		u.since = now
	}
	u.example = *example
}

// last is the example of the last chunk.
func (u *unreadableTimes) last() unreadTime {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.example
}

// due tells whether the log is to tell of n such records now, and counts that as done.
func (u *unreadableTimes) due(n uint64, now time.Time) (example unreadTime, due bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n <= u.told.Load() || !u.lines.Failed(now) {
		return example, false
	}
	u.told.Store(n)
	return u.example, true
}

// waited tells whether the first came so long ago.
func (u *unreadableTimes) waited(now time.Time, least time.Duration) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.since.IsZero() && now.Sub(u.since) >= least
}

// logUnreadable warns that records have times that cannot be read: at once, and then at intervals that double from a
// minute to a day while more of them come.
func (f *fit) logUnreadable(now time.Time) {
	n := f.counters.unread.Load()
	if n <= f.unreadable.told.Load() {
		return
	}
	example, due := f.unreadable.due(n, now)
	if !due {
		return
	}
	have := "records have"
	if n == 1 {
		have = "records has"
	}
	f.warn(Warning{About: AboutUnread, What: fmt.Sprintf("%d of %d %s a time in %s that cannot be read, such as %s, so the time that the input gave counts instead",
		n, f.counters.counted.Load(), have, example.field, example.String()),
		Remedy: "unless the input's parser has read it already, have the sender, or a filter in front of this one, write " + readTimes})
}

// logUnreadableAfter is logUnreadable where too few records came to tell whether any has a time, once the first of those
// whose time cannot be read has waited for so long.
func (f *fit) logUnreadableAfter(least time.Duration, now time.Time) {
	if f.counters.unread.Load() == 0 || !f.unreadable.waited(now, least) {
		return
	}
	f.timesSeen.CompareAndSwap(timesUnknown, timesSome)
	if f.timesSeen.Load() == timesSome {
		f.logUnreadable(now)
	}
}

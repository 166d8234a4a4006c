package filter

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// timeLog logs what is wrong with times, and not again what it has logged.
type timeLog struct {
	*common
	clock    *clock
	counters *counters

	mu      sync.Mutex // guards all below
	doubted bool       // the last line on the machine's clock said that it is doubted
	logged  uint64     // records with wrong times, as of the last line on them
	at      time.Time  // when that line was
	waiting uint64     // records that wait for a line
	noticed time.Time  // since when
}

const (
	// logAgain is the least time between two lines on records with wrong times.
	logAgain = time.Hour
	// logAfter is for how long such a line waits for more of them.
	logAfter = 10 * time.Second
)

// log logs that the machine's clock is doubted, once until it agrees again, and that records have times that are not
// believed, once an hour at most, and at the end.
func (l *timeLog) log(closing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.graph.Stats()
	if l.live {
		n := l.clock.now()
		if n.agree && l.doubted {
			l.logf(LevelInfo, "clock: the machine's clock, at %s, and the filter's own agree again", date(n.wall))
		}
		if !n.agree && !l.doubted {
			level := LevelWarn
			if n.settles() {
				level = LevelInfo
			}
			l.host.Log(level, n.doubt())
		}
		l.doubted = !n.agree
	}
	records := l.clock.wrongTimes(&st)
	if l.doubted && !closing { // it may be the machine's clock alone that is wrong, which was said
		return
	}
	if records == l.logged || !l.at.IsZero() && !closing && time.Since(l.at) < logAgain {
		return
	}
	if l.waiting == 0 {
		l.noticed = time.Now()
	}
	if records != l.waiting && !closing && time.Since(l.noticed) < logAfter {
		l.waiting = records
		return
	}
	l.waiting = 0
	var which []string
	if n, t := l.clock.moved.Load(), l.clock.movedFrom.Load(); n+st.Doubted > 0 {
		if n == 0 {
			t = st.DoubtedTime
		}
		which = append(which, fmt.Sprintf("%d not believed, the last of them %s", n+st.Doubted, date(t)))
	}
	if st.Old > 0 {
		which = append(which, fmt.Sprintf("%d long past, the last of them %s", st.Old, date(st.OldTime)))
	}
	outside := ""
	if st.Outside > 0 {
		outside = fmt.Sprintf(", but not learned where they are older than the window and their connection is not known: %d", st.Outside)
	}
	noun := "records"
	if records == 1 {
		noun = "record"
	}
	remedy := "unless they are from an old log, or came while the machine's clock was doubted, set the clock of their sender right"
	if n := l.counters.unread.Load(); n > 0 {
		remedy = fmt.Sprintf("first see to the times that cannot be read (%d): what the input gave instead may lie long after the other records' times, which look old then; ", n) + remedy
	}
	l.warn(Warning{What: fmt.Sprintf("%d %s with wrong or old times: %s; the newest record learned is of %s. They are scored and counted%s, and "+
		"no connection is forgotten because of them", records, noun, strings.Join(which, ", "), date(st.Now), outside),
		Remedy: remedy})
	l.logged, l.at = records, time.Now()
}

func date(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339) }

// settles tells that the machine's clock, which is doubted, will be believed if it stays as it is.
func (n *times) settles() bool { return n.wall > n.own && likely(n.wall) }

// doubt tells that the machine's clock is doubted, what that does, and what to do about it.
func (n *times) doubt() string {
	next := "set the machine's clock right; until then"
	if n.settles() {
		next = fmt.Sprintf("this is normal after the filter was stopped for long, otherwise set the machine's clock right; until that has been steady for %v", settleClock)
	}
	return fmt.Sprintf("clock: the machine's clock says %s, the filter's own, which goes on from the newest record learned, says %s; %s its "+
		"records get the filter's own time, and dates in Allow and in the evidence go by that", date(n.wall), date(n.own), next)
}

// problem tells for /healthz that the machine's clock is doubted, "" where it is not.
func (l *timeLog) problem() string {
	if n := l.clock.now(); l.live && !n.agree {
		return n.doubt()
	}
	return ""
}

// wrongTimes is how many records had times that were not believed or long past.
func (c *clock) wrongTimes(st *graphbuf.Stats) uint64 {
	return c.moved.Load() + st.Old + st.Doubted
}

package filter

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/plugin/record"
)

const (
	// fitPeriod is how many records are judged together, and fitShare the share of them that has to be understood.
	fitPeriod = 100
	fitShare  = 0.05
	// fitGrowth is by how much the number of records grows from one warning of a misfit to the next, and fitPause the
	// least time. A misfit that begins anew is logged after fitShortPause, and twice as long each time, up to fitPause.
	fitGrowth     = 10
	fitPause      = time.Hour
	fitShortPause = time.Minute
	// fitLook is the least time between two looks at what is wrong.
	fitLook = time.Second
	// fitPatience is how long a few records that are not understood wait for a period to be full.
	fitPatience = time.Minute
	// maxSample is the size of the largest record that is looked at, in bytes.
	maxSample = 64 << 10
)

// fit tells whether the records are those that the settings speak of. Records are judged in periods; what it logs, it
// logs once, or again after ten times as many records and at least an hour, or when it begins anew.
type fit struct {
	*common
	counters *counters

	added             []string      // names of fields that the filter writes; of the record path
	overwrittenLogged atomic.Bool   // that fields of records are replaced
	columnsLogged     atomic.Bool   // that the columns of rows have changed
	leftOutLogged     atomic.Bool   // that no record fulfils the conditions
	untimed           atomic.Uint64 // counted records while none had a time of its own
	timesChecked      atomic.Bool   // a record had, or it was logged that none has

	mu               sync.Mutex // guards all below; held for moments, once a chunk
	records, counted uint64     // of the period
	total            uint64
	sample           []byte        // a record of the period that was not understood; empty: none small enough came
	since            time.Time     // when the first that was not understood came, zero while there was none
	logged           bool          // the log's last word is that of a misfit
	warnAt           uint64        // total at which it is logged again
	warned           time.Time     // when it was last logged
	pause            time.Duration // before one that begins anew is logged
	looked           time.Time     // when why was found out
	why              string        // of a misfit; "" while most records are understood
	lastWhy          string        // of the last one
}

func (f *fit) init(c *common, counters *counters) { f.common, f.counters = c, counters }

// leftOut is the problem that no record so far fulfils the conditions, "" if one does or too few records came to tell.
func (f *fit) leftOut() string {
	skipped, c := f.counters.skipped.Load(), &f.cfg.Fields
	if len(c.Only) == 0 || skipped < fitPeriod || f.counters.counted.Load() > 0 {
		return ""
	}
	return fmt.Sprintf("none of %d records fulfils the conditions of Only (%s), so none gets a score; set Only to what these records have, or Preset to another",
		skipped, c.Conditions())
}

// logLeftOut logs that once.
func (f *fit) logLeftOut() {
	if f.leftOutLogged.Load() {
		return
	}
	if why := f.leftOut(); why != "" && !f.leftOutLogged.Swap(true) {
		f.statusChanged.Store(true)
		f.host.Log(LevelWarn, why)
	}
}

// add counts a chunk's records, of which event, unless nil, is one that was not understood, and reports whether the
// period is full.
func (f *fit) add(records, counted uint64, event []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records += records
	f.counted += counted
	f.total += records
	if len(event) > 0 && f.since.IsZero() {
		f.since = time.Now()
	}
	if len(f.sample) == 0 && len(event) <= maxSample {
		f.sample = append(f.sample, event...)
	}
	return f.records >= fitPeriod
}

// waits reports whether records that were not understood have waited for long enough.
func (f *fit) waits(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.since.IsZero() && now.Sub(f.since) >= fitPatience
}

// problem is why records are not understood, "" while they are.
func (f *fit) problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}

// endPeriod judges the records of the period and begins another, if there are at least so many. Two calls may have seen
// the same full period: the second of them finds a new one and leaves it alone.
func (f *fit) endPeriod(least uint64) {
	f.mu.Lock()
	if f.records < least {
		f.mu.Unlock()
		return
	}
	now := time.Now()
	records, counted := f.records, f.counted
	misfit, was := records > 0 && float64(counted) < fitShare*float64(records), f.why != ""
	warn, recovered := false, f.logged && records > 0 && !misfit
	switch ago := now.Sub(f.warned); {
	case !misfit:
	case f.logged:
		warn = f.total >= f.warnAt && ago >= fitPause
	default:
		warn = ago >= f.pause
	}
	if warn {
		f.logged, f.warnAt, f.warned = true, f.total*fitGrowth, now
		f.pause = min(max(2*f.pause, fitShortPause), fitPause)
	}
	if recovered {
		f.logged = false
	}
	var sample []byte
	look := warn || misfit && !was && now.Sub(f.looked) >= fitLook
	if look {
		f.looked, sample = now, bytes.Clone(f.sample)
	}
	if records > 0 {
		f.why = ""
		if misfit {
			f.why = f.lastWhy
		}
	}
	changed := (f.why != "") != was
	f.records, f.counted, f.sample, f.since = 0, 0, f.sample[:0], time.Time{}
	f.mu.Unlock()
	why := ""
	if look {
		why = fmt.Sprintf("%d of the last %d records have a source and a destination, so hardly any gets a score. %s",
			counted, records, f.explain(sample))
		f.mu.Lock()
		f.why, f.lastWhy = why, why
		f.mu.Unlock()
	}
	if look || changed {
		f.statusChanged.Store(true)
	}
	if warn {
		f.host.Log(LevelWarn, why)
	}
	if recovered {
		f.logf(LevelInfo, "records are understood again: %d of the last %d have a source and a destination", counted, records)
	}
}

// checkTimes warns once if none of the first records has a time where the settings look for one. Lines of sshd are
// exempt: most have no such field, and the time that the input gave them counts.
func (f *fit) checkTimes(timed bool, counted uint64) {
	c := &f.cfg.Fields
	if f.timesChecked.Load() {
		return
	}
	if timed || len(c.Time) == 0 || c.SSHD {
		f.timesChecked.Store(true)
		return
	}
	if n := f.untimed.Add(counted); n >= fitPeriod && !f.timesChecked.Swap(true) {
		f.logf(LevelWarn, "none of the first %d records has a time that can be read in %s, so the time that the input gave each of them counts; "+
			"set Time to the field that has it", n, strings.Join(c.Time, " or "))
	}
}

// logOverwritten warns once that records come with fields that the filter writes, as one of them does.
func (f *fit) logOverwritten(event []byte) {
	if f.overwrittenLogged.Swap(true) {
		return
	}
	c := &f.cfg.Fields
	body, err := record.Body(event)
	var hit, remedies []string
	named, explained := false, false
	for _, name := range f.added {
		if _, is := body[name]; is && err == nil {
			hit = append(hit, strconv.Quote(name))
			is = name == c.Score || name == c.LowScore || name == c.SourceAlert
			named, explained = named || is, explained || !is
		}
	}
	if named || len(hit) == 0 {
		remedies = append(remedies, "set Score, Low_Score and Source_Alert to other names to keep theirs")
	}
	if explained {
		remedy := "set Field_Style ecs, with which those of Explain are rgcn.reason and so on, or Explain Off"
		if f.cfg.FieldStyle == "ecs" {
			remedy = "set Explain Off"
		}
		remedies = append(remedies, remedy)
	}
	f.logf(LevelWarn, "records come with fields of their own (%s), which this filter replaces by its own, or takes out where it has none; %s",
		strings.Join(hit, ", "), strings.Join(remedies, "; "))
}

// logColumns warns once that the columns of rows under a tag are others than before.
func (f *fit) logColumns(tag []byte) {
	if f.columnsLogged.Swap(true) {
		return
	}
	f.logf(LevelWarn, "a header (#fields) under the tag %q has other columns than the one before; rows are read by the last header under their tag, so give each log "+
		"that is read at the same time a tag of its own (Tag ssh.* and Path of tail); if there is one log alone, its layout has changed and all is well", tag)
}

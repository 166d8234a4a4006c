package filter

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// fitPeriod is how many records are judged together, and fitShare the share of them that have to be
	// understood.
	fitPeriod = 100
	fitShare  = 0.05
	// fitGrowth is by how much the number of records grows from one warning to the next.
	fitGrowth = 10
	// fitPatience is how long a few records that are not understood wait for others to be judged with.
	fitPatience = time.Minute
	// longestSample is the size of a record that is looked at, in bytes.
	longestSample = 64 << 10
)

// fit tells whether the records are those that the settings speak of.
type fit struct {
	mu               sync.Mutex
	records, counted uint64 // of the period
	total            uint64
	sample           []byte    // a record of the period that was not understood, empty while there was none of a size to look at
	since            time.Time // when the first that was not understood came, zero while there was none
	warnAt           uint64    // total at which a misfit is said again
	said             string    // of the last misfit that was said
	why              string    // of a misfit; "" while most records are understood
}

// leftOut says that no record so far fulfils the conditions, "" if one does or too few records came to tell.
func (f *Instance) leftOut() string {
	skipped, c := f.counters.skipped.Load(), &f.cfg.Fields
	if len(c.Only) == 0 || skipped < fitPeriod || f.counters.counted.Load() > 0 {
		return ""
	}
	return fmt.Sprintf("none of %d records fulfils the conditions of Only (%s), so none gets a score; set Only to what these records have, or Preset to another",
		skipped, c.Conditions())
}

// sayLeftOut logs that once.
func (f *Instance) sayLeftOut() {
	if why := f.leftOut(); why != "" && !f.saidLeftOut.Swap(true) {
		f.staleStatus.Store(true)
		f.host.Log(LevelWarn, why)
	}
}

// add counts a chunk's records, of which event, unless nil, is one that was not understood, and reports
// whether the period is over.
func (f *fit) add(records, counted uint64, event []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records += records
	f.counted += counted
	f.total += records
	if len(event) > 0 && f.since.IsZero() {
		f.since = time.Now()
	}
	if len(f.sample) == 0 && len(event) <= longestSample {
		f.sample = append(f.sample, event...)
	}
	return f.records >= fitPeriod
}

// waits reports whether records of a period that goes on and on wait to be judged.
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

// judgeFit ends a period of the fit, however few its records are.
func (f *Instance) judgeFit() {
	t := &f.fit
	t.mu.Lock()
	records, counted := t.records, t.counted
	misfit := records > 0 && float64(counted) < fitShare*float64(records)
	was, say := t.why != "", misfit && t.total >= t.warnAt
	var sample []byte
	if say {
		t.warnAt = t.total * fitGrowth
		sample = bytes.Clone(t.sample)
	}
	if records > 0 {
		t.why = "" // or what was said before, as long as it holds again without being worth another line
		if misfit {
			t.why = t.said
		}
	}
	t.records, t.counted, t.sample, t.since = 0, 0, t.sample[:0], time.Time{}
	t.mu.Unlock()
	switch {
	case say:
		why := fmt.Sprintf("%d of the last %d records have a source and a destination, so hardly any gets a score. %s", counted, records, f.explainMisfit(sample))
		t.mu.Lock()
		t.why, t.said = why, why
		t.mu.Unlock()
		f.staleStatus.Store(true)
		f.host.Log(LevelWarn, why)
	case was && records > 0 && !misfit:
		f.staleStatus.Store(true)
		f.host.Log(LevelInfo, fmt.Sprintf("records are understood again: %d of the last %d have a source and a destination", counted, records))
	}
}

// judgeTimes warns once if none of the first records has a time where the settings look for one. Lines of sshd are
// exempt: most have no such field, and the time that the input gave them counts.
func (f *Instance) judgeTimes(timed bool, counted uint64) {
	c := &f.cfg.Fields
	if f.timesJudged.Load() {
		return
	}
	if timed || len(c.Time) == 0 || c.SSHD {
		f.timesJudged.Store(true)
		return
	}
	if n := f.untimed.Add(counted); n >= fitPeriod && !f.timesJudged.Swap(true) {
		f.host.Log(LevelWarn, fmt.Sprintf("none of the first %d records has a time that can be read in %s, so the time that the input gave each of them counts; "+
			"set Time to the field that has it", n, strings.Join(c.Time, " or ")))
	}
}

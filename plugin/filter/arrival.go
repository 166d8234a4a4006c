package filter

import (
	"fmt"
	"time"
)

// arrival is whether records come at all. A Match that fits no tag is no error to the host, so that nothing else would
// tell of it.
type arrival struct {
	*common
	counters *counters
	start    time.Time // by the clock that nobody sets, too
	learned  bool      // by an earlier run, so that the settings did fit

	// These two are of the goroutine that does the upkeep.
	logged bool // that no record came
	came   bool // it was seen that one did
}

const (
	// newSilence is how long a filter that has never learned anything goes without a record until it logs that: its
	// configuration is new, and whoever wrote it may be waiting.
	newSilence = 5 * time.Minute
	// usualSilence is that of a filter that goes on where an earlier one ended: a site may be quiet for a while.
	usualSilence = time.Hour
)

func (a *arrival) init(c *common, counters *counters, start time.Time) {
	a.common, a.counters, a.start = c, counters, start
}

// patience is how long no record may come until that is worth a line.
func (a *arrival) patience() time.Duration {
	if a.learned {
		return usualSilence
	}
	return newSilence
}

// problem is that no record has come, "" if one did or if that is nothing to speak of yet. Where a filter that has
// never learned anything waits, it is the likeliest reason, and is told at once.
func (a *arrival) problem(now time.Time, waits bool) string {
	early := now.Sub(a.start) < a.patience() && (a.learned || !waits)
	if !a.live || a.counters.records.Load() > 0 || early {
		return ""
	}
	return fmt.Sprintf("no record has come since the start at %s UTC: see that Match fits the tag of an input, and that this input reads something "+
		"(rgcn doctor -c looks for both)", a.start.UTC().Format(time.DateTime))
}

// log logs once that no record has come for long, and then that one did. Only the upkeep calls it.
func (a *arrival) log(now time.Time) {
	if a.came || !a.live {
		return
	}
	if a.counters.records.Load() > 0 {
		a.came = true
		if a.logged {
			a.statusChanged.Store(true)
			a.logf(LevelInfo, "the first record has come, %v after the start", now.Sub(a.start).Round(time.Second))
		}
		return
	}
	level := LevelWarn
	if a.learned {
		level = LevelInfo
	}
	if why := a.problem(now, false); why != "" && !a.logged {
		a.logged = true
		a.statusChanged.Store(true)
		a.host.Log(level, why)
	}
}

package filter

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/plugin/allow"
)

// allowList is the list of judged sessions. Its fields are set at the start; the file has a lock of its own.
type allowList struct {
	*common
	clock  *clock
	newest *atomic.Int64 // event time of the newest record so far
	file   *allow.File   // nil: there is none
	loaded atomic.Bool   // some version of the file is in force
}

func (a *allowList) init(c *common, clock *clock, naming allow.Naming, newest *atomic.Int64) {
	a.common, a.clock, a.newest = c, clock, newest
	if c.cfg.Allow != "" {
		a.file = allow.NewFile(c.cfg.Allow, naming)
	}
}

// table is the list as it is now, nil for none.
func (a *allowList) table() *allow.Table {
	if a.file == nil {
		return nil
	}
	return a.file.Table()
}

// now is the time at which lines are in force or not.
func (a *allowList) now() int64 {
	if a.live {
		return a.clock.now().own
	}
	return a.newest.Load()
}

// load reads the list at the start. A live filter starts without a list that has an error, as records come before
// alerts, and looks for a better one from then on.
func (a *allowList) load() error {
	if a.file == nil {
		return nil
	}
	err := a.file.Load()
	switch {
	case err == nil:
		a.loaded.Store(true)
	case a.live:
		a.logf(LevelError, "allow: %v; the filter works, but without the list until the file is right", err)
	default:
		return fmt.Errorf("allow = %q: %w", a.cfg.Allow, err)
	}
	return nil
}

// log tells of the list, once the clock is set: what is expired depends on it.
func (a *allowList) log() {
	if a.file == nil || !a.loaded.Load() {
		return
	}
	s := a.status()
	a.logf(LevelInfo, "allow: %s: %d lines, %d of them expired", s.File, s.Lines, s.Expired)
	now, wide, first := a.now(), 0, ""
	for _, l := range a.file.Table().Lines() {
		if why := l.Wide(); why != "" && !l.Expired(now) {
			if wide++; wide == 1 {
				first = fmt.Sprintf("%d: %s", l.Number, why)
			}
		}
	}
	if wide > 1 {
		first += fmt.Sprintf("; %d more like it", wide-1)
	}
	if wide > 0 {
		a.logf(LevelWarn, "allow: %s:%s", s.File, first)
	}
}

// allowInterval is how often the file of the list is looked at. It is read when it has been left alone for as long.
const allowInterval = time.Second

// reload reads the list again if its file has changed.
func (a *allowList) reload() {
	defer func() {
		if v := recover(); v != nil { // it would end the host
			a.logf(LevelError, "allow: panic: %v; the list stays as it is; please report this", v)
		}
	}()
	tried, err := a.file.Reload()
	if tried {
		a.statusChanged.Store(true)
	}
	switch {
	case err != nil:
		a.logf(LevelWarn, "allow: %v; the list stays as it is", err)
	case tried:
		a.loaded.Store(true)
		a.log()
	}
}

// problem is why the list is not what its file says, "" if it is, or there is none.
func (a *allowList) problem() string {
	if a.file == nil {
		return ""
	}
	switch why := a.file.Problem(); {
	case why == "":
		return ""
	case a.loaded.Load():
		return "the list of judged sessions stays as it was: " + why
	default:
		return "the list of judged sessions is not in force: " + why
	}
}

// maxAllowLines bounds the lines that a status tells of one by one.
const maxAllowLines = 100

// AllowStatus is the state of the list of judged sessions.
type AllowStatus struct {
	File     string      `json:"file"`
	Problem  string      `json:"problem,omitempty"` // why the list is not what the file says
	Lines    int         `json:"lines"`
	Used     int         `json:"used"`      // lines that made a difference since the start
	Expired  int         `json:"expired"`   // lines that are over, by the time of the records
	TopLines []AllowLine `json:"top_lines"` // at most 100: those with the most hits, and then in the order of the file
}

// AllowLine is a line of that list.
type AllowLine struct {
	Line        int    `json:"line"`
	Verdict     string `json:"verdict"` // allow or bad
	Source      string `json:"source"`
	Relation    string `json:"relation"`
	Destination string `json:"destination"`
	From        string `json:"from,omitempty"`  // RFC 3339
	Until       string `json:"until,omitempty"` // RFC 3339
	Note        string `json:"note,omitempty"`
	Expired     bool   `json:"expired"`
	Hits        uint64 `json:"hits"` // sessions since the start that would have had a low score, or of a bad line all
}

// Allow returns the state of the list of judged sessions, nil if there is none.
func (f *Instance) Allow() *AllowStatus { return f.allow.status() }

func (a *allowList) status() *AllowStatus {
	if a.file == nil {
		return nil
	}
	now, lines := a.now(), a.file.Table().Lines()
	s := &AllowStatus{
		File: a.cfg.Allow, Problem: a.file.Problem(), Lines: len(lines), TopLines: make([]AllowLine, 0, len(lines)),
	}
	for _, l := range lines {
		x := AllowLine{
			Line: l.Number, Verdict: l.Verdict.String(), Source: l.Source, Relation: l.Relation, Destination: l.Destination,
			From: allow.FormatTime(l.From), Until: allow.FormatTime(l.Until), Note: l.Note, Expired: l.Expired(now),
			Hits: l.Hits(),
		}
		if x.Hits > 0 {
			s.Used++
		}
		if x.Expired {
			s.Expired++
		}
		s.TopLines = append(s.TopLines, x)
	}
	slices.SortStableFunc(s.TopLines, func(a, b AllowLine) int { return cmp.Compare(b.Hits, a.Hits) })
	s.TopLines = s.TopLines[:min(len(s.TopLines), maxAllowLines)]
	return s
}

package filter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/risk"
)

// The reasons of sessions that the list of judged ones decided on.
const (
	reasonAllowed = "allowed"
	reasonDenied  = "denied"
)

// judge tells whether a score counts as unusually unexpected, and which line of the list made the difference, nil for
// none. bad is the line that calls the event bad: it is low whatever its score, and spends nothing of a budget. What the list allows
// spends nothing either, and the threshold learns nothing of it.
func (f *Instance) judge(e *graphbuf.Event, scorer *model.Scorer, score float32, list *allow.Table, bad *allow.Line) (low bool, by *allow.Line) {
	switch {
	case bad != nil:
		return true, bad
	case scorer.Model().IsWeak():
		return false, nil
	case f.ledger == nil || f.frozen: // a look at scores out of their time spends nothing
		threshold := f.usual
		if f.ledger == nil {
			threshold = scorer.Threshold()
		}
		if score >= threshold {
			return false, nil
		}
		by = list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time)
		return by == nil, by
	case f.ledger.Ignores(score):
		return false, nil
	}
	by = list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time)
	if by == nil {
		return f.ledger.Low(e, score), nil
	}
	if !f.ledger.WouldBeLow(e, score) {
		by = nil
	}
	return false, by
}

// judgeSource takes down how odd a session is and tells whether its source is to be reported with it. by is the line of the list that made a
// difference, nil for none: what the list allows speaks against no source, and a session that it calls bad always does.
func (f *Instance) judgeSource(e *graphbuf.Event, scorer *model.Scorer, score float32, list *allow.Table, by *allow.Line) (p risk.Pooled, report bool) {
	if f.sources == nil || f.frozen {
		return p, false
	}
	if by != nil {
		return p, by.Verdict == allow.Bad && f.sources.denied(e)
	}
	if scorer == nil || scorer.Model().IsWeak() {
		return p, false
	}
	oddness := f.rarity.Load().Oddness(score)
	if oddness == 0 || list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time) != nil {
		return p, false
	}
	return f.sources.judge(e, oddness)
}

// list is the list of judged sessions as it is now, nil for none.
func (f *Instance) list() *allow.Table {
	if f.allow == nil {
		return nil
	}
	return f.allow.Table()
}

// listTime is the time by which a line that calls sessions bad holds or not, for a record at t: that of alertTime, before the
// graph knows the record. newest is the newest record's, own the filter's.
func (f *Instance) listTime(t, newest, own int64) int64 {
	if f.live {
		return min(newest, own)
	}
	return max(t, 0)
}

func (f *Instance) countHit(by *allow.Line) {
	by.Hit()
	if by.Verdict == allow.Bad {
		f.counters.denied.Add(1)
	} else {
		f.counters.allowed.Add(1)
	}
}

// loadAllow reads the list at the start. A live filter starts without a list that is not as it should be, as
// records come before alerts, and looks for a better one from then on.
func (f *Instance) loadAllow() error {
	if f.cfg.Allow == "" {
		return nil
	}
	f.allow = allow.NewFile(f.cfg.Allow, f.finder.Naming())
	err := f.allow.Load()
	switch {
	case err == nil:
		f.sayAllow()
	case f.live:
		f.host.Log(LevelError, fmt.Sprintf("allow: %v; the filter works, but without the list until the file is right", err))
	default:
		return fmt.Errorf("allow = %q: %w", f.cfg.Allow, err)
	}
	return nil
}

func (f *Instance) sayAllow() {
	s := f.Allow()
	f.host.Log(LevelInfo, fmt.Sprintf("allow: %s: %d lines, %d of them expired", s.File, s.Lines, s.Expired))
}

// allowInterval is how often the file of the list is looked at. It is read when it has been left alone for as long.
const allowInterval = time.Second

// followAllow reads the list again whenever its file changes, until ctx ends. It has a goroutine of its own: a
// training takes long, and so may a file system.
func (f *Instance) followAllow(ctx context.Context) {
	defer f.following.Done()
	tick := time.NewTicker(allowInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.reloadAllow()
		}
	}
}

func (f *Instance) reloadAllow() {
	defer func() {
		if v := recover(); v != nil { // it would end the host
			f.host.Log(LevelError, fmt.Sprintf("allow: panic: %v; the list stays as it is; please report this", v))
		}
	}()
	tried, err := f.allow.Reload()
	switch {
	case err != nil:
		f.host.Log(LevelWarn, fmt.Sprintf("allow: %v; the list stays as it is", err))
	case tried:
		f.sayAllow()
	}
}

// maxAllowLines bounds the lines that a status tells of one by one.
const maxAllowLines = 100

// AllowStatus is what became of the list of judged sessions.
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

// Allow returns what became of the list of judged sessions, nil if there is none.
func (f *Instance) Allow() *AllowStatus {
	if f.allow == nil {
		return nil
	}
	now := f.newest.Load()
	if f.live {
		now = f.clock.now().own
	}
	lines := f.allow.Table().Lines()
	s := &AllowStatus{File: f.cfg.Allow, Problem: f.allow.Problem(), Lines: len(lines), TopLines: make([]AllowLine, 0, len(lines))}
	for _, l := range lines {
		x := AllowLine{
			Line: l.Number, Verdict: l.Verdict.String(), Source: l.Source, Relation: l.Relation, Destination: l.Destination,
			From: allow.FormatTime(l.From), Until: allow.FormatTime(l.Until), Note: l.Note, Expired: l.Expired(now), Hits: l.Hits(),
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

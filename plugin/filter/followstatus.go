package filter

import (
	"errors"
	"fmt"
	"time"

	"flb-filter-rgcn/plugin/outage"
)

// FollowStatus is the published state in use, and how the looks for newer ones went.
type FollowStatus struct {
	From      string    `json:"from"`
	Sequence  uint64    `json:"sequence"`           // 0: none yet
	Unsigned  bool      `json:"unsigned,omitempty"` // no key vouched for it, and so not for its sequence
	Published time.Time `json:"published,omitzero"`
	Horizon   time.Time `json:"horizon,omitzero"` // event time up to which its graph reaches
	Edges     uint32    `json:"edges"`            // of its graph
	Naming    string    `json:"naming,omitempty"` // how its trainer names hosts and relations, a definition a line

	// What this filter saw after the horizon, when it took the state.
	CarriedEdges    int    `json:"carried_edges"`
	CarriedSessions uint64 `json:"carried_sessions"`

	AgeSeconds float64   `json:"age_seconds"`        // since it was published
	LastPoll   time.Time `json:"last_poll,omitzero"` // the last that found the place in order
	Taken      uint64    `json:"taken"`              // states, since the start
	Unchanged  uint64    `json:"unchanged"`          // looks that found the state in use
	Failed     uint64    `json:"failed"`             // looks that found no server, or no state, or one that was not taken
	Refused    uint64    `json:"refused"`            // states that were refused
	Problem    string    `json:"problem,omitempty"`
}

// report logs a failure when it is new or of another kind, and then at growing intervals; and its end.
func (f *follower) report(err error, s FollowStatus, now time.Time) {
	if err == nil {
		f.lastKind = ""
		if n, since := f.outage.Over(); n > 0 {
			f.logf(LevelInfo, "published state: %s is in order again, %s since %s", s.From, outage.After(n, "failed look"), since.UTC().Format(time.RFC3339))
		}
		return
	}
	f.close() // keys and credentials may have changed
	kind := errUnreached.Error()
	switch {
	case errors.Is(err, errRefused):
		kind = errRefused.Error() + f.why
	case errors.Is(err, errNotTaken):
		kind = errNotTaken.Error()
	}
	log := f.outage.Failed(now)
	if !log && kind == f.lastKind {
		return
	}
	f.lastKind = kind
	goesOn := "there is none yet, and score is null until one is found"
	if s.Sequence > 0 {
		goesOn = fmt.Sprintf("scores go on by the state of %s", s.Published.Format(time.RFC3339))
	}
	f.logf(LevelWarn, "published state: %v; %s", err, goesOn)
}

// reportAge says once of a state that it is old.
func (f *follower) reportAge(s FollowStatus, now time.Time) {
	if why := f.oldState(s, now); why == "" {
		f.oldSaid = false
	} else if !f.oldSaid {
		f.oldSaid = true
		f.logf(LevelWarn, "published state: %s", why)
	}
}

// reportNaming says when the trainer of the state in use names hosts otherwise than this filter, and again when it
// does so in another way.
func (f *follower) reportNaming() {
	differs := NamingDiffers(f.state().Naming, f.cfg)
	f.mu.Lock()
	before := f.differs
	f.differs = differs
	f.mu.Unlock()
	if differs != "" && differs != before {
		f.logf(LevelWarn, "published state: %s", differs)
	}
}

// oldState returns that the state is old, "" where it is not.
func (f *follower) oldState(s FollowStatus, now time.Time) string {
	age := now.Sub(s.Published)
	if s.Sequence == 0 || f.cfg.State.OldAfter == 0 || age <= f.cfg.State.OldAfter {
		return ""
	}
	return fmt.Sprintf("the newest of %s was published %s ago: no trainer seems to be at work (state.old_after); scores go on by it and by what was seen since",
		s.From, age.Round(time.Minute))
}

// state returns the status, nil where nothing is followed.
func (f *follower) state() *FollowStatus {
	if !f.active {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	if s.Sequence > 0 {
		s.AgeSeconds = time.Since(s.Published).Seconds()
	}
	return &s
}

// waiting is why there is no model yet.
func (f *follower) waiting() string {
	s := f.state()
	why := ""
	if s.Problem != "" {
		why = ": " + s.Problem
	}
	return fmt.Sprintf("no model yet: waiting for a published state in %s%s; until then score is null", s.From, why)
}

// problem is what somebody should know of the state in use.
func (f *follower) problem(now time.Time) string {
	if !f.active {
		return ""
	}
	s := *f.state()
	switch {
	case s.Problem != "" && s.Sequence == 0:
		return "no published state was taken yet: " + s.Problem
	case s.Problem != "":
		return fmt.Sprintf("scores go on by the published state of %s: %s", s.Published.Format(time.RFC3339), s.Problem)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.differs != "" {
		return "published state: " + f.differs
	}
	if why := f.oldState(s, now); why != "" {
		return why
	}
	if f.leftOut != "" {
		return "published state: " + f.leftOut
	}
	return ""
}

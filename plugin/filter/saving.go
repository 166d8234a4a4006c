package filter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/outage"
	"flb-filter-rgcn/plugin/state"
)

// saving is whether what is learned is also saved. A disk that is full, or a directory that cannot be used, stops no
// scoring, so that nobody would notice it otherwise.
type saving struct {
	*common

	mu       sync.Mutex    // guards all below; held for moments
	last     time.Time     // when all was last saved, zero: not since the start
	outage   outage.Outage // while saving fails
	why      string        // of the last failure, with its remedy; "" while saving works
	inMemory string        // why there is no state directory although state.dir names one, with its remedy; it stays
}

// SavingStatus is how it goes with the state directory.
type SavingStatus struct {
	Dir     string    `json:"dir"`
	Last    time.Time `json:"last,omitzero"`     // when all was last saved, zero: not since the start
	Failed  int       `json:"failed,omitempty"`  // attempts in a row that failed since
	Problem string    `json:"problem,omitempty"` // why what is learned is not saved; "" while it is
}

// worksInMemory notes and logs that the state directory cannot be used in this run.
func (s *saving) worksInMemory(err error) {
	remedy := unusedRemedy(s.cfg.State.Dir, err)
	s.mu.Lock()
	s.inMemory = fmt.Sprintf("%v; %s", err, remedy)
	s.mu.Unlock()
	s.logf(LevelError, "state.dir cannot be used by the user with uid %d: %v; the filter works, but in memory: "+
		"what it learns is lost at exit. To mend it, %s, or set State_Required On to refuse such a start", os.Getuid(), err, remedy)
}

// failed notes that saving failed, and warns at growing intervals: a full disk may stay full for weeks.
func (s *saving) failed(now time.Time, err error) {
	s.mu.Lock()
	warn := s.outage.Failed(now)
	s.why = fmt.Sprintf("%v; %s", err, unsavedRemedy(s.cfg.State.Dir, err))
	why := s.why
	s.mu.Unlock()
	s.statusChanged.Store(true)
	if warn {
		s.logf(LevelWarn, "what was learned is not saved, scoring goes on and it is tried again: %s", why)
	}
}

// worked notes that all is saved.
func (s *saving) worked(now time.Time) {
	s.mu.Lock()
	s.last, s.why = now, ""
	failures, since := s.outage.Over()
	s.mu.Unlock()
	if failures > 0 {
		s.statusChanged.Store(true)
		s.logf(LevelInfo, "what was learned is saved again, %s since %s", outage.After(failures, "failure"), since.UTC().Format(time.RFC3339))
	}
}

// fails reports whether the last attempt to save failed.
func (s *saving) fails() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why != ""
}

// problem is why what is learned is not saved, "" while it is or where nobody asked for it. start is that of the instance.
func (s *saving) problem(start time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.inMemory != "":
		return fmt.Sprintf("works in memory, what is learned is lost at exit: state.dir cannot be used by the user with uid %d: %s, and start again",
			os.Getuid(), s.inMemory)
	case s.why == "":
		return ""
	case s.last.IsZero():
		return fmt.Sprintf("nothing that was learned since the start at %s UTC is saved: %s", start.UTC().Format(time.DateTime), s.why)
	}
	return fmt.Sprintf("nothing that was learned since %s UTC is saved: %s", s.last.UTC().Format(time.DateTime), s.why)
}

// status returns how it goes, nil without state.dir.
func (s *saving) status(start time.Time) *SavingStatus {
	if s.cfg.State.Dir == "" {
		return nil
	}
	problem := s.problem(start)
	s.mu.Lock()
	defer s.mu.Unlock()
	return &SavingStatus{Dir: s.cfg.State.Dir, Last: s.last.UTC().Truncate(time.Second), Failed: s.outage.Failures(), Problem: problem}
}

// unusedRemedy is what somebody can do about an error of the start with dir. That of a file system says nothing of rights:
// to give the directory away would not help.
func unusedRemedy(dir string, err error) string {
	for _, of := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG, unix.EROFS} {
		if errors.Is(err, of) {
			return unsavedRemedy(dir, err)
		}
	}
	return "make it a directory that this user may write, with all files in it"
}

// unsavedRemedy is what somebody can do about an error of saving in dir.
func unsavedRemedy(dir string, err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return fmt.Sprintf("make room on the file system of %s, or set State_Dir to another one", dir)
	case errors.Is(err, unix.EDQUOT):
		return fmt.Sprintf("raise the quota that %s counts to, or set State_Dir to another place", dir)
	case errors.Is(err, unix.EFBIG):
		return fmt.Sprintf("raise the limit on the size of a file, or, if it is that of the file system of %s, set State_Dir to another one", dir)
	case errors.Is(err, unix.EROFS):
		return fmt.Sprintf("mount the file system of %s for writing, or set State_Dir to another one", dir)
	case errors.Is(err, state.ErrInUse):
		return "set State_Dir of one of the two to another directory"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("let the user with uid %d write in %s", os.Geteuid(), dir)
	}
	return fmt.Sprintf("see that %s is a directory on a sound disk in which the user with uid %d may write", dir, os.Geteuid())
}

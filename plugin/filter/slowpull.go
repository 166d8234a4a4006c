package filter

import (
	"fmt"
	"time"
)

// awaited is how far a pull is that trainings wait for.
type awaited struct {
	since         time.Time // the pull began, or documents came for the last time
	documents, of uint64    // that were counted, of how many; of is 0 until the server tells
}

const (
	// slowPull is how long the first pull goes on until the filter says that it waits for it.
	slowPull = 10 * time.Second
	// longestWait is how long a training waits for a pull that brings nothing: a server that hangs or trickles may keep
	// its four tries of each request busy for minutes, in which the agent's own records could be learned.
	longestWait = time.Minute
)

// progressed notes how far a pull is.
func (s *source) progressed(documents, of uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaited = awaited{time.Now(), documents, of}
}

// holds tells that a training has to wait for a pull, which is under way or due. No training waits for a server that
// fails, and none longer than longestWait for one that sends nothing.
func (s *source) holds(now time.Time) bool {
	if s.from == nil || !s.live {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulling {
		return s.outage.Failures() == 0 && now.Before(s.awaited.until())
	}
	return s.outage.Failures() == 0 && !now.Before(s.next)
}

func (a awaited) until() time.Time { return a.since.Add(longestWait) }

// reading tells that the graph is being filled for the first time. s.mu is held.
func (s *source) reading() bool { return s.pulling && s.status.Pulls == 0 && s.status.Problem == "" }

// firstPull says how far the first pull is, "" where none is under way, and whether the first training waits for it.
func (s *source) firstPull(now time.Time) (text string, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reading() {
		return "", false
	}
	a := s.awaited
	waits = now.Before(a.until())
	switch {
	case a.of > 0:
		text = fmt.Sprintf("graph.source: %d of %d documents are read from %s", a.documents, a.of, s.from)
	case now.Sub(a.since) < slowPull:
		return fmt.Sprintf("the graph is being read from %s", s.from), waits
	default:
		text = fmt.Sprintf("graph.source: no answer yet from %s", s.from)
	}
	if !waits {
		return text + "; no training waits for it any longer", false
	}
	until := a.until().UTC().Format(time.TimeOnly) + " UTC"
	if a.of > 0 {
		return text + "; the first training waits for the rest, until " + until + " if no more come", true
	}
	return text + "; the first training waits for it until " + until, true
}

// silent is the text of firstPull where the server has kept silent for slowPull, else "".
func (s *source) silent(now time.Time) string {
	text, _ := s.firstPull(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaited.of > 0 || now.Sub(s.began) < slowPull {
		return ""
	}
	return text
}

// logSlow logs once that the first pull takes long. Only the upkeep calls it.
func (s *source) logSlow(now time.Time) {
	if s.slowLogged || s.from == nil {
		return
	}
	s.mu.Lock()
	slow, level := now.Sub(s.began) >= slowPull, LevelInfo
	if s.awaited.of == 0 {
		level = LevelWarn
	}
	s.mu.Unlock()
	if text, _ := s.firstPull(now); slow && text != "" {
		s.slowLogged = true
		s.statusChanged.Store(true)
		s.host.Log(level, text)
	}
}

package filter

import (
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
)

// startPause is the least time from a start with a saved model to the first training, or half an interval where that is
// less. A training that gets the host killed would otherwise come again at once after each start.
const startPause = time.Minute

// oldest is after how long a training follows on the last one though no triplet is new. Counts and ages grow all the same,
// until they are such as that training never saw, and the usual sessions of a quiet network score low.
const oldest = 24 * time.Hour

// schedule says when to train: first when the graph has enough edges, then once an interval if enough edges are new, and
// once a day if there were any events.
type schedule struct {
	cfg      config.Train
	trained  bool
	restored time.Time // when the model of the state directory was trained; zero: there is none, or it is not known
	last     time.Time // of the last training or attempt, in the clock of the caller
	newEdges uint64    // as it was then
	events   uint64    // likewise
}

func (s *schedule) due(now time.Time, st graphbuf.Stats, haveModel bool) bool {
	switch {
	case s.cfg.Interval <= 0 || st.Edges < model.LeastEdges(s.cfg.MinEdges, st.Lived):
		return false
	case !s.last.IsZero() && now.Sub(s.last) < s.cfg.Interval:
		return false
	case s.last.IsZero() && haveModel:
		// A model came from the state directory: it serves until its interval is over.
		s.ran(s.resumed(now), st)
		return false
	}
	return !s.trained || st.NewEdges-s.newEdges >= uint64(s.cfg.MinNewEdges) || now.Sub(s.last) >= oldest && st.Events != s.events
}

func (s *schedule) ran(now time.Time, st graphbuf.Stats) {
	s.last, s.newEdges, s.events = now, st.NewEdges, st.Events
}

// resumed is when the last training was, as far as that counts at a start at now: the interval of a saved model goes on,
// or a host that is restarted more often than that would never train again. It is so long before now, by the clock that
// nobody sets: a step back of the machine's clock puts no training off.
func (s *schedule) resumed(now time.Time) time.Time {
	ago := now.Sub(s.restored)
	if s.restored.IsZero() || ago < 0 { // the clock was set back
		return now
	}
	return now.Add(-min(ago, s.cfg.Interval-min(startPause, s.cfg.Interval/2)))
}

package filter

import (
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/config"
)

// schedule says when to train: first when the graph has enough edges, then once an interval if enough edges are new.
type schedule struct {
	cfg      config.Train
	trained  bool
	last     time.Time // of the last training or attempt, in the clock of the caller
	newEdges uint64    // as it was then
}

func (s *schedule) due(now time.Time, st graphbuf.Stats, haveModel bool) bool {
	switch {
	case s.cfg.Interval <= 0 || st.Edges < s.cfg.MinEdges:
		return false
	case !s.last.IsZero() && now.Sub(s.last) < s.cfg.Interval:
		return false
	case s.last.IsZero() && haveModel:
		// A model came from the state directory: it serves until the first interval is over.
		s.ran(now, st)
		return false
	}
	return !s.trained || st.NewEdges-s.newEdges >= uint64(s.cfg.MinNewEdges)
}

func (s *schedule) ran(now time.Time, st graphbuf.Stats) { s.last, s.newEdges = now, st.NewEdges }

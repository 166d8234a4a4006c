package filter

import (
	"fmt"
	"time"
)

// condition tells how an instance of this status is doing and, unless all is well, what is missing, for
// whoever sees no score.
func (f *Instance) condition(s Status) (state, problem string) {
	if why := f.fit.problem(); why != "" {
		return StateDegraded, why
	}
	if why := f.leftOut(); why != "" {
		return StateDegraded, why
	}
	scorer := f.scorer.Load()
	if scorer == nil {
		return StateWaiting, f.waiting(s.Graph.Edges)
	}
	if why := scorer.Model().Weak(); why != "" {
		return StateWaiting, "scores are added but none counts as low: " + why
	}
	if why := f.putOff.Load(); why != nil {
		return StateScoring, "scores go on by the model before: " + *why
	}
	if why := f.shortGraph.Load(); why != nil {
		return StateScoring, *why
	}
	return StateScoring, ""
}

// waiting is why there is no model yet, and when there may be one.
func (f *Instance) waiting(edges int) string {
	t := f.cfg.Train
	switch {
	case t.Interval <= 0:
		return "no model yet, and train.interval = 0 lets none be trained: score is null"
	case edges < t.MinEdges:
		return fmt.Sprintf("no model yet: %d of %d distinct triplets needed before the first training (train.min_edges); until then score is null",
			edges, t.MinEdges)
	}
	why := ""
	if p := f.putOff.Load(); p != nil {
		why = *p + "; "
	}
	next := "at once"
	if at := f.due.Load(); at > 0 {
		next = "at " + time.Unix(0, at).UTC().Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("no model yet: %d distinct triplets; %sthe next training is due %s; until then score is null", edges, why, next)
}

// patience is how long after its first session an instance waits before it says that there is no model yet.
const patience = 10 * time.Second

// sayWaiting logs once that records get no score yet, and why.
func (f *Instance) sayWaiting(now time.Time) {
	if f.saidWaiting || f.scorer.Load() != nil || f.counters.counted.Load() == 0 {
		return
	}
	if f.firstSession.IsZero() {
		f.firstSession = now
	}
	if now.Sub(f.firstSession) >= patience {
		f.saidWaiting = true
		f.host.Log(LevelInfo, f.waiting(f.graph.Stats().Edges))
	}
}

// sayOverwritten warns once that records come with a field that the filter writes.
func (f *Instance) sayOverwritten() {
	if f.warned.Swap(true) {
		return
	}
	c := &f.cfg.Fields
	f.host.Log(LevelWarn, fmt.Sprintf("records come with a field %s, %s or %s of their own, which this filter replaces by its own; "+
		"set Score, Low_Score and Source_Alert to other names to keep theirs", c.Score, c.LowScore, c.SourceAlert))
}

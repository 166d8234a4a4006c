package filter

import (
	"fmt"
	"math"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
)

// waiting is why there is no model yet, and when there may be one.
func (t *trainer) waiting() string {
	st := t.graph.Stats()
	edges := st.Edges
	c := t.cfg.Train
	switch {
	case t.follower.active:
		return t.follower.waiting()
	case c.Interval <= 0:
		return "no model yet, and train.interval = 0 lets none be trained: score is null"
	case edges < model.LeastEdges(c.MinEdges, st.Lived):
		return fmt.Sprintf("no model yet: %s; until then score is null", t.tooFew(&st))
	}
	if began := t.underWay.Load(); began > 0 {
		return fmt.Sprintf("no model yet: a training on %d distinct triplets has been running since %s UTC; until it ends score is null",
			edges, time.Unix(began, 0).UTC().Format(time.DateTime))
	}
	why := ""
	if p := t.untrained.Load(); p != nil {
		why = *p + "; "
	}
	if t.source.holds(time.Now()) {
		return fmt.Sprintf("no model yet: %d distinct triplets; %sthe next training waits for what is being read from %s; until then score is null",
			edges, why, t.source.from)
	}
	next := "at once"
	if at := t.due.Load(); at > 0 {
		next = "at " + time.Unix(0, at).UTC().Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("no model yet: %d distinct triplets; %sthe next training is due %s; until then score is null", edges, why, next)
}

// tooFew tells how many distinct triplets the first training waits for.
func (t *trainer) tooFew(st *graphbuf.Stats) string {
	want := t.cfg.Train.MinEdges
	sooner := ""
	if now, later := model.LeastEdges(want, st.Lived), model.LeastEdges(want, math.MaxInt64); later < now {
		sooner = fmt.Sprintf(", or %d once the sessions span a day", later)
	}
	return fmt.Sprintf("%d of %d distinct triplets needed before the first training (train.min_edges)%s%s",
		st.Edges, model.LeastEdges(want, st.Lived), sooner, t.outside(st))
}

// outside tells of sessions that were not learned since they are older than the window, "" for none.
func (t *trainer) outside(st *graphbuf.Stats) string {
	if st.Outside == 0 {
		return ""
	}
	which := fmt.Sprintf("%d sessions were not learned, as they lie", st.Outside)
	if st.Outside == 1 {
		which = "1 session was not learned, as it lies"
	}
	return fmt.Sprintf("; %s more than graph.window = %s before the newest, of %s UTC: is its time right?",
		which, config.FormatDuration(t.cfg.Graph.Window), time.Unix(0, st.Now).UTC().Format(time.DateTime))
}

// patience is how long after its first session an instance waits before it says that there is no model yet.
const patience = 10 * time.Second

// logWaiting logs once that records get no score yet, and why. counted is the number of sessions so far. Only the
// goroutine that trains calls it.
func (t *trainer) logWaiting(now time.Time, counted uint64) {
	if t.waitingLogged || t.judge.scorer.Load() != nil || counted == 0 {
		return
	}
	if t.firstSession.IsZero() {
		t.firstSession = now
	}
	if _, waits := t.source.firstPull(now); waits {
		return // logSlow says so
	}
	if now.Sub(t.firstSession) >= patience {
		t.waitingLogged = true
		t.host.Log(LevelInfo, t.waiting())
	}
}

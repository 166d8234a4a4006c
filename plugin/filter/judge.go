package filter

import (
	"math"
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/risk"
)

// judge is the model in use and the threshold that goes with it: it says whether a score is low. Its fields are set
// once or atomic; the budget of alerts has a lock of its own, which is held for one session.
type judge struct {
	*common
	scorer          atomic.Pointer[model.Scorer] // nil: no model yet
	rarity          atomic.Pointer[model.Rarity] // of its scores; nil as long as scorer is, and where held-out scores do not tell
	alerts          *budget.AlertBudget          // follows the scores, with threshold.method = budget; else nil
	sources         *sources                     // nil: none is reported
	unanswered      *unanswered                  // nil: all is learned
	frozenThreshold float32                      // that of alerts on a usual day; of a frozen instance
}

func (j *judge) init(c *common, allow *allowList) {
	j.common = c
	j.unanswered = newUnanswered(c, allow)
	if th := c.cfg.Threshold; th.Method == model.Budget {
		j.alerts = budget.New(th.PerDay)
	}
	j.sources = newSources(c.cfg.Threshold.SourcesPerDay)
}

// low reports whether a score is low, and which line of the list made the difference, nil for none. bad is the line
// that calls the event bad: it is low whatever its score, and spends nothing of a budget. What the list allows spends
// nothing either, and the threshold learns nothing of it.
func (j *judge) low(e *graphbuf.Event, ref *graphbuf.Ref, scorer *model.Scorer, score float32, list *allow.Table, bad *allow.Line) (low bool, by *allow.Line) {
	return j.decide(e, ref, scorer, score, list, bad, false)
}

// wouldBeLow is low for an event that never was: nothing is spent, and no budget learns of it.
func (j *judge) wouldBeLow(e *graphbuf.Event, ref *graphbuf.Ref, scorer *model.Scorer, score float32, list *allow.Table, bad *allow.Line) (low bool, by *allow.Line) {
	return j.decide(e, ref, scorer, score, list, bad, true)
}

func (j *judge) decide(e *graphbuf.Event, ref *graphbuf.Ref, scorer *model.Scorer, score float32, list *allow.Table, bad *allow.Line, ask bool) (low bool, by *allow.Line) {
	follows := j.alerts != nil && !j.frozen // scores out of their time have a threshold that does not move
	switch {
	case bad != nil:
		return true, bad
	case scorer.Model().IsWeak():
		return false, nil
	case follows && j.alerts.Ignores(e.Time, score), !follows && score >= j.fixedThreshold(scorer):
		return false, nil
	}
	by = list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time)
	if !follows {
		return by == nil, by
	}
	var text ownerText
	spender := ownerOf(e, ref, j.alerts, &text)
	// A session to a host that was put up today is as new as one from it.
	spender.New = spender.New || isNewDestination(ref)
	switch {
	case by == nil && !ask:
		return j.alerts.Low(e, spender, score), nil
	case j.alerts.WouldBeLow(e, spender, score):
		return by == nil, by
	}
	return false, nil
}

// source records how odd a session is and tells whether its source is to be reported with it. by is
// the line of the list that made a difference, nil for none: what the list allows does not speak against its source, and
// a session that it calls bad has its source reported at once, up to maxBadReports of them. scorer is nil without a model.
func (j *judge) source(e *graphbuf.Event, ref *graphbuf.Ref, scorer *model.Scorer, score float32, list *allow.Table, by *allow.Line) (p risk.Pooled, report bool) {
	switch {
	case j.sources == nil || j.frozen:
		return p, false
	case by != nil:
		return p, by.Verdict == allow.Bad && j.sources.judgeBad(e)
	case scorer == nil || scorer.Model().IsWeak():
		return p, false
	}
	oddness := j.rarity.Load().Oddness(score)
	if oddness == 0 || list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time) != nil {
		return p, false
	}
	return j.sources.judge(e, ref, oddness)
}

// lowerPerDay is how many distinct triplets of a usual day score so low or lower: as the last days were, where those are
// known, and otherwise as the training's held-out triplets are. It is NaN where neither is known.
func (j *judge) lowerPerDay(score float32) float64 {
	if j.alerts != nil {
		if n := j.alerts.Rate(score); !math.IsNaN(n) {
			return n
		}
	}
	return j.rarity.Load().PerDay(score)
}

// fixedThreshold is the threshold where no budget is spent.
func (j *judge) fixedThreshold(s *model.Scorer) float32 {
	if j.alerts != nil {
		return j.frozenThreshold
	}
	return s.Threshold()
}

// threshold is the one that is shown. That of a budget moves with each day.
func (j *judge) threshold(s *model.Scorer) float32 {
	if j.alerts != nil {
		return j.alerts.Threshold()
	}
	return s.Threshold()
}

// use has records scored by a scorer from now on.
func (j *judge) use(s *model.Scorer) {
	j.follow(s)
	j.scorer.Store(s)
}

// follow has budgets and rarity go by the model of a scorer, which is used at once or in a moment. To sort its held-out
// scores takes milliseconds.
func (j *judge) follow(s *model.Scorer) {
	if j.alerts != nil {
		j.alerts.Follow(s.Model().HeldOut())
	}
	rarity := s.Model().Rarity()
	if j.sources != nil {
		j.sources.follow(rarity)
	}
	j.reach()
	j.rarity.Store(rarity)
}

// reach tells the budgets how far the graph got, where an archive may come next. A live filter tells them with each
// session.
func (j *judge) reach() {
	if j.live || j.frozen {
		return
	}
	now := j.graph.Stats().Now
	if j.alerts != nil {
		j.alerts.Reach(now)
	}
	if j.sources != nil {
		j.sources.budget.Reach(now)
	}
}

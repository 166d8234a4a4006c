package filter

import (
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/plugin/allow"
)

// judge is the model in use and the threshold that goes with it: it says whether a score is low. Its fields are set once or
// atomic; the ledger has a lock of its own, which is held for one session.
type judge struct {
	*common
	scorer atomic.Pointer[model.Scorer] // nil: no model yet
	rarity atomic.Pointer[model.Rarity] // of its scores; nil as long as scorer is
	ledger *budget.AlertBudget          // follows the scores, with threshold.method = budget; else nil
	usual  float32                      // the ledger's threshold on a usual day, of a frozen instance
}

func (j *judge) init(c *common) {
	j.common = c
	if th := c.cfg.Threshold; th.Method == model.Budget {
		j.ledger = budget.New(th.PerDay)
	}
}

// low reports whether a score is low, and which line of the list made the difference, nil for none. bad is the line that
// calls the event bad: it is low whatever its score, and spends nothing of a budget. What the list allows spends nothing
// either, and the threshold learns nothing of it.
func (j *judge) low(e *graphbuf.Event, scorer *model.Scorer, score float32, list *allow.Table, bad *allow.Line) (low bool, by *allow.Line) {
	spends := j.ledger != nil && !j.frozen // to look at scores out of their time spends nothing
	switch {
	case bad != nil:
		return true, bad
	case scorer.Model().IsWeak():
		return false, nil
	case spends && j.ledger.Ignores(score), !spends && score >= j.fixedThreshold(scorer):
		return false, nil
	}
	by = list.Find(allow.Allowed, e.Source, e.Relation, e.Destination, e.Time)
	switch {
	case !spends:
		return by == nil, by
	case by == nil:
		return j.ledger.Low(e, score), nil
	case j.ledger.WouldBeLow(e, score):
		return false, by
	}
	return false, nil
}

// fixedThreshold is the threshold where no budget is spent.
func (j *judge) fixedThreshold(s *model.Scorer) float32 {
	if j.ledger != nil {
		return j.usual
	}
	return s.Threshold()
}

// threshold is the one that is shown. That of a budget moves with each day.
func (j *judge) threshold(s *model.Scorer) float32 {
	if j.ledger != nil {
		return j.ledger.Threshold()
	}
	return s.Threshold()
}

// use has records scored by a scorer from now on.
func (j *judge) use(s *model.Scorer) {
	if j.ledger != nil {
		j.ledger.Follow(s.Model().HeldOut())
	}
	j.reach()
	j.rarity.Store(s.Model().Rarity())
	j.scorer.Store(s)
}

// reach tells the ledger how far the graph got, where an archive may come next. A live filter tells it with each alert.
func (j *judge) reach() {
	if j.ledger != nil && !j.live && !j.frozen {
		j.ledger.Reach(j.graph.Stats().Now)
	}
}

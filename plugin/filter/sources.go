package filter

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/model/ranking"
	"flb-filter-rgcn/plugin/risk"
)

// sources finds the sources whose sessions of the last day are, taken together, the strangest: as many a day as the
// settings say.
type sources struct {
	perDay  float64
	risk    *risk.Sources
	reports *risk.Reports
	budget  *budget.AlertBudget // of scoreOf risks
}

// newSources returns nil for a budget of none.
func newSources(perDay float64) *sources {
	if perDay == 0 {
		return nil
	}
	return &sources{perDay, risk.NewSources(), risk.NewReports(), budget.New(perDay)}
}

// follow takes what is rare by the model that gives the scores from now on. Until there are days to learn from, sources
// are expected to be as strange as if each had one odd triplet.
func (s *sources) follow(r *model.Rarity) {
	odd := r.Odd()
	if odd == 0 {
		return
	}
	expected := ranking.HeldOut{Days: 1}
	// Of a log of seconds, odd triplets come by the millions a day. The budget asks for no more than some times its
	// own.
	const enough = 4
	for n := range int(math.Ceil(min(odd, enough*s.perDay))) {
		expected.Scores = append(expected.Scores, ranking.Weighted{Score: scoreOf(max(0, math.Log10(odd/float64(n+1)))), Weight: 1})
	}
	s.budget.Follow(expected)
}

// judge takes down an odd session of the source with an ID, and tells whether that is to be reported now: once within a
// day.
func (s *sources) judge(e *graphbuf.Event, id graphbuf.ID, oddness float64) (pooled risk.Pooled, report bool) {
	pooled = s.risk.Add(e, id, float32(oddness))
	source := graphbuf.Event{Source: e.Source, Time: e.Time}
	score := scoreOf(float64(pooled.Risk))
	if s.reports.Has(e) { // it spends nothing of another day's budget
		s.budget.Record(&source, score)
		return pooled, false
	}
	return pooled, s.budget.First(&source, score) && s.reports.Add(e)
}

// scoreOf turns a risk, 0 and more, into a score of 0 to 1 as a budget takes it: the higher the risk the lower the
// score. It is far from 0 for the most that a source adds up to.
func scoreOf(risk float64) float32 { return float32(1 / (1 + risk)) }

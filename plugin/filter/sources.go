package filter

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/risk"
)

// sources finds the sources whose sessions of the last day are, taken together, the strangest: as many a day as the settings say.
type sources struct {
	risk   *risk.Sources
	budget *model.Ledger // of scores that fall tenfold with each decade of risk
}

// newSources returns nil for a budget of none.
func newSources(perDay float64) *sources {
	if perDay == 0 {
		return nil
	}
	return &sources{risk.NewSources(), model.NewLedger(perDay)}
}

// follow takes up what is rare by a new model. Until there are days to learn from, sources are taken to be as strange as
// the strangest of their triplets.
func (s *sources) follow(r *model.Rarity) {
	if r.Odd() > 0 {
		s.budget.Expect(func(perDay float64) float32 { return float32(min(1, perDay/r.Odd())) }, 1)
	}
}

// judge takes down an odd session and tells whether its source is to be reported now: once within a day.
func (s *sources) judge(e *graphbuf.Event, oddness float64) (pooled risk.Pooled, report bool) {
	pooled = s.risk.Add(e, float32(oddness))
	source := graphbuf.Event{Source: e.Source, Time: e.Time}
	strange := s.budget.Low(&source, float32(math.Pow(10, -float64(pooled.Risk))))
	return pooled, strange && s.risk.Report(e)
}

// denied tells whether a source with a session that the list calls bad is to be reported now.
func (s *sources) denied(e *graphbuf.Event) bool { return s.risk.Report(e) }

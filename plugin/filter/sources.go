package filter

import (
	"math"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/model/ranking"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/outage"
	"flb-filter-rgcn/plugin/risk"
)

// sources finds the sources whose sessions of the last day are, taken together, the strangest: as many a day as the
// settings say. Those of sessions that the list calls bad are reported beside them.
type sources struct {
	perDay  float64
	risk    *risk.Sources
	reports *risk.Reports       // that the budget paid for
	budget  *budget.AlertBudget // of scoreOf risks

	bad        *risk.Reports // of sources of bad sessions, which nothing pays for
	unreported atomic.Uint64 // bad sessions for whose source bad had no room
	told       atomic.Uint64 // how many of them the log told of
	pause      outage.Pause
}

const (
	// maxBadReports bounds the sources of bad sessions that are reported within a day. A scan from the addresses of a bad
	// line brings so many alerts and no more.
	maxBadReports = 1024
	// unreportedPause is the least time between two lines on those beyond.
	unreportedPause = 24 * time.Hour
)

// newSources returns nil for a budget of none.
func newSources(perDay float64) *sources {
	if perDay == 0 {
		return nil
	}
	// The 24 hours of a report are of two days, none of which has more than two budgets. Beyond that, as with an archive,
	// the oldest report is forgotten.
	most := 2 * int(math.Ceil(2*perDay))
	return &sources{
		perDay: perDay, risk: risk.NewSources(), reports: risk.NewReports(most), budget: budget.New(perDay),
		bad: risk.NewReports(maxBadReports),
	}
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

// savedSources is what a state directory keeps of reports.
type savedSources struct{ Reports, Bad *risk.Reports }

// saved is what is to be remembered of reports, and what takes up what was.
func (s *sources) saved() *savedSources { return &savedSources{s.reports, s.bad} }

// judge takes down an odd session and tells whether its source is to be reported now: once within a day.
func (s *sources) judge(e *graphbuf.Event, ref *graphbuf.Ref, oddness float64) (pooled risk.Pooled, report bool) {
	var text ownerText
	owner := ownerOf(e, ref, s.budget, &text)
	pooled = s.risk.Add(e, risk.Source{ID: ref.Source, Name: owner.Name, New: owner.New}, float32(oddness))
	source := graphbuf.Event{Source: owner.Name, Time: e.Time}
	score := scoreOf(float64(pooled.Risk))
	if s.reports.Has(&source) || s.bad.Has(e) { // it spends nothing of another day's budget
		s.budget.Record(&source, owner, score)
		return pooled, false
	}
	return pooled, s.budget.First(&source, owner, score) && s.reports.Add(&source)
}

// judgeBad tells whether the source of a session that the list calls bad is to be reported now: once within a day.
func (s *sources) judgeBad(e *graphbuf.Event) (report bool) {
	if s.reports.Has(e) {
		return false
	}
	report, full := s.bad.AddIfRoom(e)
	if full {
		s.unreported.Add(1)
	}
	return report
}

// logUnreported logs, at most once a day, that sources of bad sessions were not reported. The record path calls it once
// a chunk.
func (j *judge) logUnreported(now time.Time) {
	s := j.sources
	if s == nil {
		return
	}
	n := s.unreported.Load()
	if n == s.told.Load() || !s.pause.Over(now, unreportedPause) {
		return
	}
	s.told.Store(n)
	j.logf(LevelWarn, "allow: lines that say %s hold for more than %d sources within 24 hours: sessions of further ones have a low score, but no source_alert (%d such sessions so far)",
		allow.Bad, maxBadReports, n)
}

// scoreOf turns a risk, 0 and more, into a score of 0 to 1 as a budget takes it: the higher the risk the lower the
// score. It is far from 0 for the most that a source adds up to.
func scoreOf(risk float64) float32 { return float32(1 / (1 + risk)) }

package model

import (
	"fmt"
	"math"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// byName are features that no two hosts have in common.
type byName struct{}

func (byName) Kinds() []string   { return []string{"name"} }
func (byName) Most() int         { return 1 }
func (byName) Known([]byte) bool { return true }
func (byName) Append(dst []uint64, host []byte) []uint64 {
	return append(dst, num.FNV1a(num.FNVStart, host))
}

// TestANewcomerStaysOneThroughATraining: somebody who tries one server again and again looks no less expected at any of his
// sessions than at the first, whether or not a training comes between. It knows his first one, and that hardly anyone
// like him comes again on other days. That holds beside a record whose clock is hours ahead.
func TestANewcomerStaysOneThroughATraining(t *testing.T) {
	for name, c := range map[string]struct {
		features HostFeatures
		ahead    time.Duration
	}{"none": {}, "none, and one clock ahead": {ahead: 8 * time.Hour}, "his own": {features: byName{}}, "of many": {features: modeltest.ByLetters(2)}} {
		features := c.features
		const days, perDay = 20, 144
		events := modeltest.Teams(12, 40, days*perDay)
		for i := range events {
			events[i].Time = int64(i) * (24 * 3600e9 / perDay)
			if i%3 == 0 { // every half an hour a scanner, who tries twice
				events[i] = graphbuf.Event{Source: fmt.Appendf(nil, "scanner-%d", i), Relation: []byte("invalid user"), Destination: []byte("server-0-0"), Time: events[i].Time}
			} else if i%3 == 1 {
				events[i] = events[i-1]
				events[i].Time += 60e9
			}
		}
		now := events[len(events)-1].Time
		if c.ahead > 0 {
			events = append(events, graphbuf.Event{Source: []byte("host-1"), Relation: []byte("client-0"), Destination: []byte("server-1-1"), Time: now + int64(c.ahead)})
		}
		g := modeltest.Graph(t, events)
		cfg := quickConfig()
		cfg.Steps, cfg.Features = 200, features
		scorer, _ := train(t, g.Snapshot(), cfg)
		var first float64
		for visit := range 6 {
			e := graphbuf.Event{Source: []byte("scanner-x"), Relation: []byte("invalid user"), Destination: []byte("server-0-0"), Time: now + int64(visit+1)*60e9}
			var ref [1]graphbuf.Ref
			g.Look([]graphbuf.Event{e}, ref[:])
			score := logit(scorer.Score(g, &e, &ref[0]))
			if visit == 0 {
				first = score
			}
			if score < first-0.3 {
				t.Errorf("features %s: log-odds of the first session are %.2f, of session %d %.2f", name, first, visit+1, score)
			}
			g.Observe([]graphbuf.Event{e}, ref[:])
			if visit == 2 {
				scorer = scorer.Model().Scorer(g.Snapshot(), 1, features)
			}
		}
	}
}

// TestReturnsOfNewcomersScoreLower: a newcomer who was at one server on the days before is no more usual for having been
// there, and those who have been here all the time are as usual as ever.
func TestReturnsOfNewcomersScoreLower(t *testing.T) {
	const days, perDay = 30, 100
	events := modeltest.Teams(11, 40, days*perDay)
	for i := range events {
		events[i].Time = int64(i) * (24 * 3600e9 / perDay)
		if i%20 == 10 { // every fifth hour somebody new, who comes once, or again a day later
			day := i / perDay
			if i%(2*perDay) >= perDay && i%40 == 10 {
				day--
			}
			events[i].Source = fmt.Appendf(nil, "new-%d-%d", day, i%perDay)
		}
	}
	now := events[len(events)-1].Time
	seen := graphbuf.Event{Source: []byte("new"), Relation: []byte("client-0"), Destination: []byte("shared-1"), Time: now - 24*3600e9}
	g := modeltest.Graph(t, append(events, seen))
	cfg := quickConfig()
	cfg.Steps = 200
	with, _ := train(t, g.Snapshot(), cfg)
	cfg.Without = []string{"returns"}
	without, _ := train(t, g.Snapshot(), cfg)
	change := func(e graphbuf.Event) float64 {
		var ref [1]graphbuf.Ref
		e.Time = now
		g.Look([]graphbuf.Event{e}, ref[:])
		return logit(with.Score(g, &e, &ref[0])) - logit(without.Score(g, &e, &ref[0]))
	}
	newcomer := change(seen)
	usual := change(graphbuf.Event{Source: []byte("host-1"), Relation: []byte("client-0"), Destination: []byte("server-1-1")})
	if !(newcomer < -0.5) || math.Abs(usual) > 0.5 {
		t.Errorf("log-odds of a newcomer's return change by %v, of a usual session by %v", newcomer, usual)
	}
}

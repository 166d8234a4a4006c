package model

import (
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

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

package model

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestPeersVouchForAStranger: a host never seen before is expected where its peers go, and a
// model without features cannot tell.
func TestPeersVouchForAStranger(t *testing.T) {
	if testing.Short() {
		t.Skip("it judges scores after long trainings")
	}
	var events []graphbuf.Event
	for i, e := range modeltest.Teams(1, 120, 6000) { // newcomers all along, so that there is something to learn
		var n int
		fmt.Sscanf(string(e.Source), "host-%d", &n)
		if i >= n*40 {
			events = append(events, e)
		}
	}
	g := modeltest.Graph(t, events)
	snap := g.Snapshot()
	cfg := DefaultConfig()
	margin := func(s *Scorer) float64 {
		var ref [1]graphbuf.Ref
		score := func(host, server int) float64 {
			e := graphbuf.Event{Source: fmt.Appendf(nil, "host-%d", host), Relation: []byte("client-0"), Destination: fmt.Appendf(nil, "server-%d-0", server), Time: events[len(events)-1].Time}
			g.Look([]graphbuf.Event{e}, ref[:])
			x := float64(s.Score(g, &e, &ref[0]))
			return math.Log(x / (1 - x))
		}
		var sum float64
		for host := 1000; host < 1004; host++ {
			sum += score(host, host%4) - score(host, (host+1)%4)
		}
		return sum / 4
	}
	blind, _ := train(t, snap, cfg)
	if m := margin(blind); math.Abs(m) > 0.5 {
		t.Errorf("without features a stranger's own servers have odds e^%.2f of others'", m)
	}
	cfg.Features = modeltest.ByTeam{}
	const seeds = 4 // one training may have more or less luck
	mean := 0.0
	for cfg.Seed = 2; cfg.Seed <= seeds; cfg.Seed++ {
		s, _ := train(t, snap, cfg)
		mean += margin(s) / seeds
	}
	cfg.Seed = 1
	s, _ := train(t, snap, cfg)
	if mean += margin(s) / seeds; mean < 2 {
		t.Errorf("with features a stranger's own servers have odds e^%.2f of others' on average, want above e^2", mean)
	}

	// The model says with which kinds of features it was trained: others count for nothing, and are no start.
	var m Model
	b := encoded(t, s.Model())
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, &m); !bytes.Equal(again, b) {
		t.Error("the decoded model has other bytes")
	}
	if got, want := margin(m.Scorer(snap, 1, modeltest.ByTeam{})), margin(s); got != want {
		t.Errorf("restored: odds e^%v, before e^%v", got, want)
	}
	if got := margin(m.Scorer(snap, 1, nil)); math.Abs(got) > 0.5 {
		t.Errorf("without its features: odds e^%.2f", got)
	}
	if got := m.Scorer(snap, 1, modeltest.ByLetters(1)); got.peers != nil {
		t.Error("features of another kind are taken for those of the training")
	}
	cfg.Previous, cfg.Steps = &m, 10
	if _, report := train(t, snap, cfg); !report.Warm {
		t.Error("the same kinds: a cold start")
	}
	cfg.Features = modeltest.ByLetters(1)
	if _, report := train(t, snap, cfg); report.Warm {
		t.Error("other kinds: a warm start")
	}
	cfg.Features, cfg.Without = modeltest.ByTeam{}, []string{"features"}
	cfg.Previous, cfg.Steps = nil, DefaultConfig().Steps
	s, _ = train(t, snap, cfg)
	if m := margin(s); math.Abs(m) > 0.5 {
		t.Errorf("features left out: odds e^%.2f", m)
	}
}

func TestScoreOfAStrangerDoesNotAllocate(t *testing.T) {
	g := modeltest.Graph(t, modeltest.Teams(1, 40, 2000))
	cfg := quickConfig()
	cfg.Features = modeltest.Constant{}
	s, _ := train(t, g.Snapshot(), cfg)
	event := graphbuf.Event{Source: []byte("nobody"), Relation: []byte("x"), Destination: []byte("server-0-0"), Time: 1}
	var ref [1]graphbuf.Ref
	g.Look([]graphbuf.Event{event}, ref[:])
	// Each on its own: the race detector has pools forget at random, which is less than one allocation a call.
	if n := testing.AllocsPerRun(100, func() { s.Score(g, &event, &ref[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { s.Group(&event, &ref[0]) }); n != 0 {
		t.Errorf("of the group %v allocations", n)
	}
}

package eval

import (
	"math"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/simulate"
)

// One agent that has all sessions and takes every state at once scores as the machine that trained.
func TestAFleetOfOneScoresAsOneMachine(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) { c.Hosts, c.Teams, c.SessionsPerDay, c.Days = 60, 3, 200, 9 })
	cfg := model.DefaultConfig()
	cfg.Steps, cfg.Dim = 100, 32
	results, err := Fleet(t.Context(), sessions, FleetPlan{Plan: Plan{From: c.AttackStart}, Agents: 1}, cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	one, fleet := results[0], results[1]
	if one.AUC < 0.8 || math.Abs(one.AUC-fleet.AUC) > 1e-3 || math.Abs(one.AP-fleet.AP) > 1e-2 {
		t.Errorf("one machine %+v\nan agent    %+v", one, fleet)
	}
}

// Agents with a share each find by what is published nearly what one machine finds, and alone less: much less where an
// agent has the sessions of its destinations and does not see where else a source goes.
func TestAFleetFindsWhatAgentsAloneDoNot(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) { c.Hosts, c.Teams, c.SessionsPerDay = 150, 5, 500 })
	cfg := model.DefaultConfig()
	cfg.Steps, cfg.Dim = 200, 32
	for bySource, worse := range map[bool]float64{false: 0.05, true: 0.01} {
		agents := 3
		if bySource { // each of three would see nearly enough
			agents = 6
		}
		plan := FleetPlan{Plan: Plan{From: c.AttackStart}, Agents: agents, BySource: bySource, Delay: 10 * time.Minute}
		results, err := Fleet(t.Context(), sessions, plan, cfg, 1)
		if err != nil {
			t.Fatal(err)
		}
		one, fleet, alone := results[0], results[1], results[2]
		if fleet.AP < one.AP-0.05 || fleet.AP < alone.AP+worse {
			t.Errorf("by source %v: average precision %.3f of one machine, %.3f of a fleet, %.3f of agents alone", bySource, one.AP, fleet.AP, alone.AP)
		}
		if fleet.Alerts == 0 || fleet.Alerts > 3*one.Alerts {
			t.Errorf("by source %v: %.0f alerts a day of a fleet, %.0f of one machine", bySource, fleet.Alerts, one.Alerts)
		}
	}
}

// What agents saw themselves since a state counts between two of them, and is part of the next.
func TestAFleetTakesStatesLate(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) { c.Hosts, c.Teams, c.SessionsPerDay, c.Days = 60, 3, 200, 9 })
	cfg := model.DefaultConfig()
	cfg.Steps, cfg.Dim = 20, 16
	plan := FleetPlan{Plan: Plan{From: c.AttackStart, Every: 6 * time.Hour}, Agents: 2, Delay: 3 * time.Hour}
	f, err := newFleet(plan, cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := byDay(t.Context(), sessions, plan.Plan, f); err != nil || f.failed != nil {
		t.Fatal(err, f.failed)
	}
	if f.taken < 2 || f.taken > f.one.trainings {
		t.Errorf("%d states were taken of %d trainings", f.taken, f.one.trainings)
	}
	var all int
	for i := range f.agents {
		for name, r := range map[string]*replay{"follows": f.agents[i].following, "is alone": f.agents[i].alone} {
			if len(r.judged[0].periods) != len(f.one.judged[0].periods) {
				t.Errorf("agent %d that %s: %d days, want %d", i, name, len(r.judged[0].periods), len(f.one.judged[0].periods))
			}
		}
		for _, day := range f.agents[i].following.judged[0].periods {
			all += len(day)
		}
		// The graph of an agent is the base and what it saw; the one machine has seen more since, but nothing less.
		if has, of := f.agents[i].following.graph.Stats().Edges, f.one.graph.Stats().Edges; has > of || has <= f.agents[i].alone.graph.Stats().Edges {
			t.Errorf("agent %d knows %d triplets of %d", i, has, of)
		}
	}
	for _, day := range f.one.judged[0].periods {
		all -= len(day)
	}
	if all != 0 {
		t.Errorf("the agents judged %+d triplets more than the one machine", all)
	}
}

func TestAFleetWithoutAgents(t *testing.T) {
	if _, err := Fleet(t.Context(), nil, FleetPlan{}, model.DefaultConfig(), 1); err == nil || !strings.Contains(err.Error(), "0 agents") {
		t.Error(err)
	}
	if _, err := Fleet(t.Context(), nil, FleetPlan{Agents: 1}, model.DefaultConfig(), 1); err != errNoSessions {
		t.Error(err)
	}
}

package main

import (
	"context"
	"time"

	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/model/simulate"
)

// mostAgents bounds the memory of -fleet: each agent has graphs and models of its own.
const mostAgents = 100

// fleetDelay is how long after a training its state is with the agents: a minute or two for the records to reach the
// trainer, some for the training, and a look each State_Poll.
const fleetDelay = 10 * time.Minute

// judgeFleet judges simulated days by one machine, by a fleet, and by agents alone.
func (v *evaluation) judgeFleet(ctx context.Context, c simulate.Config, seed uint64) ([]eval.Result, error) {
	c.Seed = seed
	sessions, err := simulated(c)
	if err != nil {
		return nil, err
	}
	cfg := v.model
	cfg.Seed = seed
	return eval.Fleet(ctx, sessions, eval.FleetPlan{Plan: v.plan(c), Agents: v.agents, BySource: v.bySource, Delay: fleetDelay}, cfg, seed)
}

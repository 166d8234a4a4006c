package eval

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
)

// FleetPlan says how sessions are shared among agents, and when these take what was learned.
type FleetPlan struct {
	Plan
	Agents   int  // at least 1
	BySource bool // an agent has the sessions of its sources, not those of its destinations
	// Delay is the event time from a training until the agents take what it brought, for the search server, the training
	// and the agents' look. The first state they take at once.
	Delay time.Duration
}

// Fleet replays sessions as Prequential does, in three ways, which judge the same triplets on the same days:
//
//   - on one machine that has all sessions,
//   - on agents that have a share each and take graph and model of that machine's trainings, in the bytes in which they
//     are published, and add what they saw since,
//   - on agents that have a share each and learn from it alone.
//
// Scores of all agents count together. Their budgets of alerts are shares of one machine's.
func Fleet(ctx context.Context, sessions []Session, plan FleetPlan, cfg model.Config, seed uint64) ([]Result, error) {
	f, err := newFleet(plan, cfg, seed)
	if err != nil {
		return nil, err
	}
	if err := byDay(ctx, sessions, plan.Plan, f); err != nil {
		return nil, err
	}
	if f.failed != nil {
		return nil, f.failed
	}
	return f.results(), nil
}

// fleet is one pass over sessions in the three ways.
type fleet struct {
	plan   FleetPlan
	cfg    model.Config // of an agent
	one    *replay
	last   func() *model.Model // of the one machine
	agents []fleetAgent
	next   *published // not taken yet; nil: none
	taken  int        // states
	failed error      // of one that could not be taken
}

type fleetAgent struct {
	following, alone *replay
	alerts           *budget.AlertBudget // of the one that follows
}

// published is a state as a trainer publishes it.
type published struct {
	graph, model []byte
	horizon, due int64 // unix nanoseconds
}

func newFleet(plan FleetPlan, cfg model.Config, seed uint64) (*fleet, error) {
	if plan.Agents < 1 {
		return nil, fmt.Errorf("eval: %d agents, want 1 or more", plan.Agents)
	}
	f := &fleet{plan: plan}
	one, last := trained("one machine", cfg)
	f.last = last
	var err error
	if f.one, err = newReplay([]Method{one}, seed); err != nil {
		return nil, err
	}
	cfg.Threshold.PerDay /= float64(plan.Agents)
	f.cfg = cfg
	for i := range plan.Agents {
		a := fleetAgent{alerts: budget.New(cfg.Threshold.PerDay)}
		follows := Method{Name: "fleet"}
		if cfg.Threshold.Method == model.Budget {
			follows.Low = func(e *graphbuf.Event, score float64) bool { return a.alerts.Low(e, budget.Spender{}, float32(score)) }
		}
		if a.following, err = newReplay([]Method{follows}, seed+uint64(i)); err != nil {
			return nil, err
		}
		if a.alone, err = newReplay([]Method{Trained("each agent alone", cfg)}, seed+uint64(i)); err != nil {
			return nil, err
		}
		f.agents = append(f.agents, a)
	}
	return f, nil
}

// of is the agent that has a session.
func (f *fleet) of(s *Session) *fleetAgent {
	host := s.Destination
	if f.plan.BySource {
		host = s.Source
	}
	h := fnv.New64a()
	h.Write(host)
	return &f.agents[h.Sum64()%uint64(len(f.agents))]
}

func (f *fleet) observe(s *Session) {
	a := f.of(s)
	f.one.observe(s)
	a.following.observe(s)
	a.alone.observe(s)
}

// begin begins a period everywhere: a day is one of an agent without sessions, too.
func (f *fleet) begin(period int) bool {
	for i := range f.agents {
		f.agents[i].following.begin(period)
		f.agents[i].alone.begin(period)
	}
	return f.one.begin(period)
}

func (f *fleet) judge(s *Session, once bool) {
	if f.next != nil && s.Time >= f.next.due {
		f.failed = errors.Join(f.failed, f.take())
	}
	a := f.of(s)
	f.one.judge(s, once)
	a.following.judge(s, once)
	a.alone.judge(s, once)
}

// learn has the one machine learn and publish, and each agent that is alone learn from its own sessions, if there are
// enough.
func (f *fleet) learn(ctx context.Context) error {
	if err := f.one.learn(ctx); err != nil {
		return err
	}
	for i := range f.agents {
		if err := f.agents[i].alone.learn(ctx); err != nil && !errors.Is(err, model.ErrTooLittle) {
			return err
		}
	}
	horizon := f.one.graph.Stats().Now
	graph, err := f.one.graph.AppendBinary(nil)
	if err != nil {
		return err
	}
	trained, err := f.last().AppendBinary(nil)
	if err != nil {
		return err
	}
	f.next = &published{graph: graph, model: trained, horizon: horizon, due: horizon + int64(f.plan.Delay)}
	if f.taken == 0 {
		return f.take()
	}
	return nil
}

// take has every agent take the published state, as the filter does: the state's graph, with what the agent saw after
// its horizon, takes the place of the agent's own.
func (f *fleet) take() error {
	state := f.next
	f.next = nil
	f.taken++
	for i := range f.agents {
		a := &f.agents[i]
		began := time.Now()
		var base graphbuf.Snapshot
		var m model.Model
		if err := errors.Join(base.UnmarshalBinary(state.graph), m.UnmarshalBinary(state.model)); err != nil {
			return err
		}
		next, err := graphbuf.New(bounds)
		if err != nil {
			return err
		}
		next.Restore(&base)
		m.SetThreshold(f.cfg.Threshold)
		succession := a.following.graph.Succeed(next, state.horizon)
		scorer := m.Scorer(next.Snapshot(), f.cfg.Threads, f.cfg.Features)
		if err := succession.Finish(func(swap func() bool) { swap() }); err != nil {
			return err
		}
		a.alerts.Follow(scorer.Model().HeldOut())
		j := &a.following.judged[0]
		j.score, j.threshold = scoreOf(scorer), float64(scorer.Threshold())
		j.seconds += time.Since(began).Seconds()
		a.following.trainings++
	}
	return nil
}

// results are those of the one machine, of the agents that follow it and of those that are alone.
func (f *fleet) results() []Result {
	following, alone := make([]*replay, len(f.agents)), make([]*replay, len(f.agents))
	for i := range f.agents {
		following[i], alone[i] = f.agents[i].following, f.agents[i].alone
	}
	return []Result{f.one.results()[0], together(following), together(alone)}
}

// together is the result of replays of one method each, as if all their triplets were in one list a day.
func together(replays []*replay) Result {
	var all judged
	trainings := 0
	for _, r := range replays {
		j := &r.judged[0]
		for day, scored := range j.periods {
			if day == len(all.periods) {
				all.periods = append(all.periods, nil)
			}
			all.periods[day] = append(all.periods[day], scored...)
		}
		all.flagged += j.flagged
		all.hits += j.hits
		all.unscored += j.unscored
		all.seconds += j.seconds
		trainings += r.trainings
	}
	return all.result(replays[0].methods[0].Name, trainings)
}

package eval

import (
	"context"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
)

// Method scores sessions by what it learned from those before.
type Method struct {
	Name string
	// Learn is called whenever it is time to learn, with the graph of all before. It returns the score that holds until
	// the next time, the lower the stranger, and the score below which a session is flagged. It returns soon after ctx
	// is cancelled, with an error.
	Learn func(ctx context.Context, before *graphbuf.Snapshot) (score Score, threshold float64, err error)
	// Low, unless nil, flags in the threshold's place.
	Low func(e *graphbuf.Event, score float64) bool
}

// Score is that of an event, of which the graph knew so much just before.
type Score func(*graphbuf.Graph, *graphbuf.Event, *graphbuf.Ref) float64

// NeverSeen is the rule that every site can write down: a triplet is strange when it was
// never seen before.
func NeverSeen() Method {
	return Method{Name: "never-seen rule", Learn: func(context.Context, *graphbuf.Snapshot) (Score, float64, error) {
		return func(_ *graphbuf.Graph, _ *graphbuf.Event, r *graphbuf.Ref) float64 {
			return float64(min(r.Counts.SRD, 1))
		}, 0.5, nil
	}}
}

// Reference is the algorithm of the notebook.
func Reference(seed uint64) Method {
	cfg := model.DefaultReference()
	cfg.Seed = seed
	return Trained("reference objective", cfg)
}

// Trained is a model under a configuration; each training starts from the one before.
func Trained(name string, cfg model.Config) Method {
	m, _ := trained(name, cfg)
	return m
}

// trained is Trained, and what returns the model of the last training, nil before the first.
func trained(name string, cfg model.Config) (m Method, last func() *model.Model) {
	m.Name = name
	var alerts *budget.AlertBudget
	if cfg.Threshold.Method == model.Budget {
		alerts = budget.New(cfg.Threshold.PerDay)
		m.Low = func(e *graphbuf.Event, score float64) bool { return alerts.Low(e, budget.Spender{}, float32(score)) }
	}
	m.Learn = func(ctx context.Context, before *graphbuf.Snapshot) (Score, float64, error) {
		s, _, err := model.Train(ctx, before, cfg, nil)
		if err != nil {
			return nil, 0, err
		}
		cfg.Previous = s.Model()
		if alerts != nil {
			alerts.Follow(s.Model().HeldOut())
		}
		return scoreOf(s), float64(s.Threshold()), nil
	}
	return m, func() *model.Model { return cfg.Previous }
}

func scoreOf(s *model.Scorer) Score {
	return func(g *graphbuf.Graph, e *graphbuf.Event, r *graphbuf.Ref) float64 { return float64(s.Score(g, e, r)) }
}

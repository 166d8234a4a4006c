// Package evaluate judges scores: it replays labelled sessions day by day, lets every
// method learn from the days before and score the next one, and compares what comes out
// at the top of each day's list.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
)

// Session is one session with what is known of it.
type Session struct {
	graphbuf.Event
	Label string // "" for benign
	Note  string // what kind of attack or of benign change it is, where that is known
}

// Method scores the sessions of a day by what it learned from the days before.
type Method struct {
	Name string
	// Learn is called at the start of each day to be judged, with the graph of all before.
	// It returns the day's score, the lower the stranger, and the score below which a session is flagged.
	Learn func(before *graphbuf.Snapshot) (score Score, threshold float64, err error)
	// Low, unless nil, flags in the threshold's place.
	Low func(e *graphbuf.Event, score float64) bool
}

// Score is that of an event, of which the graph knew so much just before.
type Score func(*graphbuf.Graph, *graphbuf.Event, *graphbuf.Ref) float64

// NeverSeen is the rule that every site can write down: a triplet is strange when it was
// never seen before.
func NeverSeen() Method {
	return Method{Name: "never-seen rule", Learn: func(*graphbuf.Snapshot) (Score, float64, error) {
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

// Trained is a model under a configuration; each day's training starts from the day before's.
func Trained(name string, cfg model.Config) Method {
	m := Method{Name: name}
	var ledger *model.Ledger
	if cfg.Threshold.Method == model.Budget {
		ledger = model.NewLedger(cfg.Threshold.PerDay)
		m.Low = func(e *graphbuf.Event, score float64) bool { return ledger.Low(e, float32(score)) }
	}
	m.Learn = func(before *graphbuf.Snapshot) (Score, float64, error) {
		s, _, err := model.Train(context.Background(), before, cfg, nil)
		if err != nil {
			return nil, 0, err
		}
		cfg.Previous = s.Model()
		if ledger != nil {
			ledger.Follow(s.Model())
		}
		return func(g *graphbuf.Graph, e *graphbuf.Event, r *graphbuf.Ref) float64 {
			return float64(s.Score(g, e, r))
		}, float64(s.Threshold()), nil
	}
	return m
}

// Result is how a method did.
type Result struct {
	Method                       string
	AUC, AP                      float64
	Recall10, Recall20, Recall40 float64 // of the attacks, in so many alerts a period
	Alerts                       float64 // below the threshold, a period
	Precision                    float64 // attacks among them
	Seconds                      float64 // of learning, a period
}

// Bounds of the graph that sessions are judged on: everything is kept.
var bounds = graphbuf.Config{MaxNodes: 1 << 22, MaxRelations: 1 << 16, MaxEdges: 1 << 24}

// Prequential replays the sessions, which must be in order of time, and judges the days
// from the given one on (0 is the day of the first session). Each distinct triplet counts
// once a day, by its first session.
func Prequential(sessions []Session, from int, methods []Method, seed uint64) ([]Result, error) {
	r, err := prequential(sessions, from, methods, seed)
	if err != nil {
		return nil, err
	}
	return r.results(), nil
}

func prequential(sessions []Session, from int, methods []Method, seed uint64) (*replay, error) {
	if len(sessions) == 0 {
		return nil, errNoSessions
	}
	const day = int64(24 * time.Hour)
	start := sessions[0].Time - sessions[0].Time%day
	r, err := newReplay(methods, seed)
	if err != nil {
		return nil, err
	}
	for i := range sessions {
		s := &sessions[i]
		if err := r.session(s, int((s.Time-start)/day)-from, true); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Parts replays the sessions and judges those after the share from of them, in so many
// parts, each by what was learned from all before it. Every session counts: the way for a
// log of a few hours.
func Parts(sessions []Session, from float64, parts int, methods []Method, seed uint64) ([]Result, error) {
	if len(sessions) == 0 {
		return nil, errNoSessions
	}
	start := int(from * float64(len(sessions)))
	r, err := newReplay(methods, seed)
	if err != nil {
		return nil, err
	}
	for i := range sessions {
		part := -1
		if i >= start {
			part = (i - start) * parts / (len(sessions) - start)
		}
		if err := r.session(&sessions[i], part, false); err != nil {
			return nil, err
		}
	}
	return r.results(), nil
}

var errNoSessions = errors.New("evaluate: no sessions")

// replay is one pass over labelled sessions in periods; a negative period is not judged.
type replay struct {
	graph   *graphbuf.Graph
	methods []Method
	judged  []judged
	rng     *rand.Rand
	period  int
	seen    map[string]bool // triplets of the period
	ref     [1]graphbuf.Ref
}

// judged is a method at work.
type judged struct {
	score         Score
	threshold     float64
	periods       [][]Scored
	flagged, hits float64
	seconds       float64
}

func newReplay(methods []Method, seed uint64) (*replay, error) {
	g, err := graphbuf.New(bounds)
	return &replay{
		graph: g, methods: methods, judged: make([]judged, len(methods)),
		rng: rand.New(rand.NewPCG(seed, 0)), period: -1, seen: map[string]bool{},
	}, err
}

func (r *replay) session(s *Session, period int, once bool) error {
	if period >= 0 && period != r.period {
		if err := r.learn(period); err != nil {
			return err
		}
	}
	r.graph.Observe([]graphbuf.Event{s.Event}, r.ref[:])
	if r.period < 0 {
		return nil
	}
	if once {
		key := string(s.Source) + "\x00" + string(s.Relation) + "\x00" + string(s.Destination)
		if r.seen[key] {
			return nil
		}
		r.seen[key] = true
	}
	tie := r.rng.Uint64()
	for m := range r.judged {
		j := &r.judged[m]
		v := j.score(r.graph, &s.Event, &r.ref[0])
		last := &j.periods[len(j.periods)-1]
		*last = append(*last, Scored{v, s.Label != "", s.Note, tie})
		low := v < j.threshold
		if of := r.methods[m].Low; of != nil {
			believed := s.Event
			believed.Time = r.ref[0].Time
			low = of(&believed, v)
		}
		if low {
			j.flagged++
			if s.Label != "" {
				j.hits++
			}
		}
	}
	return nil
}

// learn begins a period.
func (r *replay) learn(period int) (err error) {
	r.period = period
	clear(r.seen)
	before := r.graph.Snapshot()
	for m := range r.judged {
		j := &r.judged[m]
		began := time.Now()
		if j.score, j.threshold, err = r.methods[m].Learn(before); err != nil {
			return fmt.Errorf("evaluate: %s, period %d: %w", r.methods[m].Name, period, err)
		}
		j.seconds += time.Since(began).Seconds()
		j.periods = append(j.periods, nil)
	}
	return nil
}

func (r *replay) results() (out []Result) {
	for m := range r.judged {
		j := &r.judged[m]
		var all []Scored
		for _, d := range j.periods {
			all = append(all, d...)
		}
		n := float64(len(j.periods))
		res := Result{
			Method: r.methods[m].Name, AUC: AUC(all), AP: AveragePrecision(all),
			Recall10: RecallAt(j.periods, 10), Recall20: RecallAt(j.periods, 20), Recall40: RecallAt(j.periods, 40),
			Alerts: j.flagged / n, Seconds: j.seconds / n,
		}
		if j.flagged > 0 {
			res.Precision = j.hits / j.flagged
		}
		out = append(out, res)
	}
	return out
}

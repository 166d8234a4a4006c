package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Dated is an event of a graph that is known by snapshots: by days, or by whatever numbers its snapshots.
type Dated struct {
	graphbuf.Event
	Snapshot int64
}

// Pair is to be told true from made up.
type Pair struct {
	Dated
	True bool
	New  bool   // whatever the data calls new: not among the events before, or not in the snapshot just before
	Draw string // of the made-up pairs, where there are several to be judged apart
}

// LinkPlan says how link prediction is judged.
type LinkPlan struct {
	Step       int  // judge one in so many snapshots that have pairs, the first of them included; 0 stands for 1
	Undirected bool // the score of a pair is the mean of its scores in both directions
	Pooled     bool // judge the pairs of all snapshots together, not each snapshot alone
}

// LinkResult is how a method tells true pairs from made-up ones. Where pairs are judged in several groups, by draw and
// snapshot, figures are the means over them.
type LinkResult struct {
	Method        string
	AUC, AP       float64 // of the true pairs
	NewAUC, NewAP float64 // of those that are new, against all that are made up
	NewBalanced   float64 // NewAP as if as many were made up as are new, see BalancedPrecision
	Seconds       float64 // of learning, a snapshot
}

// group is what is judged together.
type group struct {
	snapshot int64
	draw     string
}

// Links lets methods, made anew for each snapshot, learn from the events of earlier snapshots and score the pairs.
func Links(ctx context.Context, events []Dated, pairs []Pair, plan LinkPlan, methods func() []Method, seed uint64) ([]LinkResult, error) {
	if len(events) == 0 || len(pairs) == 0 {
		return nil, errors.New("eval: link prediction: no events, or no pairs")
	}
	bySnapshot := func(a, b Dated) int { return cmp.Compare(a.Snapshot, b.Snapshot) }
	events, pairs = slices.Clone(events), slices.Clone(pairs)
	slices.SortStableFunc(events, bySnapshot)
	slices.SortStableFunc(pairs, func(a, b Pair) int { return bySnapshot(a.Dated, b.Dated) })
	l := links{plan: plan, rng: rand.New(rand.NewPCG(seed, 0)), groups: map[group]int{}}
	var err error
	if l.graph, err = graphbuf.New(bounds); err != nil {
		return nil, err
	}
	snapshots := 0
	for len(pairs) > 0 {
		at := pairs[0].Snapshot
		n := len(pairs)
		if i := slices.IndexFunc(pairs, func(p Pair) bool { return p.Snapshot != at }); i >= 0 {
			n = i
		}
		if snapshots%max(plan.Step, 1) == 0 {
			for len(events) > 0 && events[0].Snapshot < at {
				l.graph.Observe([]graphbuf.Event{events[0].Event}, l.ref[:])
				events = events[1:]
			}
			if err := l.judge(ctx, pairs[:n], methods()); err != nil {
				return nil, err
			}
		}
		pairs = pairs[n:]
		snapshots++
	}
	return l.results(), nil
}

// links is one run of link prediction.
type links struct {
	plan   LinkPlan
	graph  *graphbuf.Graph
	ref    [1]graphbuf.Ref
	rng    *rand.Rand
	groups map[group]int // the groups' numbers
	told   []told        // by method
	judged int           // snapshots
}

// told is what a method said of the pairs.
type told struct {
	method  string
	seconds float64 // of learning
	groups  []scores
}

// scores are those of a group's pairs: all of them, and all but the true ones that are not new. They are negated, so
// that the true pairs are those to come first.
type scores struct{ all, unseen []Scored }

// judge lets the methods learn from the graph as it is, and score the pairs of one snapshot.
func (l *links) judge(ctx context.Context, pairs []Pair, methods []Method) error {
	before := l.graph.Snapshot()
	ties := make([]uint64, len(pairs)) // drawn once: equal scores are in the same order for every method
	for i := range ties {
		ties[i] = l.rng.Uint64()
	}
	for m, method := range methods {
		if err := ctx.Err(); err != nil { // some methods learn at once and do not look
			return err
		}
		if m == len(l.told) {
			l.told = append(l.told, told{method: method.Name})
		}
		t := &l.told[m]
		began := time.Now()
		score, _, err := method.Learn(ctx, before)
		if err != nil {
			return fmt.Errorf("eval: %s, snapshot %d: %w", method.Name, pairs[0].Snapshot, err)
		}
		t.seconds += time.Since(began).Seconds()
		for i := range pairs {
			p := &pairs[i]
			v := l.score(score, p.Event)
			if l.plan.Undirected {
				back := p.Event
				back.Source, back.Destination = p.Destination, p.Source
				v = (v + l.score(score, back)) / 2
			}
			g := l.group(p)
			for g >= len(t.groups) {
				t.groups = append(t.groups, scores{})
			}
			s := Scored{Score: -v, Attack: p.True, tie: ties[i]}
			t.groups[g].all = append(t.groups[g].all, s)
			if p.New || !p.True {
				t.groups[g].unseen = append(t.groups[g].unseen, s)
			}
		}
	}
	l.judged++
	return nil
}

// group is the number of a pair's group.
func (l *links) group(p *Pair) int {
	g := group{p.Snapshot, p.Draw}
	if l.plan.Pooled {
		g.snapshot = 0
	}
	n, ok := l.groups[g]
	if !ok {
		n = len(l.groups)
		l.groups[g] = n
	}
	return n
}

func (l *links) score(score Score, e graphbuf.Event) float64 {
	l.graph.Look([]graphbuf.Event{e}, l.ref[:])
	return score(l.graph, &e, &l.ref[0])
}

func (l *links) results() (out []LinkResult) {
	for _, t := range l.told {
		var auc, ap, newAUC, newAP, newBalanced mean
		for _, g := range t.groups {
			auc.add(AUC(g.all))
			ap.add(AveragePrecision(g.all))
			newAUC.add(AUC(g.unseen))
			newAP.add(AveragePrecision(g.unseen))
			newBalanced.add(BalancedPrecision(g.unseen))
		}
		out = append(out, LinkResult{t.method, auc.value(), ap.value(), newAUC.value(), newAP.value(), newBalanced.value(), t.seconds / float64(l.judged)})
	}
	return out
}

// mean is that of the numbers among what is added: a group without a new pair has nothing to say of new pairs.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) {
	if !math.IsNaN(v) {
		m.sum += v
		m.n++
	}
}

func (m *mean) value() float64 { return m.sum / float64(m.n) }

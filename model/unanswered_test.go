package model

import (
	"bytes"
	"fmt"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestUnansweredIsNotLearned: a kind of session scores lower by a model that was not to learn to expect it, and a mark on
// none makes no difference.
func TestUnansweredIsNotLearned(t *testing.T) {
	const events = 4000
	all := modeltest.Teams(1, 40, events)
	// From the middle on, hosts of one team take up the servers of another, one after the other.
	isNew := func(e *graphbuf.Event) bool { return bytes.HasPrefix(e.Destination, []byte("other-")) }
	for i := events / 2; i < events; i += 9 {
		all[i].Destination = fmt.Appendf(nil, "other-%d", i/9%60)
	}
	g := modeltest.Graph(t, all)
	snap := g.Snapshot()
	marks := func(of func(e *graphbuf.Event) bool) []bool {
		is := make([]bool, len(snap.Edges))
		for i, e := range snap.Edges {
			is[i] = of(&graphbuf.Event{Destination: []byte(snap.Nodes[e.Destination].Name)})
		}
		return is
	}
	cfg := quickConfig()
	cfg.Steps = 100
	learned, _ := train(t, snap, cfg)
	cfg.Unanswered = marks(func(*graphbuf.Event) bool { return false })
	none, _ := train(t, snap, cfg)
	if !bytes.Equal(encoded(t, learned.Model()), encoded(t, none.Model())) {
		t.Error("marks on no edge make a difference")
	}
	cfg.Unanswered = marks(isNew)
	unlearned, _ := train(t, snap, cfg)
	score := func(s *Scorer) (sum float32) {
		for i := range 40 {
			e := []graphbuf.Event{{Source: fmt.Appendf(nil, "host-%d", i), Relation: fmt.Appendf(nil, "client-%d", i/4%3), Destination: fmt.Appendf(nil, "other-%d", 60+i), Time: events * 60e9}}
			var ref [1]graphbuf.Ref
			g.Look(e, ref[:])
			sum += s.Score(g, &e[0], &ref[0]) / 40
		}
		return sum
	}
	if a, b := score(learned), score(unlearned); !(b < 0.7*a) {
		t.Errorf("a new server scores %v where such were learned, %v where they were not", a, b)
	}
	// Where nothing else is left to learn from, that is said.
	cfg.Unanswered = marks(func(*graphbuf.Event) bool { return true })
	if _, _, err := Train(t.Context(), snap, cfg, nil); err != ErrTooLittle {
		t.Errorf("%v, want %v", err, ErrTooLittle)
	}
}

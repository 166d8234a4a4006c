package model

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestScoresRiseWithTenure scores one session as if its source, and its relation, had come earlier and earlier.
func TestScoresRiseWithTenure(t *testing.T) {
	events := modeltest.Teams(7, 20, 2000)
	g := modeltest.Graph(t, events)
	s, _ := train(t, g.Snapshot(), quickConfig())
	now := events[len(events)-1].Time
	e := graphbuf.Event{Source: []byte("host-1"), Relation: []byte("client-0"), Destination: []byte("server-1-1"), Time: now}
	var ref [1]graphbuf.Ref
	g.Look([]graphbuf.Event{e}, ref[:])
	if ref[0].SourceSince > events[100].Time || ref[0].RelationSince > events[100].Time {
		t.Fatal("source and relation are not among the first")
	}
	settled := s.Score(g, &e, &ref[0])
	for _, part := range []*int64{&ref[0].SourceSince, &ref[0].RelationSince} {
		was, last := *part, float32(0)
		for _, since := range []int64{now, now - 6*3600e9, now - 12*3600e9, was} {
			*part = since
			score := s.Score(g, &e, &ref[0])
			if score <= last {
				t.Errorf("there since %v: %v, later %v", now-since, score, last)
			}
			last = score
		}
		if *part = was; last != settled {
			t.Errorf("as it was: %v, want %v", last, settled)
		}
	}
}

// TestHeldOutScoresKnowTenure compares the scores of which a threshold is made with those of the same training without
// tenure: newcomers' are lower by their factor, all others are the same.
func TestHeldOutScoresKnowTenure(t *testing.T) {
	events := modeltest.Teams(8, 60, 3000)
	for i := range events[2970:] { // newcomers do what others do
		e := &events[2970+i]
		e.Source = append([]byte("new-"), e.Source...)
	}
	snap := modeltest.Graph(t, events).Snapshot()
	cfg := quickConfig()
	with, _ := train(t, snap, cfg)
	cfg.Without = []string{"tenure"}
	without, _ := train(t, snap, cfg)
	a, b := with.Model().heldOut.Scores, without.Model().heldOut.Scores
	if len(a) != len(b) {
		t.Fatalf("%d held-out scores with tenure, %d without", len(a), len(b))
	}
	newcomers := float32(0)
	for i := range a {
		factor := math.Exp(logit(a[i].Score) - logit(b[i].Score))
		if factor > 1.001 {
			t.Errorf("tenure raises a score from %v to %v", b[i].Score, a[i].Score)
		}
		if factor < 0.5 {
			newcomers += a[i].Weight
		}
	}
	if newcomers < 20 {
		t.Errorf("tenure lowers %v held-out triplets, want those of 30 newcomers", newcomers)
	}
}

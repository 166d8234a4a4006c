package model

import (
	"context"
	"errors"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
)

func quickReferenceGoal() Config {
	cfg := DefaultReference()
	cfg.Dim, cfg.Steps, cfg.Sample = 16, 60, 200
	return cfg
}

// By its objective alone a training is the notebook's, and its model lives on as any other does.
func TestTheReferenceObjectiveIsAModelLikeAnother(t *testing.T) {
	events := modeltest.Teams(1, 40, 2000)
	g := modeltest.Graph(t, events)
	snap := g.Snapshot()
	cfg := quickReferenceGoal()
	s, report := train(t, snap, cfg)
	want, _, err := baseline.Train(context.Background(), snap, cfg.reference(), device.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Steps != 60 || report.Device != device.CPU || report.Warm || s.Threshold() != want.Threshold {
		t.Errorf("%+v, threshold %v, want %v", report, s.Threshold(), want.Threshold)
	}
	index := map[string]int32{}
	for i, n := range snap.Nodes {
		index[n.Name] = int32(i)
	}
	relation := map[string]int32{}
	for i, n := range snap.Relations {
		relation[n.Name] = int32(i)
	}
	b, err := s.Model().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var m Model
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	// Restored over a graph with other numbers for the same names.
	other := modeltest.Graph(t, append([]graphbuf.Event{{Source: []byte("a"), Relation: []byte("b"), Destination: []byte("c"), Time: 1}}, events...))
	restored := m.Scorer(other.Snapshot(), 1, nil)
	m.SetThreshold(cfg.Threshold)
	if m.Threshold != s.Threshold() {
		t.Errorf("threshold %v after a restart, %v before", m.Threshold, s.Threshold())
	}
	var ref, otherRef [1]graphbuf.Ref
	for _, e := range events[:200] {
		g.Look([]graphbuf.Event{e}, ref[:])
		other.Look([]graphbuf.Event{e}, otherRef[:])
		w := want.Score(index[string(e.Source)], relation[string(e.Relation)], index[string(e.Destination)])
		if x, y := s.Score(g, &e, &ref[0]), restored.Score(other, &e, &otherRef[0]); x != w || y != w {
			t.Fatalf("scores %v and, restored, %v, want %v", x, y, w)
		}
	}
	other.Look([]graphbuf.Event{{Source: []byte("nobody"), Relation: events[0].Relation, Destination: events[0].Destination}}, ref[:])
	if x := restored.Score(other, &events[0], &ref[0]); x != 0 {
		t.Errorf("a host that came later scores %v, want 0", x)
	}
	for _, th := range []Threshold{{Method: Quantile, Quantile: 0.1}, {Method: Budget, PerDay: 20}} {
		if m.SetThreshold(th); !(m.Threshold > 0 && m.Threshold < 1) {
			t.Errorf("%+v: threshold %v", th, m.Threshold)
		}
	}
	for i := range b[:len(b)-1] {
		if err := new(Model).UnmarshalBinary(b[:i]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a model", i, len(b))
		}
	}
	// Neither objective starts from the other's model.
	temporal := quickConfig()
	temporal.Previous = &m
	if _, r := train(t, snap, temporal); r.Warm {
		t.Error("a warm start from the reference")
	}
}

func TestTheReferenceObjectiveRefuses(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot()
	for _, change := range []func(*Config){
		func(c *Config) { c.Sample = 0 },
		func(c *Config) { c.TrainShare = 1 },
		func(c *Config) { c.TrainShare = math.NaN() },
		func(c *Config) { c.Objective = "other" },
		func(c *Config) { c.Device = device.CUDA },
	} {
		cfg := quickReferenceGoal()
		change(&cfg)
		if _, _, err := Train(context.Background(), snap, cfg, nil); err == nil {
			t.Errorf("%+v is trained with", cfg)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Train(ctx, snap, quickReferenceGoal(), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSized(t *testing.T) {
	dim := func(edges, set int, previous *Model) int {
		cfg := DefaultConfig()
		cfg.Dim, cfg.Previous = set, previous
		return cfg.sized(edges).Dim
	}
	for _, c := range []struct{ edges, set, previous, want int }{
		{1, 0, 0, 512}, {10_000, 0, 0, 512}, {10_001, 0, 0, 256}, {40_001, 0, 0, 128}, {50_000_000, 0, 0, 128},
		{5, 64, 0, 64}, {5, 64, 512, 64},
		{12_500, 0, 512, 512}, {12_501, 0, 512, 256}, {7_501, 0, 256, 256}, {7_500, 0, 256, 512},
		{50_000, 0, 256, 256}, {50_001, 0, 256, 128}, {30_001, 0, 128, 128}, {30_000, 0, 128, 256},
		{5, 0, 96, 512}, // of a setting that is gone
	} {
		var previous *Model
		if c.previous > 0 {
			previous = &Model{dim: c.previous}
		}
		if got := dim(c.edges, c.set, previous); got != c.want {
			t.Errorf("%d edges, %d set, %d before: dimension %d, want %d", c.edges, c.set, c.previous, got, c.want)
		}
	}
	cfg := DefaultConfig()
	cfg.Objective = ReferenceGoal
	if got, want := cfg.sized(5).Dim, DefaultReference().Dim; got != want {
		t.Errorf("the reference objective has the dimension %d, want its own, %d", got, want)
	}
}

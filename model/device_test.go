package model

import (
	"errors"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
)

// TestAutoWithoutACard: both objectives train on the CPU and say why; that there is no card is no failure of one.
func TestAutoWithoutACard(t *testing.T) {
	if _, err := probeCUDA(0); err == nil {
		t.Skip("there is a card")
	}
	from := cudaFrom
	defer func() { cudaFrom = from }()
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot()
	for _, cfg := range []Config{quickConfig(), quickReferenceGoal()} {
		cfg.Device = Auto
		cudaFrom = len(snap.Edges) + 1
		if _, r := train(t, snap, cfg); r.Device != CPU || r.Fallback != nil {
			t.Errorf("%q, a small graph: on %s, fallback %v", cfg.Objective, r.Device, r.Fallback)
		}
		cudaFrom = len(snap.Edges)
		if _, r := train(t, snap, cfg); r.Device != CPU || r.Fallback == nil || errors.Is(r.Fallback, ErrDevice) {
			t.Errorf("%q, a large graph: on %s, fallback %v", cfg.Objective, r.Device, r.Fallback)
		}
	}
}

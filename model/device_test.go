package model

import (
	"errors"
	"testing"

	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestAutoWithoutACard: both objectives train on the CPU and say why; that there is no card is no failure of one.
func TestAutoWithoutACard(t *testing.T) {
	if _, err := device.Probe(0); err == nil {
		t.Skip("there is a card")
	}
	from := device.AutoEdges
	defer func() { device.AutoEdges = from }()
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot()
	for _, cfg := range []Config{quickConfig(), quickReferenceGoal()} {
		cfg.Device = device.Auto
		device.AutoEdges = len(snap.Edges) + 1
		if _, r := train(t, snap, cfg); r.Device != device.CPU || r.Fallback != nil {
			t.Errorf("%q, a small graph: on %s, fallback %v", cfg.Objective, r.Device, r.Fallback)
		}
		device.AutoEdges = len(snap.Edges)
		if _, r := train(t, snap, cfg); r.Device != device.CPU || r.Fallback == nil || errors.Is(r.Fallback, device.ErrFailed) {
			t.Errorf("%q, a large graph: on %s, fallback %v", cfg.Objective, r.Device, r.Fallback)
		}
	}
}

//go:build gpu

package model

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
)

func TestCUDAReferenceTraining(t *testing.T) {
	modeltest.NeedsCUDA(t)
	snap := modeltest.Graph(t, modeltest.Hub(4, 3000)).Snapshot()
	cfg := DefaultReference()
	cfg.Steps, cfg.Sample, cfg.Dim = 60, 300, 16
	s, want := train(t, snap, cfg)
	cfg.Device = device.CUDA
	card, got := train(t, snap, cfg)
	if !strings.HasPrefix(got.Device, "cuda:0 ") || got.Steps != want.Steps || got.Fallback != nil {
		t.Errorf("%+v", got)
	}
	if math.Abs(got.Quality-want.Quality) > 0.01 || math.Abs(float64(got.Loss-want.Loss)) > 0.01 {
		t.Errorf("held-out AUC %v and loss %v, on the CPU %v and %v", got.Quality, got.Loss, want.Quality, want.Loss)
	}
	var off float64
	for i := range snap.Edges {
		e := &snap.Edges[i]
		off += math.Abs(float64(s.model.reference.Score(e.Source, e.Relation, e.Destination) - card.model.reference.Score(e.Source, e.Relation, e.Destination)))
	}
	if off /= float64(len(snap.Edges)); off > 2e-3 {
		t.Errorf("scores are %v apart on average", off)
	}
	again, _ := train(t, snap, cfg)
	if string(encoded(t, card.Model())) != string(encoded(t, again.Model())) {
		t.Error("the same training gives other parameters the second time")
	}
	// What is computed to be needed does.
	if d, err := cuda.Open(0); err == nil && d.Name == "host build of the kernels" {
		d.Close()
		for _, dim := range []int{16, 128} {
			cfg.Dim = dim
			need := cuda.NeedReference(cuda.ReferenceConfig{
				Nodes: len(snap.Nodes), Relations: len(snap.Relations), Dim: dim, Sample: 2 * cfg.Sample,
			}, len(snap.Edges))
			t.Setenv("FAKECUDA_MEMORY", strconv.FormatInt(need, 10))
			if _, r := train(t, snap, cfg); r.Device == device.CPU {
				t.Errorf("dim %d: %d bytes did not do: %+v", dim, need, r)
			}
		}
	}
	// Too small a card, and a lost one: the CPU takes over, with the reason.
	auto := onAuto(t)
	cfg.Device = auto.Device
	t.Setenv("FAKECUDA_MEMORY", "1000000")
	if d, err := cuda.Open(0); err == nil && d.Name == "host build of the kernels" {
		d.Close()
		if _, r := train(t, snap, cfg); r.Device != device.CPU || r.Fallback == nil || !strings.Contains(r.Fallback.Error(), "MiB free") {
			t.Errorf("%+v", r)
		}
		t.Setenv("FAKECUDA_MEMORY", "1000000000")
		t.Setenv("FAKECUDA_LAUNCHES", "500")
		if _, r := train(t, snap, cfg); r.Device != device.CPU || r.Fallback == nil || r.Steps != want.Steps {
			t.Errorf("%+v", r)
		}
	}
}

//go:build gpu

package model

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
)

// These tests train on both devices: on a card where there is one, else on the
// host build of the kernels behind a driver that is none (`make test` puts it in the way).

// A whole training there and here: the same decisions, the same scores but for rounding.
func TestCUDATraining(t *testing.T) {
	modeltest.NeedsCUDA(t)
	g := modeltest.Graph(t, modeltest.Hub(4, 3000))
	cfg := quickConfig()
	snap := g.Snapshot()
	s, want := train(t, snap, cfg)
	cfg.Device = device.CUDA
	card, got := train(t, snap, cfg)
	if !strings.HasPrefix(got.Device, "cuda:0 ") || got.Fallback != nil || got.Steps != want.Steps {
		t.Errorf("%+v", got)
	}
	if math.Abs(got.Quality-want.Quality) > 0.005 || math.Abs(float64(got.Loss-want.Loss)) > 0.01 {
		t.Errorf("held-out AUC %v and loss %v, on the CPU %v and %v", got.Quality, got.Loss, want.Quality, want.Loss)
	}
	refs := make([]graphbuf.Ref, 500)
	events := modeltest.Hub(4, 3000)[2500:]
	g.Observe(events, refs)
	var off float64
	for i := range refs {
		off += math.Abs(float64(s.Score(g, &events[i], &refs[i]) - card.Score(g, &events[i], &refs[i])))
	}
	if off /= float64(len(refs)); off > 1e-3 {
		t.Errorf("scores are %v apart on average", off)
	}
	again, _ := train(t, snap, cfg)
	a, _ := card.Model().AppendBinary(nil)
	b, _ := again.Model().AppendBinary(nil)
	if string(a) != string(b) {
		t.Error("the same training gives other parameters the second time")
	}
	// A warm start on the other device than the one before.
	cfg.Previous = s.Model()
	alone := cfg
	alone.Device = device.CPU
	for took, i := events[len(events)-1].Time-events[0].Time, 0; i < len(events); i++ {
		events[i].Time += took
	}
	g.Observe(events, refs)
	later := g.Snapshot()
	_, want = train(t, later, alone)
	if _, r := train(t, later, cfg); !r.Warm || r.Steps != want.Steps || r.Steps < 2 {
		t.Errorf("%+v, want %d steps", r, want.Steps)
	}
}

// onAuto lets Auto take the card however small the graph is.
func onAuto(t *testing.T) Config {
	from := device.AutoEdges
	device.AutoEdges = 0
	t.Cleanup(func() { device.AutoEdges = from })
	cfg := quickConfig()
	cfg.Device = device.Auto
	return cfg
}

// freeMemory is how much of the card nobody uses, in bytes, as a program sees it that has a context there.
func freeMemory(t *testing.T) int64 {
	t.Helper()
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, err := d.Free()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCUDAStopsAndGivesBack(t *testing.T) {
	modeltest.NeedsCUDA(t)
	before := freeMemory(t)
	cfg := onAuto(t)
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	ctx, cancel := context.WithCancel(context.Background())
	told := 0
	_, _, err := Train(ctx, snap, cfg, func(step, _ int, _ float32) {
		if told = step; step == 10 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || told > 13 {
		t.Errorf("stopped at step 10: %v after %d steps", err, told)
	}
	for range 3 {
		if _, r := train(t, snap, cfg); !strings.HasPrefix(r.Device, device.CUDA) {
			t.Fatalf("%+v", r)
		}
	}
	if after := freeMemory(t); after != before {
		t.Errorf("%d bytes of the device are free, %d were before", after, before)
	}
}

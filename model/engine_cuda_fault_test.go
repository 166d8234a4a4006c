//go:build gpu

package model

import (
	"context"
	"errors"
	"sort"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/temporal"
)

// Faults need the driver that is none: it can lose its device and lack memory when asked to.
func needsFake(t *testing.T) {
	t.Helper()
	modeltest.NeedsCUDA(t)
	if name, _ := cuda.Probe(0); name != "host build of the kernels" {
		t.Skip("not on a real card")
	}
}

// A card that is lost at whatever launch, the last ones included: Auto goes on on the CPU and gives the
// very model that the CPU gives alone, CUDA fails.
func TestCUDALost(t *testing.T) {
	needsFake(t)
	cfg := onAuto(t)
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	cfg.Device = device.CPU
	alone, _ := train(t, snap, cfg)
	want := string(encoded(t, alone.Model()))

	lost := func(launches int) error {
		t.Helper()
		t.Setenv("FAKECUDA_LAUNCHES", strconv.Itoa(launches))
		cfg.Device = device.CUDA
		_, _, err := Train(context.Background(), snap, cfg, nil)
		return err
	}
	enough := sort.Search(1<<16, func(launches int) bool { return lost(launches) == nil })
	for _, launches := range []int{0, 1, 40, enough / 2, enough - 60, enough - 30, enough - 8, enough - 1} {
		if err := lost(launches); !errors.Is(err, device.ErrFailed) {
			t.Errorf("lost after %d launches: %v", launches, err)
		}
		cfg.Device = device.Auto
		s, r := train(t, snap, cfg)
		if r.Device != device.CPU || !errors.Is(r.Fallback, device.ErrFailed) || r.Steps != withNewest(cfg.Steps) {
			t.Errorf("lost after %d launches: %+v", launches, r)
		}
		if string(encoded(t, s.Model())) != want {
			t.Errorf("lost after %d of %d launches: the model is another than the CPU's alone", launches, enough)
		}
	}
	t.Setenv("FAKECUDA_LAUNCHES", "1000000000")
	cfg.Device = device.Auto
	if _, r := train(t, snap, cfg); r.Device == device.CPU || r.Fallback != nil {
		t.Errorf("the card is back: %+v", r)
	}
}

func TestCUDAMemory(t *testing.T) {
	needsFake(t)
	cfg := onAuto(t)
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	// Less than computed: refused before it is asked for, with both numbers.
	t.Setenv("FAKECUDA_MEMORY", "9000000")
	_, r := train(t, snap, cfg)
	if r.Device != device.CPU || r.Fallback == nil || !strings.Contains(r.Fallback.Error(), "MiB of host build of the kernels, which has 8 MiB free") {
		t.Errorf("%+v", r)
	}
}

// What Need computes is what a training takes at most.
func TestCUDANeed(t *testing.T) {
	needsFake(t)
	snap := modeltest.Graph(t, modeltest.Hub(3, 4000)).Snapshot()
	ds := temporal.NewDataset(snap, nil, nil)
	for _, dim := range []int{64, 1024} {
		cfg := onAuto(t)
		cfg.Dim = dim
		need := cuda.Need(cuda.Config{
			Sources: len(ds.Sources), Destinations: len(ds.Destinations), Relations: ds.Relations, Dim: dim,
			MaxBatch: temporal.SampleSize * (1 + cfg.Negatives),
		}, len(ds.Edges))
		t.Setenv("FAKECUDA_MEMORY", strconv.FormatInt(need, 10))
		if _, r := train(t, snap, cfg); r.Device == device.CPU {
			t.Errorf("dim %d: what was computed did not do: %+v", dim, r)
		}
	}
}

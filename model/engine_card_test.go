//go:build gpu

package model

import (
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
	"gorgonia.org/cu"
)

// needsCard skips where there is no real card. `build/oncard.sh` runs these tests on one.
func needsCard(t testing.TB) {
	t.Helper()
	modeltest.NeedsCUDA(t)
	if name, _ := cuda.Probe(0); name == "host build of the kernels" {
		t.Skip("the driver for tests cannot do this: a real card is needed")
	}
}

// fault is a kernel that writes where no memory is. Whatever is asked of its context afterwards
// fails, as when a card falls off the bus.
const fault = `.version 6.3
.target sm_75
.address_size 64
.visible .entry fault() {
	.reg .b64 %a;
	.reg .b32 %x;
	mov.u64 %a, 16;
	mov.u32 %x, 1;
	st.global.u32 [%a], %x;
	ret;
}
`

// breakContext makes the context that is current on this thread unusable.
func breakContext() error {
	module, err := cu.LoadData(fault + "\x00")
	if err != nil {
		return err
	}
	kernel, err := module.Function("fault")
	if err != nil {
		return err
	}
	return kernel.Launch(1, 1, 1, 1, 1, 1, 0, cu.Stream{}, nil)
}

// A context that breaks in the middle of a training costs one warning: the CPU gives the very model that
// it gives alone.
func TestCardLost(t *testing.T) {
	needsCard(t)
	cfg := onAuto(t)
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	cpu := cfg
	cpu.Device = device.CPU
	want, _ := train(t, snap, cpu)
	broken := false
	got, r, err := Train(t.Context(), snap, cfg, func(step, _ int, _ float32) {
		if step >= 10 && !broken {
			broken = true
			if err := breakContext(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !broken || r.Device != device.CPU || !errors.Is(r.Fallback, device.ErrFailed) {
		t.Errorf("%+v", r)
	}
	t.Log(r.Fallback)
	if string(encoded(t, got.Model())) != string(encoded(t, want.Model())) {
		t.Error("the model is another than the CPU's alone")
	}
	// Whether the driver goes on in this process is its own affair; the training has to.
	_, r = train(t, snap, cfg)
	t.Logf("the next training of this process: on %s, %v", r.Device, r.Fallback)
	if r.Device == device.CPU && r.Fallback == nil {
		t.Errorf("%+v", r)
	}
}

// While another program holds most of the card's memory the CPU trains.
func TestCardCrowded(t *testing.T) {
	needsCard(t)
	cfg := onAuto(t)
	cfg.Dim = 1024
	snap := modeltest.Graph(t, modeltest.Hub(3, 4000)).Snapshot()
	cpu := cfg
	cpu.Device = device.CPU
	want, _ := train(t, snap, cpu)
	for _, left := range []int64{16 << 20, 560 << 20} {
		hold, release := make(chan error), make(chan struct{})
		var done sync.WaitGroup
		done.Go(func() {
			d, err := cuda.Open(0)
			if err != nil {
				hold <- err
				return
			}
			defer d.Close()
			free, err := d.Free()
			if err != nil {
				hold <- err
				return
			}
			p, err := cu.MemAlloc(free - left)
			hold <- err
			<-release
			cu.MemFree(p)
		})
		if err := <-hold; err != nil {
			t.Fatal(err)
		}
		s, r := train(t, snap, cfg)
		close(release)
		done.Wait()
		t.Logf("%d MiB left: on %s, %v", left>>20, r.Device, r.Fallback)
		if r.Device == device.CPU && !errors.Is(r.Fallback, device.ErrFailed) {
			t.Errorf("%d MiB left: %+v", left>>20, r)
		}
		if r.Device == device.CPU && string(encoded(t, s.Model())) != string(encoded(t, want.Model())) {
			t.Errorf("%d MiB left: the model is another than the CPU's alone", left>>20)
		}
	}
	if _, r := train(t, snap, cfg); !strings.HasPrefix(r.Device, device.CUDA) {
		t.Errorf("the card is free again: %+v", r)
	}
}

// Two trainings at once give what each gives alone.
func TestCUDATwoAtOnce(t *testing.T) {
	modeltest.NeedsCUDA(t)
	snap := modeltest.Graph(t, modeltest.Hub(4, 3000)).Snapshot()
	cfg := quickConfig()
	cfg.Device = device.CUDA
	alone, _ := train(t, snap, cfg)
	want := string(encoded(t, alone.Model()))
	trained := make(chan *Scorer, 4)
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			for range 2 {
				s, _, err := Train(t.Context(), snap, cfg, nil)
				if err != nil {
					t.Error(err)
					continue
				}
				trained <- s
			}
		})
	}
	done.Wait()
	close(trained)
	for s := range trained {
		if string(encoded(t, s.Model())) != want {
			t.Error("two trainings at once give another model than one alone")
		}
	}
}

// TestCUDAMemoryGivenBack makes RGCN_TRAININGS trainings, ten without it, and looks at what is left of the
// card's memory and of the process's. The first ones are not counted: driver and allocators keep some.
func TestCUDAMemoryGivenBack(t *testing.T) {
	modeltest.NeedsCUDA(t)
	n, _ := strconv.Atoi(os.Getenv("RGCN_TRAININGS"))
	n = max(n, 10)
	snap := modeltest.Graph(t, modeltest.Hub(4, 3000)).Snapshot()
	cfg := quickConfig()
	cfg.Device = device.CUDA
	resident := func() int64 {
		debug.FreeOSMemory()
		b, _ := os.ReadFile("/proc/self/statm")
		pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	for range n / 2 {
		train(t, snap, cfg)
	}
	before, process := freeMemory(t), resident()
	for range n {
		train(t, snap, cfg)
	}
	after, grown := freeMemory(t), resident()-process
	t.Logf("%d trainings: %d MiB of the card free before, %d MiB after; resident %d KiB before, %d KiB more after",
		n, before>>20, after>>20, process>>10, grown>>10)
	if after < before-(1<<20) {
		t.Errorf("%d bytes of the card are free, %d were before", after, before)
	}
	if most := int64(n)*100<<10 + 8<<20; grown > most {
		t.Errorf("the process grew by %d KiB in %d trainings, want at most %d", grown>>10, n, most>>10)
	}
}

//go:build gpu

package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/cuda"
)

// These tests drive both twins over the same inputs: on a card where there is one, else on the
// host build of the kernels behind a driver that is none (`make test` puts it in the way).

func needsCUDA(t testing.TB) {
	t.Helper()
	name, err := probeCUDA(0)
	if err != nil {
		t.Skip(err)
	}
	t.Log(name)
}

// hub makes sessions of which many go from and to the same hosts, so that sums have several levels.
func hub(seed uint64, events int) []graphbuf.Event {
	out := teams(seed, 300, events)
	for i := range out {
		if i%3 == 0 {
			out[i].Destination = []byte("hub")
		}
		if i%4 == 0 {
			out[i].Source, out[i].Destination = []byte("bastion"), fmt.Appendf(nil, "server-%d", i%700)
		}
		if i%5 == 0 { // a host of its own day, so that there is something near
			out[i].Source = fmt.Appendf(nil, "new-%d", i/20)
		}
	}
	return out
}

type twins struct {
	cfg     Config
	ds      *dataset
	windows *windows
	params  [2]*params // on the CPU, on the card
	engines [2]engine
}

func newTwins(t *testing.T, cfg Config, steps int) *twins {
	t.Helper()
	snap := graphOf(t, hub(3, 4000)).Snapshot()
	w := &twins{cfg: cfg, ds: newDataset(snap, cfg.Features)}
	w.windows, _ = newWindows(w.ds, false)
	var sums scalingSums
	var b batch
	for i := range w.windows.len() {
		w.windows.get(i).sample(w.ds, &b, newPhilox(cfg.Seed, uint64(i)), sampleSize, cfg.sampling())
		sums.add(&b)
	}
	scaling := sums.scaling()
	for i := featWalk; i < features; i++ {
		scaling.Mean[i], scaling.Inv[i] = 0.02*float32(i-featWalk), 1-0.1*float32(i-featWalk)
	}
	for i := range w.engines {
		w.params[i] = newParams(cfg.network(), w.ds.relations)
		rng := newPhilox(7, 7)
		for _, q := range w.params[i].list { // away from the start, where many gradients vanish
			noise := make([]float32, len(q.value))
			normal(rng, noise, 0.2)
			axpy(1, noise, q.value)
		}
		spec := engineSpec{
			network: cfg.network(), shape: shape{len(w.ds.sources), len(w.ds.destinations), w.ds.relations},
			params: w.params[i], scaling: &scaling,
			x: fixedInputs(snap, w.ds.destinations, cfg.Dim), y: fixedInputs(snap, w.ds.sources, cfg.Dim),
			device: []string{CPU, CUDA}[i], steps: steps, edges: len(w.ds.edges), maxBatch: sampleSize * (1 + cfg.Negatives), dropout: cfg.Dropout,
		}
		on, err := newEngine(spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(on.engine.close)
		w.engines[i] = on.engine
	}
	return w
}

// pass lets both make the same pass.
func (w *twins) pass(t *testing.T, step, rounds int) {
	t.Helper()
	batches, rates := make([]stepBatch, rounds), make([]float64, rounds)
	win := w.windows.get(step % w.windows.len())
	for i := range batches {
		rng := newPhilox(5, uint64(step*100+i))
		win.sample(w.ds, &batches[i].batch, rng, sampleSize, w.cfg.sampling())
		batches[i].dropout(rng, w.cfg.Dropout)
		rates[i] = 0.004
	}
	for _, e := range w.engines {
		if err := e.pass(win, batches, rates); err != nil {
			t.Fatal(err)
		}
	}
}

// apart is the largest difference of two tensors against the largest of their values.
func apart(a, b []float32) float64 {
	var most, size float64
	for i := range a {
		d := math.Abs(float64(a[i] - b[i]))
		if !(d <= most) {
			most = d
		}
		size = max(size, math.Abs(float64(a[i])))
	}
	if size == 0 {
		return most
	}
	return most / size
}

func TestCUDAGradientsAndLosses(t *testing.T) {
	needsCUDA(t)
	for _, c := range []struct {
		decoder  string
		dim      int
		dropout  float64
		without  []string
		features NodeFeatures
	}{
		{DistMult, 128, 0.1, nil, nil}, {TransE, 32, 0, nil, nil}, {RotatE, 32, 0.2, nil, byLetters(2)}, {DistMult, 4, 0, nil, nil},
		{RotatE, 132, 0.1, nil, nil}, {DistMult, 32, 0, []string{"near", "relational"}, nil},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := quickConfig()
			cfg.Dim, cfg.Decoder, cfg.Dropout, cfg.Without, cfg.Features = c.dim, c.decoder, c.dropout, c.without, c.features
			w := newTwins(t, cfg, 3)
			w.pass(t, 1, 3)
			card, cpu := w.engines[1].(*cudaEngine), w.engines[0].(*cpuEngine)
			err := card.net.Sync()
			if err != nil {
				t.Fatal(err)
			}
			var mean float64
			for _, x := range card.losses() {
				mean += float64(x) / 3
			}
			if want := float64(cpu.done[0]); math.Abs(mean-want) > 1e-4*want {
				t.Errorf("the loss is %v, the twin's %v", mean, want)
			}
			var got [3][]float32
			for i := range got {
				if got[i], err = card.net.Gradient(cuda.Tensor(i)); err != nil {
					t.Fatal(err)
				}
			}
			var at [3]int
			for i, p := range cpu.net.params.list {
				tensor, want := cuda.DecoderWeights, cpu.net.grads[i]
				switch {
				case p.layer:
					tensor = cuda.Layers
				case p.perRelation:
					tensor = cuda.Relations
				}
				g := got[tensor][at[tensor]:][:len(p.value)]
				at[tensor] += len(p.value)
				if a := apart(want, g); !(a < 1e-4) {
					t.Errorf("gradient of %s: %g apart", p.name, a)
				}
				if len(c.without) == 0 && apart(make([]float32, len(want)), want) == 0 {
					t.Errorf("gradient of %s: nothing to compare", p.name)
				}
			}
		})
	}
}

func TestCUDAParametersAndEmbeddings(t *testing.T) {
	needsCUDA(t)
	for _, decoder := range []string{DistMult, RotatE} {
		cfg := quickConfig()
		cfg.Dim, cfg.Decoder = 64, decoder
		w := newTwins(t, cfg, 60)
		for step := range 30 {
			w.pass(t, step, 2)
		}
		var e [2]*embeddings
		c := newCut(w.ds, w.ds.end+1, newOrders(w.ds))
		for i, eng := range w.engines {
			if err := eng.finish(); err != nil {
				t.Fatal(err)
			}
			if n := len(eng.losses()); n != 60 {
				t.Errorf("%d losses of 60 steps", n)
			}
			var err error
			if e[i], err = eng.embed(w.params[i], c); err != nil {
				t.Fatal(err)
			}
		}
		a, b := w.params[0], w.params[1]
		if a.step != b.step || a.passes != b.passes {
			t.Errorf("steps %d and %d, passes %d and %d", a.step, b.step, a.passes, b.passes)
		}
		for i, p := range a.list {
			// Where a gradient is next to nothing, Adam makes a step of its sign all the same.
			if d := apart(p.value, b.list[i].value); !(d < 0.005) {
				t.Errorf("%s: %s is %g apart after 30 passes", decoder, p.name, d)
			}
		}
		for i, x := range [][2][]float32{{e[0].u, e[1].u}, {e[0].v, e[1].v}, {e[0].c, e[1].c}, {e[0].m, e[1].m}} {
			if d := apart(x[0], x[1]); !(d < 1e-3) {
				t.Errorf("%s: embedding %d is %g apart", decoder, i, d)
			}
		}
	}
}

// A whole training there and here: the same decisions, the same scores but for rounding.
func TestCUDATraining(t *testing.T) {
	needsCUDA(t)
	g := graphOf(t, hub(4, 3000))
	cfg := quickConfig()
	snap := g.Snapshot()
	s, want := train(t, snap, cfg)
	cfg.Device = CUDA
	card, got := train(t, snap, cfg)
	if !strings.HasPrefix(got.Device, "cuda:0 ") || got.Fallback != nil || got.Steps != cfg.Steps {
		t.Errorf("%+v", got)
	}
	if math.Abs(got.Quality-want.Quality) > 0.005 || math.Abs(float64(got.Loss-want.Loss)) > 0.01 {
		t.Errorf("held-out AUC %v and loss %v, on the CPU %v and %v", got.Quality, got.Loss, want.Quality, want.Loss)
	}
	refs := make([]graphbuf.Ref, 500)
	events := hub(4, 3000)[2500:]
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
	if _, r := train(t, snap, cfg); !r.Warm || r.Steps != cfg.Steps/4 {
		t.Errorf("%+v", r)
	}
}

// onAuto lets Auto take the card however small the graph is.
func onAuto(t *testing.T) Config {
	from := cudaFrom
	cudaFrom = 0
	t.Cleanup(func() { cudaFrom = from })
	cfg := quickConfig()
	cfg.Device = Auto
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
	needsCUDA(t)
	before := freeMemory(t)
	cfg := onAuto(t)
	snap := graphOf(t, teams(1, 40, 2000)).Snapshot()
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
		if _, r := train(t, snap, cfg); !strings.HasPrefix(r.Device, CUDA) {
			t.Fatalf("%+v", r)
		}
	}
	if after := freeMemory(t); after != before {
		t.Errorf("%d bytes of the device are free, %d were before", after, before)
	}
}

//go:build gpu

package model

import (
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// These tests drive both twins over the same inputs: on a card where there is one, else on the
// host build of the kernels behind a driver that is none (`make test` puts it in the way).

func needsDevice(t testing.TB) {
	t.Helper()
	name, err := device.Probe(0)
	if err != nil {
		t.Skip(err)
	}
	t.Log(name)
}

// negatives is how many corrupted triplets the twins see for each positive.
const negatives = 4

type twins struct {
	dropout float64
	ds      *temporal.Dataset
	windows *temporal.Windows
	params  [2]*optim.Params // on the CPU, on the card
	engines [2]engine
}

func newTwins(t *testing.T, cfg networkConfig, dropout float64, hosts NodeFeatures, steps int) *twins {
	t.Helper()
	snap := modeltest.Graph(t, modeltest.Hub(3, 4000)).Snapshot()
	w := &twins{dropout: dropout, ds: temporal.NewDataset(snap, hosts)}
	w.windows, _ = temporal.NewWindows(w.ds, false)
	var sums scalingSums
	var b temporal.Batch
	for i := range w.windows.Len() {
		w.windows.Get(i).Sample(w.ds, &b, num.NewPhilox(cfg.seed, uint64(i)), temporal.SampleSize, temporal.Sampling{Negatives: negatives, Campaigns: true})
		sums.add(&b)
	}
	scaling := sums.scaling()
	for i := featWalk; i < features; i++ {
		scaling.Mean[i], scaling.Inv[i] = 0.02*float32(i-featWalk), 1-0.1*float32(i-featWalk)
	}
	for i := range w.engines {
		w.params[i] = newParams(cfg, w.ds.Relations)
		rng := num.NewPhilox(7, 7)
		for _, q := range w.params[i].List { // away from the start, where many gradients vanish
			noise := make([]float32, len(q.Value))
			num.Normal(rng, noise, 0.2)
			num.AddScaled(1, noise, q.Value)
		}
		spec := engineSpec{
			network: cfg, shape: shape{len(w.ds.Sources), len(w.ds.Destinations), w.ds.Relations},
			params: w.params[i], scaling: &scaling,
			x: fixedInputs(snap, w.ds.Destinations, cfg.dim), y: fixedInputs(snap, w.ds.Sources, cfg.dim),
			device: []string{device.CPU, device.CUDA}[i], steps: steps, edges: len(w.ds.Edges), maxBatch: temporal.SampleSize * (1 + negatives), dropout: dropout,
		}
		on, err := newEngine(spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(on.Engine.close)
		w.engines[i] = on.Engine
	}
	return w
}

// pass lets both make the same pass.
func (w *twins) pass(t *testing.T, step, rounds int) {
	t.Helper()
	batches, rates := make([]stepBatch, rounds), make([]float64, rounds)
	win := w.windows.Get(step % w.windows.Len())
	for i := range batches {
		rng := num.NewPhilox(5, uint64(step*100+i))
		win.Sample(w.ds, &batches[i].Batch, rng, temporal.SampleSize, temporal.Sampling{Negatives: negatives, Campaigns: true})
		batches[i].dropout(rng, w.dropout)
		rates[i] = 0.004
	}
	for _, e := range w.engines {
		if err := e.pass(win, batches, rates); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCUDAGradientsAndLosses(t *testing.T) {
	needsDevice(t)
	for _, c := range []struct {
		decoder  string
		dim      int
		dropout  float64
		without  []int // inputs of the decoder
		features NodeFeatures
	}{
		{DistMult, 128, 0.1, nil, nil}, {TransE, 32, 0, nil, nil}, {RotatE, 32, 0.2, nil, modeltest.ByLetters(2)}, {DistMult, 4, 0, nil, nil},
		{RotatE, 132, 0.1, nil, nil}, {DistMult, 32, 0, []int{featNear, featRel}, nil},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := testNetwork(c.dim, c.decoder)
			if len(c.without) > 0 {
				cfg.mask = new([features]bool)
				for _, i := range c.without {
					cfg.mask[i] = true
				}
			}
			w := newTwins(t, cfg, c.dropout, c.features, 3)
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
			for i, p := range cpu.net.params.List {
				tensor, want := cuda.DecoderWeights, cpu.net.grads[i]
				switch {
				case p.Layer:
					tensor = cuda.Layers
				case p.PerRelation:
					tensor = cuda.Relations
				}
				g := got[tensor][at[tensor]:][:len(p.Value)]
				at[tensor] += len(p.Value)
				if a := modeltest.Distance(want, g); !(a < 1e-4) {
					t.Errorf("gradient of %s: %g apart", p.Name, a)
				}
				if len(c.without) == 0 && modeltest.Distance(make([]float32, len(want)), want) == 0 {
					t.Errorf("gradient of %s: nothing to compare", p.Name)
				}
			}
		})
	}
}

func TestCUDAParametersAndEmbeddings(t *testing.T) {
	needsDevice(t)
	for _, decoder := range []string{DistMult, RotatE} {
		w := newTwins(t, testNetwork(64, decoder), 0.1, nil, 60)
		for step := range 30 {
			w.pass(t, step, 2)
		}
		var e [2]*embeddings
		c := temporal.NewCut(w.ds, w.ds.End+1, temporal.NewOrders(w.ds))
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
		if a.Steps != b.Steps || a.Passes != b.Passes {
			t.Errorf("steps %d and %d, passes %d and %d", a.Steps, b.Steps, a.Passes, b.Passes)
		}
		for i, p := range a.List {
			// Where a gradient is next to nothing, Adam makes a step of its sign all the same.
			if d := modeltest.Distance(p.Value, b.List[i].Value); !(d < 0.005) {
				t.Errorf("%s: %s is %g apart after 30 passes", decoder, p.Name, d)
			}
		}
		for i, x := range [][2][]float32{{e[0].u, e[1].u}, {e[0].v, e[1].v}, {e[0].c, e[1].c}, {e[0].m, e[1].m}} {
			if d := modeltest.Distance(x[0], x[1]); !(d < 1e-3) {
				t.Errorf("%s: embedding %d is %g apart", decoder, i, d)
			}
		}
	}
}

//go:build gpu

package gnn

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

// negatives is how many corrupted triplets the twins see for each positive.
const negatives = 4

type twins struct {
	dropout float64
	ds      *temporal.Dataset
	windows *temporal.Windows
	params  [2]*optim.Params // on the CPU, on the card
	engines [2]Engine
}

func newTwins(t *testing.T, cfg Config, dropout float64, hosts temporal.HostFeatures, steps int) *twins {
	t.Helper()
	snap := modeltest.Graph(t, modeltest.Hub(3, 4000)).Snapshot()
	w := &twins{dropout: dropout, ds: temporal.NewDataset(snap, hosts, nil)}
	w.windows, _ = temporal.NewWindows(w.ds, false)
	var sums ScalingSums
	var b temporal.Batch
	for i := range w.windows.Len() {
		w.windows.Get(i).Sample(w.ds, &b, num.NewPhilox(cfg.Seed, uint64(i)), temporal.SampleSize, temporal.Sampling{Negatives: negatives, Campaigns: true})
		sums.Add(&b)
	}
	scaling := sums.Scaling()
	for i := InputWalk; i < NumInputs; i++ {
		scaling.Mean[i], scaling.Inv[i] = 0.02*float32(i-InputWalk), 1-0.1*float32(i-InputWalk)
	}
	for i := range w.engines {
		w.params[i] = NewParams(cfg, w.ds.Relations)
		rng := num.NewPhilox(7, 8)           // a draw with which no gradient is a sum that nearly cancels
		for _, q := range w.params[i].List { // away from the start, where many gradients vanish
			noise := make([]float32, len(q.Value))
			num.Normal(rng, noise, 0.2)
			num.AddScaled(1, noise, q.Value)
		}
		spec := Spec{
			Network: cfg, Shape: Shape{len(w.ds.Sources), len(w.ds.Destinations), w.ds.Relations},
			Params: w.params[i], Scaling: &scaling,
			DestinationInputs: FixedInputs(snap, w.ds.Destinations, cfg.Dim), SourceInputs: FixedInputs(snap, w.ds.Sources, cfg.Dim),
			Device: []string{device.CPU, device.CUDA}[i], Steps: steps, Edges: len(w.ds.Edges), MaxBatch: temporal.SampleSize * (1 + negatives), Dropout: dropout,
		}
		on, err := NewEngine(spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(on.Engine.Close)
		w.engines[i] = on.Engine
	}
	return w
}

// pass lets both make the same pass.
func (w *twins) pass(t *testing.T, step, rounds int) {
	t.Helper()
	batches, rates := make([]StepBatch, rounds), make([]float64, rounds)
	win := w.windows.Get(step % w.windows.Len())
	for i := range batches {
		rng := num.NewPhilox(5, uint64(step*100+i))
		win.Sample(w.ds, &batches[i].Batch, rng, temporal.SampleSize, temporal.Sampling{Negatives: negatives, Campaigns: true})
		batches[i].Dropout(rng, w.dropout)
		rates[i] = 0.004
	}
	for _, e := range w.engines {
		if err := e.Pass(win, batches, rates); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCUDAGradientsAndLosses(t *testing.T) {
	modeltest.NeedsCUDA(t)
	for _, c := range []struct {
		decoder  string
		dim      int
		dropout  float64
		without  []int // inputs of the decoder
		features temporal.HostFeatures
	}{
		{DistMult, 128, 0.1, nil, nil}, {TransE, 32, 0, nil, nil}, {RotatE, 32, 0.2, nil, modeltest.ByLetters(2)}, {DistMult, 4, 0, nil, nil},
		{RotatE, 132, 0.1, nil, nil}, {DistMult, 32, 0, []int{InputNeighbours, InputRelational}, nil},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := testNetwork(c.dim, c.decoder)
			if len(c.without) > 0 {
				cfg.Mask = new([NumInputs]bool)
				for _, i := range c.without {
					cfg.Mask[i] = true
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
			for _, x := range card.Losses() {
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
	modeltest.NeedsCUDA(t)
	for _, decoder := range []string{DistMult, RotatE} {
		w := newTwins(t, testNetwork(64, decoder), 0.1, nil, 60)
		for step := range 30 {
			w.pass(t, step, 2)
		}
		var e [2]*Embeddings
		c := temporal.NewCut(w.ds, w.ds.End+1, temporal.NewOrders(w.ds))
		for i, eng := range w.engines {
			if err := eng.Finish(); err != nil {
				t.Fatal(err)
			}
			if n := len(eng.Losses()); n != 60 {
				t.Errorf("%d losses of 60 steps", n)
			}
			var err error
			if e[i], err = eng.Embed(w.params[i], c); err != nil {
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
		for i, x := range [][2][]float32{{e[0].SourceWalk, e[1].SourceWalk}, {e[0].DestinationWalk, e[1].DestinationWalk}, {e[0].DestinationProfile, e[1].DestinationProfile}, {e[0].SourceProfile, e[1].SourceProfile}} {
			if d := modeltest.Distance(x[0], x[1]); !(d < 1e-3) {
				t.Errorf("%s: embedding %d is %g apart", decoder, i, d)
			}
		}
	}
}

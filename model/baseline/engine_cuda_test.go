//go:build gpu

package baseline

import (
	"context"
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// referenceTwins are the same network on the CPU and on the card, and the events they learn from.
func referenceTwins(t *testing.T, cfg Config) (train *eventTable, host *network, card *cudaEngine) {
	t.Helper()
	snap := modeltest.Graph(t, modeltest.Hub(3, 4000)).Snapshot()
	train, _, err := splitEvents(context.Background(), snap.Edges, cfg.TrainShare, num.NewPhilox(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	var nets [2]*network
	for i := range nets {
		nets[i] = newNetwork(cfg, len(snap.Nodes), len(snap.Relations))
		rng := num.NewPhilox(7, 7)
		for _, l := range nets[i].layers { // away from zero, where they start
			num.Normal(rng, l.bias, 0.3)
		}
	}
	e, _, err := newCUDAEngine(0, nets[1], len(snap.Edges))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return train, nets[0], e.(*cudaEngine)
}

func quickTwin(decoder string, dim int, dropout float64) Config {
	cfg := Default()
	cfg.Dim, cfg.Decoder, cfg.Dropout = dim, decoder, dropout
	cfg.Epochs, cfg.StepsPerEpoch, cfg.Sample = 1, 30, 700
	return cfg
}

func TestCUDAReferenceGradientsAndLosses(t *testing.T) {
	modeltest.NeedsCUDA(t)
	for _, c := range []struct {
		decoder string
		dim     int
		dropout float64
	}{{DistMult, 32, 0.2}, {TransE, 8, 0.5}, {RotatE, 20, 0}, {DistMult, 132, 0.1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := quickTwin(c.decoder, c.dim, c.dropout)
			train, host, card := referenceTwins(t, cfg)
			a, b := num.NewPhilox(cfg.Seed, num.StreamSample), num.NewPhilox(cfg.Seed, num.StreamSample)
			for range 2 { // the second draws behind what the first drew
				want := host.step(train, a)
				if err := card.step(train, b); err != nil {
					t.Fatal(err)
				}
				if a.Position() != b.Position() {
					t.Fatalf("draw %d, the twin %d", b.Position(), a.Position())
				}
				if err := card.net.Sync(); err != nil {
					t.Fatal(err)
				}
				losses := card.losses()
				if got := losses[len(losses)-1]; math.Abs(float64(got-want)) > 1e-4*math.Abs(float64(want)) {
					t.Errorf("the loss is %v, the twin's %v", got, want)
				}
				var grads [][]float32
				all := make([]float32, 0)
				for _, g := range host.grads {
					all = append(all, make([]float32, len(g))...)
				}
				if err := card.net.Gradients(all); err != nil {
					t.Fatal(err)
				}
				for _, g := range host.grads {
					grads = append(grads, all[:len(g)])
					all = all[len(g):]
				}
				clip(grads, maxNorm)
				for i, p := range host.params.List {
					if d := modeltest.Distance(host.grads[i], grads[i]); !(d < 1e-4) {
						t.Errorf("gradient of %s: %g apart", p.Name, d)
					}
					if modeltest.Distance(make([]float32, len(grads[i])), host.grads[i]) == 0 {
						t.Errorf("gradient of %s: nothing to compare", p.Name)
					}
				}
			}
		})
	}
}

func TestCUDAReferenceParametersAndEmbeddings(t *testing.T) {
	modeltest.NeedsCUDA(t)
	cfg := quickTwin(DistMult, 32, 0.2)
	train, host, card := referenceTwins(t, cfg)
	var parameters [2][][]float32
	var outputs [2][]float32
	for i, e := range []engine{&cpuEngine{net: host}, card} {
		if _, err := fit(context.Background(), e, train, num.NewPhilox(cfg.Seed, num.StreamSample), 30, nil); err != nil {
			t.Fatal(err)
		}
		net := []*network{host, card.host}[i]
		for _, p := range net.params.List {
			parameters[i] = append(parameters[i], p.Value)
		}
		out, err := e.embed(train)
		if err != nil {
			t.Fatal(err)
		}
		outputs[i] = out
	}
	for i, p := range host.params.List {
		if d := modeltest.Distance(parameters[0][i], parameters[1][i]); !(d < 0.01) {
			t.Errorf("%s is %g apart after 30 steps", p.Name, d)
		} else {
			t.Logf("%s is %g apart after 30 steps", p.Name, d)
		}
	}
	if d := modeltest.Distance(outputs[0], outputs[1]); !(d < 0.01) {
		t.Errorf("the embeddings are %g apart", d)
	}
}

// A whole training there and here gives the same scores but for rounding, and the same to the bit a second time.

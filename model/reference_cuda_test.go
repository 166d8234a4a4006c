//go:build gpu

package model

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/model/cuda"
)

// referenceTwins are the same network on the CPU and on the card, and the events they learn from.
func referenceTwins(t *testing.T, cfg referenceConfig) (train *eventTable, host *referenceNetwork, card *cudaReference) {
	t.Helper()
	snap := graphOf(t, hub(3, 4000)).Snapshot()
	train, _, err := splitEvents(context.Background(), snap.Edges, cfg.TrainShare, newPhilox(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	var nets [2]*referenceNetwork
	for i := range nets {
		nets[i] = newReferenceNetwork(cfg, len(snap.Nodes), len(snap.Relations))
		rng := newPhilox(7, 7)
		for _, l := range nets[i].layers { // away from zero, where they start
			normal(rng, l.bias, 0.3)
		}
	}
	e, _, err := newCUDAReference(0, nets[1], len(snap.Edges))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return train, nets[0], e.(*cudaReference)
}

func quickTwin(decoder string, dim int, dropout float64) referenceConfig {
	cfg := defaultReference()
	cfg.Dim, cfg.Decoder, cfg.Dropout = dim, decoder, dropout
	cfg.Epochs, cfg.StepsPerEpoch, cfg.Sample = 1, 30, 700
	return cfg
}

func TestCUDAReferenceGradientsAndLosses(t *testing.T) {
	needsCUDA(t)
	for _, c := range []struct {
		decoder string
		dim     int
		dropout float64
	}{{DistMult, 32, 0.2}, {TransE, 8, 0.5}, {RotatE, 20, 0}, {DistMult, 132, 0.1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := quickTwin(c.decoder, c.dim, c.dropout)
			train, host, card := referenceTwins(t, cfg)
			a, b := newPhilox(cfg.Seed, streamSample), newPhilox(cfg.Seed, streamSample)
			for range 2 { // the second draws behind what the first drew
				want := host.step(train, a)
				if err := card.step(train, b); err != nil {
					t.Fatal(err)
				}
				if a.position() != b.position() {
					t.Fatalf("draw %d, the twin %d", b.position(), a.position())
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
				clip(grads, referenceNorm)
				for i, p := range host.params.list {
					if d := apart(host.grads[i], grads[i]); !(d < 1e-4) {
						t.Errorf("gradient of %s: %g apart", p.name, d)
					}
					if apart(make([]float32, len(grads[i])), host.grads[i]) == 0 {
						t.Errorf("gradient of %s: nothing to compare", p.name)
					}
				}
			}
		})
	}
}

func TestCUDAReferenceParametersAndEmbeddings(t *testing.T) {
	needsCUDA(t)
	cfg := quickTwin(DistMult, 32, 0.2)
	train, host, card := referenceTwins(t, cfg)
	var parameters [2][][]float32
	var outputs [2][]float32
	for i, e := range []referenceEngine{&cpuReference{net: host}, card} {
		if _, err := fitReference(context.Background(), e, train, newPhilox(cfg.Seed, streamSample), 30, nil); err != nil {
			t.Fatal(err)
		}
		net := []*referenceNetwork{host, card.host}[i]
		for _, p := range net.params.list {
			parameters[i] = append(parameters[i], p.value)
		}
		out, err := e.embed(train)
		if err != nil {
			t.Fatal(err)
		}
		outputs[i] = out
	}
	for i, p := range host.params.list {
		if d := apart(parameters[0][i], parameters[1][i]); !(d < 0.01) {
			t.Errorf("%s is %g apart after 30 steps", p.name, d)
		} else {
			t.Logf("%s is %g apart after 30 steps", p.name, d)
		}
	}
	if d := apart(outputs[0], outputs[1]); !(d < 0.01) {
		t.Errorf("the embeddings are %g apart", d)
	}
}

// A whole training there and here gives the same scores but for rounding, and the same to the bit a second time.
func TestCUDAReferenceTraining(t *testing.T) {
	needsCUDA(t)
	snap := graphOf(t, hub(4, 3000)).Snapshot()
	cfg := DefaultReference()
	cfg.Steps, cfg.Sample, cfg.Dim = 60, 300, 16
	s, want := train(t, snap, cfg)
	cfg.Device = CUDA
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
		off += math.Abs(float64(s.model.reference.score(e.Source, e.Relation, e.Destination) - card.model.reference.score(e.Source, e.Relation, e.Destination)))
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
			if _, r := train(t, snap, cfg); r.Device == CPU {
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
		if _, r := train(t, snap, cfg); r.Device != CPU || r.Fallback == nil || !strings.Contains(r.Fallback.Error(), "MiB free") {
			t.Errorf("%+v", r)
		}
		t.Setenv("FAKECUDA_MEMORY", "1000000000")
		t.Setenv("FAKECUDA_LAUNCHES", "500")
		if _, r := train(t, snap, cfg); r.Device != CPU || r.Fallback == nil || r.Steps != want.Steps {
			t.Errorf("%+v", r)
		}
	}
}

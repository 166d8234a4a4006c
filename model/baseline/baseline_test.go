package baseline

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
)

func trainedReference(t testing.TB, snap *graphbuf.Snapshot, cfg Config) (*Model, Report) {
	t.Helper()
	m, report, err := Train(context.Background(), snap, cfg, device.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

func quickConfig() Config {
	cfg := Default()
	cfg.Dim, cfg.Epochs, cfg.StepsPerEpoch, cfg.Sample = 8, 4, 25, 100
	return cfg
}

// notebookUIDs are the identifiers of the notebook's own sessions, in the order of notebook.
func notebookUIDs(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(string(samples.Read(t, samples.Notebook))), "\n") {
		out = append(out, strings.Split(line, "\t")[1])
	}
	return out
}

// The notebook has a mean of 0.74, a standard deviation of 0.22, 88 flagged rows, and five
// sessions that it shows as its lowest. One run says little: over seeds the mean moves by
// 0.03 and the number of flagged rows by 50, here as in another framework, hence medians.
func TestReferenceFindsWhatTheNotebookFound(t *testing.T) {
	if testing.Short() {
		t.Skip("it judges scores of five whole trainings")
	}
	uids := notebookUIDs(t)
	events := modeltest.Notebook(t)
	snap := modeltest.Graph(t, events).Snapshot()
	index := func(names []graphbuf.Name) map[string]int32 {
		at := map[string]int32{}
		for i, n := range names {
			at[n.Name] = int32(i)
		}
		return at
	}
	nodes, relations := index(snap.Nodes), index(snap.Relations)
	shown := []string{"CH5EtE1xtwQmyxf5s1", "COqmtb2K1yl9ptmBC", "CvpN0F4oRP5Pc895fc", "CsO3K9zNNojTSGFhk", "CObILv2xfzVJkUXY6"}

	var means, sds, flags []float64
	alike := 0
	const seeds = 5
	for seed := range uint64(seeds) {
		cfg := Default()
		cfg.Seed = seed + 1
		m, report := trainedReference(t, snap, cfg)
		scores, order := make([]float32, len(events)), make([]int, len(events))
		var mean, squares, flagged float64
		for i, e := range events {
			s := m.Score(nodes[string(e.Source)], relations[string(e.Relation)], nodes[string(e.Destination)])
			scores[i], order[i] = s, i
			mean += float64(s) / float64(len(events))
			if s < m.Threshold {
				flagged++
			}
		}
		for _, s := range scores {
			squares += (float64(s) - mean) * (float64(s) - mean)
		}
		sd := math.Sqrt(squares / float64(len(events)-1))
		if want := mean - 2*sd; math.Abs(float64(m.Threshold)-want) > 1e-5 {
			t.Errorf("seed %d: threshold %v, the rows' mean less two standard deviations is %v", seed+1, m.Threshold, want)
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
		found := 0
		for _, i := range order[:30] {
			if slices.Contains(shown, uids[i]) {
				found++
			}
		}
		if found >= 3 {
			alike++
		}
		means, sds, flags = append(means, mean), append(sds, sd), append(flags, flagged)
		t.Logf("seed %d: mean %.3f, sd %.3f, %v rows below %.3f, %d of %d among the lowest 30; AUC %.3f, recall %.3f, loss %.3f",
			seed+1, mean, sd, flagged, m.Threshold, found, len(shown), report.Quality, m.recall, report.Loss)
	}
	within := func(what string, values []float64, low, high float64) {
		slices.Sort(values)
		if v := values[seeds/2]; v < low || v > high {
			t.Errorf("median %s is %.3f of %.3f, want %v to %v", what, v, values, low, high)
		}
	}
	within("mean", means, 0.71, 0.77)
	within("standard deviation", sds, 0.19, 0.25)
	within("number of flagged rows", flags, 60, 120)
	if alike <= seeds/2 {
		t.Errorf("three of the notebook's lowest sessions are among the lowest 30 for %d of %d seeds only", alike, seeds)
	}
}

func TestReferenceLearnsWhoTalksToWhom(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	check := func(decoder string, auc float64, recall ...float64) {
		t.Run(decoder, func(t *testing.T) {
			cfg := quickConfig()
			cfg.Decoder, cfg.Epochs, cfg.Dim = decoder, 12, 16
			m, report := trainedReference(t, snap, cfg)
			if report.Quality < auc {
				t.Errorf("AUC on held-out events is %.3f, want %v", report.Quality, auc)
			}
			if m.recall < recall[0] || m.recall > recall[1] {
				t.Errorf("recall at 0.5 is %.3f, want %v", m.recall, recall)
			}
			if report.Steps != 300 || report.Threshold != m.Threshold || report.Device != "cpu" {
				t.Errorf("report is %+v", report)
			}
		})
	}
	check(DistMult, 0.8, 0.5, 1)
	check(TransE, 0.6, 1, 1) // a distance: never below one half
	check(RotatE, 0.6, 0, 0) // a distance's negative: never above
}

func TestReferenceStartsAsTheOriginalDoes(t *testing.T) {
	const nodes, relations, k = 400, 50, 32
	n := newNetwork(Default(), nodes, relations)
	glorot := func(rows, cols float64) float64 { return math.Sqrt(12 / (rows + cols)) }
	for _, c := range []struct {
		name      string
		size      int
		sd, bound float64
	}{
		{"table", nodes * k, 1, 6},
		{"layer1.relation", relations * k, 1 / math.Sqrt(3), 1},
		{"layer1.loop", k * k, glorot(k, k) / math.Sqrt(3), glorot(k, k)},
		{"layer1.bias", k, 0, 0},
		{"layer2.relation", relations * k * k, 1 / math.Sqrt(3*k), 1 / math.Sqrt(k)},
		{"layer2.loop", k * k, glorot(k, k) / math.Sqrt(3), glorot(k, k)},
		{"layer2.bias", k, 0, 0},
		{"relation", relations * k, glorot(relations, k) / math.Sqrt(3), glorot(relations, k)},
	} {
		x := n.params.Get(c.name).Value
		var mean, squares, largest float64
		for _, v := range x {
			mean += float64(v) / float64(len(x))
			squares += float64(v) * float64(v) / float64(len(x))
			largest = max(largest, math.Abs(float64(v)))
		}
		if len(x) != c.size || math.Abs(mean) > 0.1*c.sd || math.Abs(math.Sqrt(squares)-c.sd) > 0.06*c.sd || largest > c.bound*1.00001 {
			t.Errorf("%s: %d values, mean %.3f, standard deviation %.3f, largest %.3f; want %d, 0, %.3f, up to %.3f",
				c.name, len(x), mean, math.Sqrt(squares), largest, c.size, c.sd, c.bound)
		}
	}
}

func TestReferenceOfTheSameSeedIsTheSame(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	run := func(seed uint64) *Model {
		cfg := quickConfig()
		cfg.Seed = seed
		m, _ := trainedReference(t, snap, cfg)
		return m
	}
	a, b, c := run(1), run(1), run(2)
	if !slices.Equal(a.Nodes, b.Nodes) || !slices.Equal(a.Relations, b.Relations) || a.Threshold != b.Threshold || a.recall != b.recall {
		t.Error("two trainings differ")
	}
	if slices.Equal(a.Nodes, c.Nodes) {
		t.Error("another seed changes nothing")
	}
}

func TestReferenceScoresTheUnknownLowest(t *testing.T) {
	m, _ := trainedReference(t, modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot(), quickConfig())
	if s := m.Score(0, 0, 1); !(s > 0 && s < 1) {
		t.Errorf("a known triplet scores %v", s)
	}
	for _, id := range [][3]int32{{-1, 0, 1}, {0, -1, 1}, {0, 0, -1}, {-1, -1, -1}} {
		if s := m.Score(id[0], id[1], id[2]); s != 0 {
			t.Errorf("%v scores %v, want 0", id, s)
		}
	}
}

func TestReferenceStopsWithinOneStep(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot()
	ctx, cancel := context.WithCancel(context.Background())
	last := 0
	m, _, err := Train(ctx, snap, quickConfig(), device.CPU, func(step, steps int, loss float32) {
		last = step
		if step == 7 {
			cancel()
		}
	})
	if m != nil || !errors.Is(err, context.Canceled) || last != 7 {
		t.Errorf("model %v, error %v, last step %d, want none, %v, 7", m, err, last, context.Canceled)
	}
	if _, _, err := Train(ctx, snap, quickConfig(), device.CPU, func(int, int, float32) { t.Error("a step after the end") }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestReferenceRefuses(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 500)).Snapshot()
	check := func(name string, snap *graphbuf.Snapshot, change func(*Config), want string) {
		t.Run(name, func(t *testing.T) {
			cfg := quickConfig()
			change(&cfg)
			m, _, err := Train(context.Background(), snap, cfg, device.CPU, nil)
			if m != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("model %v, error %v, want %q", m, err, want)
			}
		})
	}
	check("divergence", snap, func(c *Config) { c.LearningRate = 1e30 }, optim.ErrDiverged.Error())
	check("divergence in the last step", snap, func(c *Config) { c.LearningRate, c.Epochs, c.StepsPerEpoch = 1e30, 1, 1 }, optim.ErrDiverged.Error())
	same := func(*Config) {}
	check("an empty snapshot", &graphbuf.Snapshot{}, same, ErrTooFew.Error())
	check("one event", modeltest.Graph(t, modeltest.Teams(1, 1, 1)).Snapshot(), same, ErrTooFew.Error())
	check("dim", snap, func(c *Config) { c.Dim = 0 }, "Dim is 0, allowed are 1 to 4096")
	check("epochs", snap, func(c *Config) { c.Epochs = 0 }, "Epochs is 0")
	check("steps", snap, func(c *Config) { c.StepsPerEpoch = -1 }, "StepsPerEpoch is -1")
	check("sample", snap, func(c *Config) { c.Sample = 0 }, "Sample is 0")
	check("rate", snap, func(c *Config) { c.LearningRate = math.NaN() }, "LearningRate is NaN")
	check("dropout", snap, func(c *Config) { c.Dropout = 1 }, "Dropout is 1")
	check("regularization", snap, func(c *Config) { c.Regularization = -1 }, "Regularization is -1")
	check("share", snap, func(c *Config) { c.TrainShare = 1 }, "TrainShare is 1")
	check("decoder", snap, func(c *Config) { c.Decoder = "dot" }, "Decoder is dot, allowed are distmult, transe, rotate")
	check("k", snap, func(c *Config) { c.K = -1 }, "K is -1")
}

func TestReferenceStepDoesNotAllocate(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Notebook(t)).Snapshot()
	train, _, _ := splitEvents(context.Background(), snap.Edges, 0.8, num.NewPhilox(1, 1))
	n := newNetwork(Default(), len(snap.Nodes), len(snap.Relations))
	rng := num.NewPhilox(1, 2)
	n.step(train, rng)
	// Groups of messages differ in number from step to step: room for the largest comes early.
	for range 20 {
		n.step(train, rng)
	}
	if got := testing.AllocsPerRun(20, func() { n.step(train, rng) }); got != 0 {
		t.Errorf("%v allocations a step", got)
	}
}

func BenchmarkReferenceStep(b *testing.B) {
	snap := modeltest.Graph(b, modeltest.Notebook(b)).Snapshot()
	cfg := Default()
	train, _, _ := splitEvents(context.Background(), snap.Edges, cfg.TrainShare, num.NewPhilox(1, 1))
	n := newNetwork(cfg, len(snap.Nodes), len(snap.Relations))
	rng := num.NewPhilox(1, 2)
	b.ReportAllocs()
	for b.Loop() {
		n.step(train, rng)
	}
	b.ReportMetric(float64(b.N*len(n.batch.s))/b.Elapsed().Seconds(), "triplets/s")
}

func BenchmarkReferenceScore(b *testing.B) {
	snap := modeltest.Graph(b, modeltest.Notebook(b)).Snapshot()
	cfg := Default()
	cfg.Epochs = 1
	m, _ := trainedReference(b, snap, cfg)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e := &snap.Edges[i%len(snap.Edges)]
		m.Score(e.Source, e.Relation, e.Destination)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/optim"
)

func encoded(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	events := modeltest.Teams(1, 40, 2000)
	run := func(seed uint64, threads int) []byte {
		cfg := quickConfig()
		cfg.Seed, cfg.Threads = seed, threads
		s, _ := train(t, modeltest.Graph(t, events).Snapshot(), cfg)
		return encoded(t, s.Model())
	}
	one := run(1, 1)
	if !bytes.Equal(one, run(1, 1)) {
		t.Error("one thread: two trainings differ")
	}
	if !bytes.Equal(run(1, 2), run(1, 2)) {
		t.Error("two threads: two trainings differ")
	}
	if bytes.Equal(one, run(2, 1)) {
		t.Error("another seed changes nothing")
	}
}

func TestARestoredGraphTrainsTheSame(t *testing.T) {
	g := modeltest.Graph(t, modeltest.Teams(1, 40, 2000))
	h, err := graphbuf.New(modeltest.Roomy)
	if err != nil {
		t.Fatal(err)
	}
	h.Restore(g.Snapshot())
	a, _ := train(t, g.Snapshot(), quickConfig())
	b, _ := train(t, h.Snapshot(), quickConfig())
	if !bytes.Equal(encoded(t, a.Model()), encoded(t, b.Model())) {
		t.Error("the model depends on the order in which the graph came to know its names")
	}
}

func TestTrainingStopsWithinOneStep(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	last := 0
	_, _, err := Train(ctx, modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot(), quickConfig(), func(step, steps int, loss float32) {
		last = step
		if step == 7 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last != 7 {
		t.Errorf("%v after step %d, want it to be canceled after step 7", err, last)
	}
}

func TestTooLittleToLearnFrom(t *testing.T) {
	same := []graphbuf.Event{}
	for range 50 {
		same = append(same, graphbuf.Event{Source: []byte("a"), Relation: []byte("r"), Destination: []byte("b"), Time: 5})
	}
	for name, events := range map[string][]graphbuf.Event{"nothing": nil, "one moment": same} {
		if _, _, err := Train(context.Background(), modeltest.Graph(t, events).Snapshot(), quickConfig(), nil); !errors.Is(err, ErrTooLittle) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDivergenceIsAnError(t *testing.T) {
	cfg := quickConfig()
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	s, _ := train(t, snap, cfg)
	s.Model().params.Get("output.bias").Value[0] = float32(math.NaN())
	cfg.Previous = s.Model()
	if _, _, err := Train(context.Background(), snap, cfg, nil); !errors.Is(err, optim.ErrDiverged) {
		t.Errorf("%v", err)
	}
}

// withNewest is how many steps a training makes that makes n before it is judged.
func withNewest(n int) int { return n + n/4 }

func TestWarmStart(t *testing.T) {
	cfg := quickConfig()
	events := modeltest.Teams(1, 40, 3000)
	first, cold := train(t, modeltest.Graph(t, events[:2500]).Snapshot(), cfg)
	if cold.Warm || cold.Steps != withNewest(cfg.Steps) {
		t.Errorf("first training: %+v", cold)
	}
	cfg.Previous = first.Model()
	before := encoded(t, first.Model())
	later := append(events[2500:], graphbuf.Event{Source: []byte("host-1"), Relation: []byte("a new client"), Destination: []byte("server-1-1"), Time: 9e15})
	second, warm := train(t, modeltest.Graph(t, append(events[:2500:2500], later...)).Snapshot(), cfg)
	if !warm.Warm || warm.Steps != withNewest(cfg.Steps/4) || warm.Previous == 0 {
		t.Errorf("second training: %+v", warm)
	}
	if !bytes.Equal(before, encoded(t, first.Model())) {
		t.Error("the second training changed the first model")
	}
	if second.Model().params.Steps != withNewest(cfg.Steps)+withNewest(cfg.Steps/4) && !warm.Kept {
		t.Errorf("the optimiser made %d steps in all", second.Model().params.Steps)
	}
	cfg.Dim = 8
	if _, other := train(t, modeltest.Graph(t, events).Snapshot(), cfg); other.Warm {
		t.Error("a model of another dimension is a warm start")
	}
}

func TestAWorseModelDoesNotReplaceTheBetter(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Dim = 16
	events := modeltest.Teams(1, 40, 3000)
	good, _ := train(t, modeltest.Graph(t, events[:2500]).Snapshot(), cfg)
	cfg.Previous = good.Model()
	cfg.LearningRate, cfg.Dropout = 1, 0.9 // what comes out of this is no model
	kept, report := train(t, modeltest.Graph(t, events).Snapshot(), cfg)
	if !report.Kept || report.Quality != report.Previous || report.Steps == 0 {
		t.Fatalf("%+v", report)
	}
	a, b := good.Model(), kept.Model()
	if !slices.Equal(a.params.Get("hidden").Value, b.params.Get("hidden").Value) {
		t.Error("the parameters are not the previous ones")
	}
	if a.params.Steps != b.params.Steps || a.params.Passes != b.params.Passes || a.params.Passes == 0 {
		t.Errorf("the optimiser made %d steps and %d passes, was %d and %d", b.params.Steps, b.params.Passes, a.params.Steps, a.params.Passes)
	}
	if !bytes.Equal(encoded(t, a), encoded(t, b)) {
		t.Error("the kept model is another one")
	}
}

// TestAFloodDoesNotEndLowScores: what a scanner leaves in the newest activity cannot be told from made-up sessions. The
// model before stays for a day of the graph's time, and then the weak one takes its place.
func TestAFloodDoesNotEndLowScores(t *testing.T) {
	cfg := quickConfig()
	events := modeltest.Teams(1, 40, 3000)
	good, _ := train(t, modeltest.Graph(t, events).Snapshot(), cfg)
	if good.Model().IsWeak() {
		t.Fatal("the first model is weak: the test shows nothing")
	}
	end := events[len(events)-1].Time
	for i := range 600 { // an intruder who tries every server with clients of his own
		events = append(events, graphbuf.Event{Source: []byte("intruder"), Relation: fmt.Appendf(nil, "tool-%d", i), Destination: fmt.Appendf(nil, "server-%d-%d", i%4, i/4%3), Time: end + int64(i)*1e9})
	}
	flooded := modeltest.Graph(t, events).Snapshot()
	cfg.Previous, cfg.Tolerance = good.Model(), 1
	for _, c := range []struct {
		age  time.Duration
		kept bool
	}{{0, true}, {23 * time.Hour, true}, {25 * time.Hour, false}, {-25 * time.Hour, false}} {
		good.Model().until = end + 599e9 - int64(c.age)
		s, report := train(t, flooded, cfg)
		if report.Kept != c.kept || s.Model().IsWeak() == c.kept {
			t.Errorf("trained %v before: kept %v, weak %v, %+v", c.age, report.Kept, s.Model().IsWeak(), report)
		}
	}
}

func TestScoreTellsUsualFromStrange(t *testing.T) {
	events := modeltest.Teams(1, 40, 4000)
	g := modeltest.Graph(t, events)
	s, report := train(t, g.Snapshot(), DefaultConfig())
	if report.Quality < 0.9 {
		t.Errorf("held-out quality %v", report.Quality)
	}
	score := func(src, rel, dst string) float32 {
		var ref [1]graphbuf.Ref
		event := graphbuf.Event{Source: []byte(src), Relation: []byte(rel), Destination: []byte(dst)}
		g.Look([]graphbuf.Event{event}, ref[:])
		return s.Score(g, &event, &ref[0])
	}
	usual := score("host-4", "client-1", "server-0-1")
	for name, strange := range map[string]float32{
		"another team's server": score("host-4", "client-1", "server-3-1"),
		"an unknown source":     score("10.9.9.9", "client-1", "server-0-1"),
		"an unknown client":     score("host-4", "never seen", "server-0-1"),
		"nothing known":         score("x", "y", "z"),
	} {
		if strange >= usual-0.3 || math.IsNaN(float64(strange)) || strange < 0 {
			t.Errorf("%s scores %v, the usual %v", name, strange, usual)
		}
	}
	if usual <= s.Threshold() {
		t.Errorf("the usual scores %v, the threshold is %v", usual, s.Threshold())
	}
}

func TestAHostDoesNotInheritADeadOnesEmbedding(t *testing.T) {
	g, err := graphbuf.New(graphbuf.Config{MaxNodes: 60, MaxRelations: 10, MaxEdges: 1000})
	if err != nil {
		t.Fatal(err)
	}
	events := modeltest.Teams(1, 40, 3000)
	refs := make([]graphbuf.Ref, len(events))
	g.Observe(events, refs)
	s, _ := train(t, g.Snapshot(), quickConfig())
	last := refs[len(refs)-1].Source
	if rowOf(s.sources, last) < 0 {
		t.Fatal("a known host has no row")
	}
	if rowOf(s.sources, graphbuf.ID{Slot: last.Slot, Gen: last.Gen + 2}) >= 0 {
		t.Error("the next host in a slot gets the row of the one before")
	}
	if rowOf(s.sources, graphbuf.ID{}) >= 0 || rowOf(s.sources, graphbuf.ID{Slot: 1 << 30, Gen: 1}) >= 0 {
		t.Error("an unknown host has a row")
	}
}

func TestEncodeAndDecode(t *testing.T) {
	for _, layers := range [][2]string{{"diagonal", "diagonal"}, {"full", "basis:2"}, {"basis:3", "full"}} {
		cfg := quickConfig()
		cfg.Dim, cfg.Steps, cfg.Layer1, cfg.Layer2 = 8, 5, layers[0], layers[1]
		g := modeltest.Graph(t, modeltest.Teams(1, 40, 1000))
		s, _ := train(t, g.Snapshot(), cfg)
		b := encoded(t, s.Model())
		var m Model
		if err := m.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encoded(t, &m), b) {
			t.Errorf("%v: the decoded model has other bytes", layers)
		}
		again := m.Scorer(g.Snapshot(), 1, nil)
		var ref [1]graphbuf.Ref
		for _, e := range modeltest.Teams(2, 50, 200) {
			g.Look([]graphbuf.Event{e}, ref[:])
			if a, b := s.Score(g, &e, &ref[0]), again.Score(g, &e, &ref[0]); a != b {
				t.Fatalf("%v: score %v before, %v after", layers, a, b)
			}
		}
	}
}

func TestDamagedBytesAreRefused(t *testing.T) {
	cfg := quickConfig()
	cfg.Dim, cfg.Steps = 4, 2
	s, _ := train(t, modeltest.Graph(t, modeltest.Teams(1, 40, 1000)).Snapshot(), cfg)
	b := encoded(t, s.Model())
	var m Model
	for n := range b {
		if err := m.UnmarshalBinary(b[:n]); err == nil || !strings.HasPrefix(err.Error(), "model: decode: ") {
			t.Fatalf("the first %d of %d bytes: %v", n, len(b), err)
		}
	}
	for i := range 600 { // the header and the first parameters
		for bit := range 8 {
			c := slices.Clone(b)
			c[i] ^= 1 << bit
			if m.UnmarshalBinary(c) == nil {
				wantStable(t, &m)
			}
		}
	}
}

// wantStable wants a decoded model to be one that can be saved and read again, with the same bytes.
func wantStable(t *testing.T, m *Model) {
	t.Helper()
	b := encoded(t, m)
	var again Model
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatalf("a model that was read, and saved again, cannot be read: %v", err)
	}
	if !bytes.Equal(encoded(t, &again), b) {
		t.Fatal("a model that was read, saved and read again has other bytes")
	}
}

func FuzzModelUnmarshal(f *testing.F) {
	cfg := quickConfig()
	cfg.Dim, cfg.Steps = 4, 2
	s, _ := train(f, modeltest.Graph(f, modeltest.Teams(1, 10, 300)).Snapshot(), cfg)
	f.Add(encoded(f, s.Model()))
	real, _ := train(f, modeltest.Graph(f, modeltest.Notebook(f)).Snapshot(), cfg)
	f.Add(encoded(f, real.Model()))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Model
		if m.UnmarshalBinary(b) == nil {
			wantStable(t, &m)
			m.Scorer(modeltest.Graph(t, modeltest.Teams(1, 5, 20)).Snapshot(), 1, nil)
			for _, th := range []Threshold{{Method: Sigma, K: 2}, {Method: Quantile, Quantile: 0.01}, {Method: Budget, PerDay: 20}} {
				m.SetThreshold(th)
			}
			budget.New(20).Follow(m.HeldOut())
		}
	})
}

func TestScoreDoesNotAllocate(t *testing.T) {
	g := modeltest.Graph(t, modeltest.Teams(1, 40, 2000))
	s, _ := train(t, g.Snapshot(), quickConfig())
	var ref [1]graphbuf.Ref
	events := modeltest.Teams(1, 40, 1)
	g.Look(events, ref[:])
	if n := testing.AllocsPerRun(100, func() { s.Score(g, &events[0], &ref[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// learned: sessions that the training knew. repeats: those of triplets that came after it, whose sources are unknown.
func BenchmarkScore(b *testing.B) {
	events := modeltest.Notebook(b)
	g := modeltest.Graph(b, events)
	s, _ := train(b, g.Snapshot(), DefaultConfig())
	newcomers := slices.Clone(events[:len(events)/8])
	for i := range newcomers {
		e := &newcomers[i]
		e.Source, e.Time = fmt.Append(nil, "newcomer-", i%64), e.Time+int64(100*time.Hour)
	}
	g.Observe(newcomers, make([]graphbuf.Ref, len(newcomers)))
	for _, x := range []struct {
		name   string
		events []graphbuf.Event
	}{{"learned", events}, {"repeats", newcomers}} {
		b.Run(x.name, func(b *testing.B) {
			refs := make([]graphbuf.Ref, len(x.events))
			g.Look(x.events, refs)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Score(g, &x.events[i%len(refs)], &refs[i%len(refs)])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "scores/s")
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	snap := modeltest.Graph(b, modeltest.Notebook(b)).Snapshot()
	cfg := DefaultConfig()
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			train(b, snap, cfg)
		}
	})
	s, _ := train(b, snap, cfg)
	cfg.Previous = s.Model()
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			train(b, snap, cfg)
		}
	})
}

// TestTrainingsLeaveNothing: what a training took is free again when its scorer is gone.
func TestTrainingsLeaveNothing(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 400, 6000)).Snapshot()
	cfg := DefaultConfig()
	cfg.Steps = 2
	heap := func() int64 {
		train(t, snap, cfg)
		runtime.GC()
		runtime.GC() // what finalizers let go
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	heap()
	before := heap()
	for range 5 {
		heap()
	}
	if grown := heap() - before; grown > 256<<10 {
		t.Errorf("six trainings leave %d KiB", grown>>10)
	}
}

// A whole training with more threads enters for each of them once.
func TestATrainingKeepsItsThreads(t *testing.T) {
	cfg := quickConfig()
	cfg.Steps, cfg.Threads = 20, 3
	var entered atomic.Int32
	cfg.EnterThread = func() { entered.Add(1) }
	train(t, modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot(), cfg)
	if n := entered.Load(); n != 3 {
		t.Errorf("3 threads entered %d times", n)
	}
}

// What was held out is learned once it has judged the model: quality and threshold do not know of that.
func TestTheNewestIsLearnedAfterItJudged(t *testing.T) {
	cfg := quickConfig()
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 3000)).Snapshot()
	var told []int
	s, report, err := Train(context.Background(), snap, cfg, func(step, steps int, _ float32) {
		if steps != withNewest(cfg.Steps) {
			t.Errorf("step %d of %d", step, steps)
		}
		told = append(told, step)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != withNewest(cfg.Steps) || !slices.IsSorted(told) || told[len(told)-1] != len(told) || report.Steps != len(told) {
		t.Errorf("%d steps were told, the last %d; the report says %d", len(told), told[len(told)-1], report.Steps)
	}
	cfg.Without = []string{"newest"}
	without, other := train(t, snap, cfg)
	if other.Steps != cfg.Steps || other.Quality != report.Quality || other.Threshold != report.Threshold {
		t.Errorf("%+v with, %+v without", report, other)
	}
	a, b := s.Model(), without.Model()
	if !slices.Equal(a.heldOut.Scores, b.heldOut.Scores) {
		t.Error("the held-out scores are of a model that knew them")
	}
	if slices.Equal(a.params.Get("hidden").Value, b.params.Get("hidden").Value) {
		t.Error("nothing was learned after the judgement")
	}
}

// Of two settings that are wrong the first is told of, each time.
func TestTheFirstSettingThatIsWrong(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Layer1, cfg.Layer2 = "one", "two"
	for range 50 {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "Layer1 is one") {
			t.Fatalf("%v, want Layer1", err)
		}
	}
}

package model

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// grown makes a graph of distinct edges over a tenth as many hosts, in teams of forty
// that use the same few clients, over a fortnight.
func grown(tb testing.TB, edges int) *graphbuf.Snapshot { return grownBetween(tb, edges, edges/10) }

func grownBetween(tb testing.TB, edges, hosts int) *graphbuf.Snapshot {
	g, err := graphbuf.New(graphbuf.Config{MaxNodes: 2 * edges, MaxRelations: 1000, MaxEdges: edges})
	if err != nil {
		tb.Fatal(err)
	}
	rng := num.NewPhilox(1, 97)
	var ref [1]graphbuf.Ref
	for i := 0; g.Stats().Edges < edges; i++ {
		s := rng.IntN(hosts)
		d := s/40*40 + rng.IntN(40)
		if rng.IntN(4) == 0 {
			d = rng.IntN(hosts)
		}
		g.Observe([]graphbuf.Event{{
			Source: fmt.Appendf(nil, "h%d", s), Relation: fmt.Appendf(nil, "c%d", rng.IntN(60)),
			Destination: fmt.Appendf(nil, "h%d", d), Time: int64(i) * (int64(14*24*time.Hour) / int64(2*edges)),
		}}, ref[:])
	}
	return g.Snapshot()
}

// BenchmarkGrowth trains on larger and larger graphs, on two threads: time and memory.
func BenchmarkGrowth(b *testing.B) {
	for _, edges := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(edges), func(b *testing.B) {
			snap := grown(b, edges)
			cfg := DefaultConfig()
			cfg.Threads = 2
			defer debug.SetGCPercent(debug.SetGCPercent(10)) // as a filter does
			debug.FreeOSMemory()
			var before, now runtime.MemStats
			runtime.ReadMemStats(&before)
			var most uint64
			for b.Loop() {
				_, report, err := Train(context.Background(), snap, cfg, func(step, steps int, loss float32) {
					if step%16 == 0 {
						runtime.ReadMemStats(&now)
						most = max(most, now.Sys-now.HeapReleased-before.Sys+before.HeapReleased)
					}
				})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(report.Duration.Seconds(), "s/training")
				b.ReportMetric(float64(report.Duration.Nanoseconds())/float64(report.Steps)/float64(edges), "ns/step/edge")
			}
			b.ReportMetric(float64(most)/(1<<20), "MiB")
			b.ReportMetric(float64(TrainingBytes(snap.Sizes(), cfg)-snap.Sizes().KeptBytes())/(1<<20), "MiB-foretold")
		})
	}
}

// TestTrainingBytes: what a training keeps is within what was foretold, and that is no idle figure.
func TestTrainingBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures memory, and is slow under the race detector")
	}
	// What is allocated while a concurrent collection runs counts as alive, on a busy machine much of it. So the test runs in
	// a process of its own whose collector stops all else.
	const exact = "gcstoptheworld=1"
	if os.Getenv("GODEBUG") != exact {
		own := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTrainingBytes$", "-test.v")
		own.Env = append(os.Environ(), "GODEBUG="+exact)
		out, err := own.CombinedOutput()
		if t.Logf("%s", out); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range []struct {
		edges, dim int
		hosts      int
		layer      string
		features   HostFeatures
		oneWindow  bool
	}{
		{3000, 128, 300, "diagonal", nil, false}, {30_000, 32, 3000, "diagonal", nil, false}, {120_000, 64, 12_000, "diagonal", nil, false},
		{3000, 64, 300, "full", nil, false}, {120_000, 64, 12_000, "diagonal", modeltest.ByLetters(4), false}, {30_000, 256, 8000, "diagonal", nil, false},
		{60_000, 8, 2000, "diagonal", nil, true}, {30_000, 16, 15_000, "diagonal", nil, true}, {180_000, 8, 9000, "diagonal", nil, false},
		{60_000, 8, 6000, "diagonal", modeltest.Joined(4), false}, // as user|address has them
		{60_000, 8, 6000, "diagonal", modeltest.Joined(8), false}, {180_000, 8, 18_000, "diagonal", modeltest.Joined(8), false},
	} {
		snap := grownBetween(t, c.edges, c.hosts)
		cfg := DefaultConfig()
		cfg.Steps, cfg.Dim, cfg.Layer1, cfg.Layer2, cfg.Features, cfg.OneWindow = 20, c.dim, c.layer, c.layer, c.features, c.oneWindow
		marked := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		live := func() int64 {
			runtime.GC()
			// What that collection found alive: more is allocated before anything else could be read.
			metrics.Read(marked)
			return int64(marked[0].Value.Uint64())
		}
		// watched calls do and returns by how much what lives grew meanwhile.
		watched := func(do func()) (most int64) {
			before := live()
			ended, done := make(chan struct{}), make(chan struct{})
			go func() { // to the very end: judging and the new scorer take memory too
				defer close(done)
				for {
					select {
					case <-ended:
						return
					default:
						most = max(most, live()-before)
					}
				}
			}()
			do()
			close(ended)
			<-done
			return most
		}
		// The scorer of the first training is in use while the second, which is judged against it, runs. The first one looks
		// at all windows, the second has two models.
		var first, second *Scorer
		var err error
		most := watched(func() { first, _, err = Train(context.Background(), snap, cfg, nil) })
		if err != nil {
			t.Fatal(err)
		}
		cfg.Previous = first.Model()
		most = max(most, watched(func() { second, _, err = Train(context.Background(), snap, cfg, nil) }))
		if err != nil {
			t.Fatal(err)
		}
		sizes, kept := snap.Sizes(), snap.Sizes().KeptBytes() // the snapshot was there before
		remade := watched(func() { second = first.Model().Scorer(snap, 1, c.features) })
		if foretold := first.Model().ScorerBytes(sizes, c.features) - kept; remade > foretold || foretold > 2*remade+16<<20 {
			t.Errorf("%+v: a scorer kept %.1f MiB, foretold %.1f", c, float64(remade)/(1<<20), float64(foretold)/(1<<20))
		}
		runtime.KeepAlive(first)
		runtime.KeepAlive(second)
		foretold := TrainingBytes(sizes, cfg) - kept
		if most > foretold || foretold > 2*most+16<<20 {
			t.Errorf("%+v: kept %.1f MiB, foretold %.1f", c, float64(most)/(1<<20), float64(foretold)/(1<<20))
		}
		t.Logf("%+v: kept %.1f MiB, foretold %.1f", c, float64(most)/(1<<20), float64(foretold)/(1<<20))
	}
}

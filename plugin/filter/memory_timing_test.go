package filter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// fill observes distinct triplets between so many hosts, in teams of forty that use the same few clients, over a
// fortnight.
func fill(g *graphbuf.Graph, edges, hosts int) {
	rng := rand.New(rand.NewPCG(1, 97))
	ref := make([]graphbuf.Ref, 1)
	for i := 0; g.Stats().Edges < edges; i++ {
		s := rng.IntN(hosts)
		d := min(s/40*40+rng.IntN(40), hosts-1)
		if rng.IntN(4) == 0 {
			d = rng.IntN(hosts)
		}
		g.Observe([]graphbuf.Event{{
			Source: fmt.Appendf(nil, "h%d", s), Relation: fmt.Appendf(nil, "c%d", rng.IntN(60)),
			Destination: fmt.Appendf(nil, "h%d", d), Time: 1_700_000_000e9 + int64(i)*(int64(14*24*time.Hour)/int64(2*edges)),
		}}, ref)
	}
}

// resident is how much memory of the machine the process has.
func resident(tb testing.TB) (bytes int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	fmt.Sscan(line, &bytes)
	return bytes << 10
}

// BenchmarkMemoryAtTheBounds trains on a graph that fills the default bounds, twice.
func BenchmarkMemoryAtTheBounds(b *testing.B) {
	h := host("graph_max_nodes", "100000", "graph_max_edges", "500000", "train_steps", "400", "model_dim", "0", "train_max_memory", "0", "state_dir", b.TempDir())
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	fill(f.graph, 500_000, 99_900)
	debug.FreeOSMemory()
	st := f.graph.Stats()
	b.Logf("%d edges, %d nodes", st.Edges, st.Nodes)
	for _, name := range []string{"cold", "warm"} {
		heldBefore, liveBefore := heldByGo(), inUseByGo()
		cfg := ModelConfig(f.cfg)
		if s := f.Scorer(); s != nil {
			cfg.Previous = s.Model()
		}
		foretold := f.memory.foretold(f.graph.Sizes(), cfg)
		before := resident(b)
		done, watched := make(chan struct{}), make(chan struct{})
		var most, mostHeld, mostLive int64
		go func() {
			defer close(watched)
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
					held, live := heldByGo(), inUseByGo()
					most, mostHeld, mostLive = max(most, resident(b)), max(mostHeld, held), max(mostLive, live)
				}
			}
		}()
		if err := f.Train(context.Background(), time.Now(), nil); err != nil {
			b.Fatal(err)
		}
		close(done)
		<-watched
		b.Logf("%s: foretold %d MiB; resident %d MiB before, %d more at the peak; held by Go %d, %d more; live %d, %d more; resident after %d", name, foretold/mib,
			before/mib, (most-before)/mib, heldBefore/mib, (mostHeld-heldBefore)/mib, liveBefore/mib, (mostLive-liveBefore)/mib, resident(b)/mib)
	}
	b.Log(h.log())
}

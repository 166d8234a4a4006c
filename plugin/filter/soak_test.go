package filter

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSoak runs records of ever new hosts and clients through a small graph that trains all the
// while: once it is full, memory stays where it is, and nothing is left when it ends.
// RGCN_SOAK=20000000 for more records than the quarter of a million of every day.
func TestSoak(t *testing.T) {
	records := 250_000
	if n, err := strconv.Atoi(os.Getenv("RGCN_SOAK")); err == nil {
		records = n
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	h := host("graph_max_nodes", "20000", "graph_max_relations", "500", "graph_max_edges", "50000",
		"train_interval", "2s", "train_steps", "20", "model_dim", "32", "metrics_listen", "127.0.0.1:2021", "explain", "on")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	const perChunk = 500
	var times []time.Duration
	var curve []uint64
	var out []byte
	for n := 0; n < records; n += perChunk {
		var chunk []byte
		for i := n; i < n+perChunk; i++ {
			// Half of it regular, half from addresses that come once, with banners of their own.
			source, client := fmt.Sprint("host-", i%2000), fmt.Sprint("client-", i%20)
			if i%2 == 0 {
				source, client = fmt.Sprint("new-", i), fmt.Sprint("banner-", i/10)
			}
			chunk = append(chunk, session(i/10, source, fmt.Sprint("server-", i*7%300), client)...)
		}
		start := time.Now()
		var modified bool
		out, modified = f.Process(out[:0], chunk)
		times = append(times, time.Since(start))
		if !modified {
			t.Fatal("a chunk passed untouched")
		}
		if n%(records/20/perChunk*perChunk) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			curve = append(curve, (m.HeapAlloc-uint64(cap(chunk)+cap(out)+16*cap(times)))>>10)
		}
	}
	s := f.Status()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	slices.Sort(times)
	t.Logf("heap in KiB, at 20 moments: %v", curve)
	t.Logf("%d records, %+v, trainings %v; calls of %d records: half within %v, 99.9 %% within %v, all within %v",
		s.Records.Total, s.Graph, s.Trainings, perChunk, times[len(times)/2], times[len(times)*999/1000], times[len(times)-1])
	if s.Records.Scored != uint64(records) || s.Graph.Evicted == 0 || s.Graph.Edges > 50_000 {
		t.Errorf("%+v", s)
	}
	middle := len(curve) / 2
	if before, after := slices.Max(curve[:middle]), slices.Max(curve[middle:]); after > before+before/5+2<<10 {
		t.Errorf("the heap grew from %d to %d KiB after the bounds were reached", before, after)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n, o := runtime.NumGoroutine(), openFiles(); n > goroutines || o > files {
		t.Errorf("%d goroutines and %d open files, before it were %d and %d", n, o, goroutines, files)
	}
	if strings.Contains(h.log(), "failed") {
		t.Error(h.log())
	}
}

func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

package filter

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// soak is a run of stretches. By turns they have sources that come once, until hosts are at their bound,
// few sources that try everything, until triplets are, and ever new clients, until relations are. A
// training runs beside each.
type soak struct {
	records, stretch     int
	nodes, edges         int // the bounds
	heap, resident, when []uint64
	times                []time.Duration
}

const (
	soakChunk     = 500 // records
	soakRelations = 300

	// What a stretch is for.
	forHosts     = 0
	forTriplets  = 1
	forRelations = 2
)

// newSoak has a quarter of a million records; RGCN_SOAK=20000000 for more, and a larger graph.
func newSoak() *soak {
	s := &soak{records: 250_000}
	if n, err := strconv.Atoi(os.Getenv("RGCN_SOAK")); err == nil {
		s.records = n
	}
	s.stretch = s.records / max(20, s.records/400_000) / soakChunk * soakChunk
	s.edges = min(s.stretch/2, 100_000)
	s.nodes = s.edges / 2
	return s
}

// chunk appends the records from n on: half of them of regulars, half of what never came before.
func (s *soak) chunk(b []byte, n int) []byte {
	for i := n; i < n+soakChunk; i++ {
		source, destination, client := fmt.Sprint("host-", i%1000), fmt.Sprint("server-", i*7%300), fmt.Sprint("client-", i%20)
		switch turn := i / s.stretch % 3; {
		case i%2 == 0:
		case turn == forHosts:
			source = fmt.Sprint("new-", i)
		case turn == forTriplets:
			source, destination = fmt.Sprint("scan-", i/2000), fmt.Sprint("server-", i/2%1000)
		case turn == forRelations:
			source, client = fmt.Sprint("new-", i/10), fmt.Sprint("banner-", i)
		}
		b = append(b, session(i/10, source, destination, client)...)
	}
	return b
}

// measure notes what memory is held; no training runs then, and nothing is left to collect.
func (s *soak) measure(n int) {
	runtime.GC()
	runtime.GC() // the first leaves what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = append(s.heap, (m.HeapAlloc-uint64(16*cap(s.times)))>>10)
	statm, _ := os.ReadFile("/proc/self/statm")
	var size, pages uint64
	fmt.Sscan(string(statm), &size, &pages)
	s.resident = append(s.resident, pages*uint64(unix.Getpagesize())>>10)
	s.when = append(s.when, uint64(n))
}

// TestSoak runs records of ever new hosts and clients through a graph that trains all the while: once it
// is full memory stays where it is, and nothing is left when it ends.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a million records")
	}
	s := newSoak()
	goroutines, files := runtime.NumGoroutine(), openFiles()
	h := host("graph_max_nodes", fmt.Sprint(s.nodes), "graph_max_relations", fmt.Sprint(soakRelations), "graph_max_edges", fmt.Sprint(s.edges),
		"train_interval", "1d", "train_steps", "10", "model_dim", "8", "metrics_listen", "127.0.0.1:2023", "explain", "on", "state_dir", t.TempDir())
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	f.trainer.mu.Lock()
	f.trainer.schedule.ran(time.Now(), f.graph.Stats()) // from here on the test says when, or no two runs were alike
	f.trainer.mu.Unlock()
	var out, chunk []byte
	trained := make(chan error, 1)
	trained <- nil
	for n := 0; n < s.records; n += soakChunk {
		if n%s.stretch == 0 {
			if err := <-trained; err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				s.measure(n)
				s.full(t, f, n)
				go func() { trained <- f.Train(context.Background(), time.Now(), nil) }()
			} else {
				trained <- nil
			}
		}
		chunk = s.chunk(chunk[:0], n)
		start := time.Now()
		var modified bool
		out, modified = f.Process(out[:0], chunk)
		s.times = append(s.times, time.Since(start))
		if !modified {
			t.Fatal("a chunk passed untouched")
		}
	}
	if err := <-trained; err != nil {
		t.Fatal(err)
	}
	s.measure(s.records)
	s.report(t, f)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n, o := runtime.NumGoroutine(), openFiles(); n > goroutines || o > files {
		t.Errorf("%d goroutines and %d open files, before it were %d and %d", n, o, goroutines, files)
	}
	if strings.Contains(h.log(), "failed") || strings.Contains(h.log(), "not saved") {
		t.Error(h.log())
	}
}

// full wants the bound that the stretch before n was for to be reached, and none to be passed.
func (s *soak) full(t *testing.T, f *Instance, n int) {
	t.Helper()
	g := f.Status().Graph
	if g.Nodes > s.nodes || g.Relations > soakRelations || g.Edges > s.edges {
		t.Fatalf("after %d records: %+v, beyond a bound", n, g)
	}
	is := []int{forHosts: g.Nodes, forTriplets: g.Edges, forRelations: g.Relations}
	want := []int{forHosts: s.nodes, forTriplets: s.edges, forRelations: soakRelations}
	if turn := (n - 1) / s.stretch % 3; is[turn] < want[turn] {
		t.Fatalf("after %d records: %+v, want one of hosts, triplets, relations at its bound: %d of %v", n, g, turn, want)
	}
}

func (s *soak) report(t *testing.T, f *Instance) {
	t.Helper()
	status := f.Status()
	slices.Sort(s.times)
	at := func(share float64) time.Duration { return s.times[int(share*float64(len(s.times)-1))] }
	t.Logf("after records, heap in KiB, resident in KiB:")
	for i := range s.heap {
		t.Logf("%9d %7d %7d", s.when[i], s.heap[i], s.resident[i])
	}
	t.Logf("%d records, %+v, trainings %v; calls of %d records: half within %v, 99.9 %% within %v, all within %v",
		s.records, status.Graph, status.Trainings, soakChunk, at(0.5), at(0.999), at(1))
	trainings := uint64(0)
	for _, c := range status.Trainings {
		trainings += c.Count
	}
	if status.Records.Counted != uint64(s.records) || int(trainings) != len(s.heap)-1 || status.Graph.Evicted == 0 {
		t.Errorf("%+v, %d trainings over %d stretches", status, trainings, len(s.heap))
	}
	// As many stretches of each kind on either side; the tensor library's pools hold now more, now less.
	full := s.heap[2:] // every bound was reached by then
	half := len(full) / 6 * 3
	if before, after := mean(full[:half]), mean(full[half:2*half]); after > before+before/10 {
		t.Errorf("the heap grew from %d to %d KiB after the bounds were reached", before, after)
	}
}

func mean(v []uint64) (m uint64) {
	for _, x := range v {
		m += x
	}
	return m / uint64(len(v))
}

func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

package filter

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/fleet"
)

// peak is the most memory of the machine that the process had since forgetPeak.
func peak(tb testing.TB) (bytes int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range statusLines(status) {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); n == 1 {
			return bytes << 10
		}
	}
	tb.Fatal("no VmHWM")
	return 0
}

// cpuTime is the processor time that the process has used.
func cpuTime(tb testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func statusLines(b []byte) (lines []string) {
	for l := range bytes.Lines(b) {
		lines = append(lines, string(l))
	}
	return lines
}

func forgetPeak(tb testing.TB) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		tb.Skip(err)
	}
}

// BenchmarkPublishedState publishes a state and has an agent without a graph take it (take-s). The agent sees a hundredth
// as many sessions of its own, and takes another state as large while records come (merge-s). Memory is that of the agent
// alone: resident when nothing is going on, and at most while the second state takes the first one's place.
// RGCN_BENCH_TRIPLETS names another number of triplets, in the place of these; ten million take some 16 GB of memory.
func BenchmarkPublishedState(b *testing.B) {
	numbers := []int{10_000, 100_000, 1_000_000}
	if n, _ := strconv.Atoi(os.Getenv("RGCN_BENCH_TRIPLETS")); n > 0 {
		numbers = []int{n}
	}
	for _, n := range numbers {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkPublishedState(b, n) })
	}
}

func benchmarkPublishedState(b *testing.B, n int) {
	dir := b.TempDir()
	key, place := filepath.Join(dir, "key"), filepath.Join(dir, "state")
	if _, err := fleet.NewKeys(key); err != nil {
		b.Fatal(err)
	}
	bounds := []string{"graph_max_edges", fmt.Sprint(2 * n), "graph_max_nodes", fmt.Sprint(n), "model_dim", "0", "train_max_memory", "0"}
	trainer := offline(b, host(append([]string{"publish", place, "publish_key", key, "train_steps", "2", "graph_window", "0"}, bounds...)...))
	fill(trainer.graph, n, n/10)
	train(b, trainer)
	graph, err := trainer.graph.AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	began := time.Now()
	z.Write(graph)
	z.Close()
	gzipTime := time.Since(began)
	model, err := trainer.Scorer().Model().AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	publish := func() (took, cpu time.Duration) {
		began, used := time.Now(), cpuTime(b)
		if _, err := trainer.Publish(context.Background()); err != nil {
			b.Fatal(err)
		}
		return time.Since(began), cpuTime(b) - used
	}
	// Two states, after which the trainer and its memory go.
	states := [2]string{place + ".1", place + ".2"}
	publishTime, publishCPU := publish()
	size := trainer.Status().Publish.Bytes
	for i, path := range states {
		if i > 0 {
			publish()
		}
		if err := os.Rename(place, path); err != nil {
			b.Fatal(err)
		}
	}
	put := func(state string) {
		if err := errors.Join(os.Link(state, place+".new"), os.Rename(place+".new", place)); err != nil {
			b.Fatal(err)
		}
	}
	trainer.Close()
	trainer = nil
	graphBytes, modelBytes, gzipBytes := len(graph), len(model), zipped.Len()
	graph, model, zipped = nil, nil, bytes.Buffer{}

	var takeTime, takeCPU, swapTime, idle, busy time.Duration
	var settled, most int64
	waited := math.NaN()
	for b.Loop() {
		put(states[0])
		debug.FreeOSMemory()
		before := resident(b)
		h := host(append([]string{"state_from", place, "state_key", key + ".pub"}, bounds...)...)
		f, err := newInstance(h, forLive, machineClock())
		if err != nil {
			b.Fatal(err)
		}
		began, used := time.Now(), cpuTime(b)
		f.follower.begin()
		takeTime, takeCPU = time.Since(began), cpuTime(b)-used
		if f.Scorer() == nil {
			b.Fatal(h.log())
		}
		debug.FreeOSMemory()
		settled = resident(b) - before
		var local [][]byte
		for i := range n / 100 {
			local = append(local, now(fmt.Sprint("h", i%(n/10)), fmt.Sprint("h", i*7%(n/10)), "c1"))
		}
		f.Process(nil, join(local))
		chunk := join(local[:min(len(local), 500)])
		local = nil
		idle = longestCall(f, chunk, func() { time.Sleep(swapTime + time.Second) })
		put(states[1])
		debug.FreeOSMemory()
		resting := resident(b)
		forgetPeak(b)
		busy = longestCall(f, chunk, func() {
			began = time.Now()
			f.follower.look(context.Background())
			swapTime = time.Since(began)
		})
		most = settled + peak(b) - resting
		if p := f.Status().Published; p.Taken != 2 || p.CarriedEdges < n/100/2 {
			b.Fatalf("%+v", p)
		}
		_, text, _ := strings.Cut(h.log(), "taken up in ")
		_, text, _ = strings.Cut(text, "taken up in ")
		_, text, _ = strings.Cut(text, "records waited ")
		fmt.Sscan(text, &waited)
		f.Close()
	}
	b.ReportMetric(waited, "records-waited-ms")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(graphBytes)/1e6, "graph-MB")
	b.ReportMetric(float64(modelBytes)/1e6, "model-MB")
	b.ReportMetric(float64(size)/1e6, "state-MB")
	b.ReportMetric(float64(gzipBytes)/1e6, "graph-gzip-MB")
	b.ReportMetric(gzipTime.Seconds(), "gzip-s")
	b.ReportMetric(publishTime.Seconds(), "publish-s")
	b.ReportMetric(publishCPU.Seconds(), "publish-cpu-s")
	b.ReportMetric(takeTime.Seconds(), "take-s")
	b.ReportMetric(takeCPU.Seconds(), "take-cpu-s")
	b.ReportMetric(swapTime.Seconds(), "merge-s")
	b.ReportMetric(float64(idle.Microseconds())/1e3, "longest-call-before-ms")
	b.ReportMetric(float64(busy.Microseconds())/1e3, "longest-call-ms")
	b.ReportMetric(float64(settled)/(1<<20), "resident-MiB")
	b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
}

// longestCall has chunks of 500 records processed, ten thousand records a second, while do runs, and returns how long the
// longest call took.
func longestCall(f *Instance, chunk []byte, do func()) (longest time.Duration) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		var out []byte
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			began := time.Now()
			out, _ = f.Process(out[:0], chunk)
			longest = max(longest, time.Since(began))
		}
	}()
	do()
	close(stop)
	<-stopped
	return longest
}

package filter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const mib = 1 << 20

// pod is the file system of a machine on which this process lives in a cgroup of 1 GiB, of which so many bytes are
// left.
func pod(left int64) fstest.MapFS {
	const most = 1 << 30
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"proc/self/cgroup":                 file("0::/pod\n"),
		"proc/self/mountinfo":              file("30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
		"sys/fs/cgroup/pod/memory.max":     file(fmt.Sprintln(int64(most))),
		"sys/fs/cgroup/pod/memory.current": file(fmt.Sprintln(most - left)),
	}
}

const podFile = "/sys/fs/cgroup/pod/memory.max"

func TestATrainingThatALimitDoesNotAllow(t *testing.T) {
	h := host("model_dim", "64")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	f.memory.files = pod(2 * mib)
	if f.Train(context.Background(), time.Unix(1, 0), nil) == nil || f.Scorer() != nil {
		t.Fatal("trained")
	}
	for _, want := range []string{"training put off: 60 edges between 42 nodes would take about ", " MiB with dimension 64, " + podFile +
		" leaves 2 of 1024 MiB, of which 0 may be taken; raise that limit, or lower graph.max_edges, graph.max_nodes or model.dim"} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("no %q in %s", want, h.log())
		}
	}
	s := f.Status()
	if s.State != StateWaiting || !strings.Contains(s.Problem, podFile) || len(s.Trainings) != 1 || s.Trainings[0].Result != ResultNoMemory {
		t.Errorf("%s: %s, %v", s.State, s.Problem, s.Trainings)
	}
	f.memory.files = pod(512 * mib)
	train(t, f)
	if s = f.Status(); s.Problem != "" {
		t.Errorf("after a training: %s", s.Problem)
	}
	f.memory.files = pod(0)
	f.Train(context.Background(), time.Unix(3, 0), nil)
	if s = f.Status(); s.State != StateScoring || !strings.Contains(s.Problem, "the model before") || !strings.Contains(s.Problem, podFile) {
		t.Errorf("with a model: %s: %s", s.State, s.Problem)
	}
}

// train.max_memory is named where it is what limits, and not where a container does.
func TestTheLowerLimitIsNamed(t *testing.T) {
	f := offline(t, host("train_max_memory", "100"))
	limited := func(left int64) string {
		f.memory.files = pod(left)
		shared.mu.Lock()
		defer shared.mu.Unlock()
		return f.memory.allowed().by
	}
	if by := limited(900 * mib); by != "train.max_memory allows 100" {
		t.Error(by)
	}
	if by := limited(60 * mib); !strings.HasPrefix(by, podFile+" leaves 60 of 1024 MiB, of which 0 may be taken") {
		t.Error(by)
	}
	f.memory.files = fstest.MapFS{} // nothing is known
	f.cfg.Train.MaxMemory = 0
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if a := f.memory.allowed(); a.bytes != math.MaxInt64 {
		t.Errorf("%+v", a)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1))
	if a := f.memory.allowed(); a.bytes != 0 || !strings.HasPrefix(a.by, "GOMEMLIMIT leaves 0 of 0 MiB") {
		t.Errorf("%+v", a)
	}
}

// Before a training is put off it takes windows one by one, and a smaller dimension; with more memory the larger one
// comes back.
func TestATrainingInLessMemory(t *testing.T) {
	h := host("model_dim", "0")
	f := offline(t, h)
	f.memory.inUse = func() int64 { return 20 * mib } // of which trainings have to leave a tenth, whatever other tests left
	f.Process(nil, join(sessions(2000)))
	cfg := ModelConfig(f.cfg)
	cfg.Features = f.features
	for wanted, ok := cfg, true; ok; wanted, ok = wanted.Thriftier(60) {
		cfg = wanted
		if cfg.Dim == 16 {
			break
		}
	}
	if cfg.Dim != 16 || !cfg.OneWindow {
		t.Fatalf("%+v", cfg)
	}
	// What a dimension of 16 needs is left beyond a fifth and the host's part, and not what 32 needs.
	need := f.memory.foretold(f.graph.Sizes(), cfg)
	f.memory.files = pod(need + maxReserve + 8<<10)
	train(t, f)
	if dim := f.Scorer().Model().Dim(); dim != 16 {
		t.Errorf("dimension %d", dim)
	}
	if want := "memory is short: trainings are of dimension "; strings.Count(h.log(), want) != 1 || !strings.Contains(h.log(), "instead of 512, which costs some sharpness: "+podFile) {
		t.Error(h.log())
	}
	train(t, f)
	if got := f.Scorer().Model().Dim(); got != 16 || strings.Count(h.log(), "warm start") != 1 || strings.Count(h.log(), "memory is short") != 1 {
		t.Errorf("dimension %d after one of 16: %s", got, h.log())
	}
	f.memory.files = pod(900 * mib)
	train(t, f)
	if got := f.Scorer().Model().Dim(); got != 512 {
		t.Errorf("dimension %d with much memory", got)
	}
}

// Trainings at the same time have no more than what is left between them.
func TestPromisesAddUp(t *testing.T) {
	f := offline(t, host())
	f.memory.files = pod(500 * mib)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	before := f.memory.allowed().bytes
	giveBack := takeMemory(200*mib, true)
	during := f.memory.allowed().bytes
	shared.mu.Unlock()
	giveBack()
	shared.mu.Lock()
	if after := f.memory.allowed().bytes; before != 400*mib || during > 241*mib || during < 200*mib || after != before {
		t.Errorf("%d MiB before, %d beside a training of 200, %d after", before/mib, during/mib, after/mib)
	}
}

// The process grows in a training by no more than was foretold.
func TestForetold(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures memory, and is slow under the race detector")
	}
	f := offline(t, host("graph_max_edges", "60000", "model_dim", "64", "state_dir", t.TempDir()))
	f.memory.files = fstest.MapFS{}
	fill(f.graph, 60_000, 9000)
	for _, start := range []string{"cold", "warm"} {
		debug.FreeOSMemory()
		cfg := ModelConfig(f.cfg)
		if s := f.Scorer(); s != nil {
			cfg.Previous = s.Model()
		}
		foretold := f.memory.foretold(f.graph.Sizes(), cfg)
		before := heldByGo()
		most, residentBefore, mostResident := int64(0), resident(t), int64(0)
		done, watched := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(watched)
			for {
				select {
				case <-done:
					return
				default:
					held := heldByGo()
					most, mostResident = max(most, held-before), max(mostResident, resident(t)-residentBefore)
					runtime.Gosched()
				}
			}
		}()
		train(t, f)
		close(done)
		<-watched
		t.Logf("%s: foretold %.1f MiB, Go held %.1f more, resident %.1f more", start, float64(foretold)/mib, float64(most)/mib, float64(mostResident)/mib)
		if most > foretold || mostResident > foretold || start == "cold" && foretold > 2*most {
			t.Errorf("%s: foretold %d MiB, Go held %d more, resident %d more", start, foretold/mib, most/mib, mostResident/mib)
		}
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("Go's soft limit stays at %d", limit)
	}
}

// A graph stops to grow before a limit is reached, and goes on when there is room.
func TestTheGraphIsHeld(t *testing.T) {
	h := host("train_interval", "0")
	f := offline(t, h)
	f.memory.files = pod(900 * mib)
	f.memory.holdGraph(true)
	f.Process(nil, join(sessions(400)))
	before := f.graph.Stats().Edges
	f.memory.files = pod(maxReserve + mib)
	f.memory.holdGraph(true)
	f.memory.files = pod(mib)
	f.memory.holdGraph(true)
	f.memory.holdGraph(true)
	fill2 := func(n int) {
		for i := range n {
			f.Process(nil, session(9000+i, fmt.Sprint("new-", i), fmt.Sprint("server-", i), "client"))
		}
	}
	fill2(500)
	if st := f.graph.Stats(); st.Edges > before || f.Counts().Counted != 900 {
		t.Errorf("%d edges, %d before; %v", st.Edges, before, f.Counts())
	}
	want := fmt.Sprintf("memory is short: the graph stays at %d triplets between ", before)
	if strings.Count(h.log(), want) != 1 || !strings.Contains(h.log(), podFile+" leaves 1 of 1024 MiB; raise that limit, or lower graph.max_edges (500000) and graph.max_nodes (100000)") {
		t.Error(h.log())
	}
	if s := f.Status(); !strings.Contains(*f.memory.shortGraph.Load(), want) || s.Graph.Edges > before {
		t.Error(s)
	}
	f.memory.files = pod(900 * mib)
	f.memory.holdGraph(true)
	fill2(600)
	if st := f.graph.Stats(); st.Edges < before+500 || f.memory.shortGraph.Load() != nil || !strings.Contains(h.log(), "memory is no longer short") {
		t.Errorf("%d edges with much memory: %s", st.Edges, h.log())
	}
	// Nor is it short where nothing tells a limit any more.
	f.memory.files = pod(mib)
	f.memory.holdGraph(true)
	f.memory.holdGraph(true)
	if f.memory.shortGraph.Load() == nil {
		t.Fatal("memory is not short")
	}
	f.memory.files = fstest.MapFS{}
	f.memory.holdGraph(true)
	if f.memory.shortGraph.Load() != nil || f.memory.held || !strings.Contains(h.log(), "no limit on memory can be read any more") {
		t.Error(h.log())
	}
}

// What the graph gives up while a training has the memory is told at once: the training may take hours.
func TestTheGraphIsHeldByATraining(t *testing.T) {
	h := host("train_interval", "0")
	f := offline(t, h)
	f.Process(nil, join(sessions(400)))
	shared.mu.Lock()
	shared.promised++
	shared.mu.Unlock()
	t.Cleanup(func() {
		shared.mu.Lock()
		shared.promised--
		shared.mu.Unlock()
	})
	f.memory.files = pod(mib)
	for range 3 {
		f.memory.holdGraph(true)
	}
	f.Process(nil, session(9000, "new", "server", "client"))
	f.memory.holdGraph(true)
	evicted := f.graph.Stats().Evicted
	if why := f.memory.shortGraph.Load(); evicted == 0 || why == nil || !strings.Contains(*why, "memory is short: the graph stays at ") {
		t.Errorf("%d triplets were given up in silence: %s", evicted, h.log())
	}
	// A graph that is far from its bounds has evicted for age alone.
	f.memory.shortGraph.Store(nil)
	f.memory.lastHold.nodes, f.memory.lastHold.edges, f.memory.lastHold.evicted = 10_000, 10_000, 0
	f.memory.holdGraph(true)
	if why := f.memory.shortGraph.Load(); why != nil {
		t.Errorf("nothing was given up for want of memory: %s", *why)
	}
}

// The timer writes what came, and nothing when nothing came.
func TestStateInterval(t *testing.T) {
	for _, interval := range []string{"1m", "0"} {
		dir := t.TempDir()
		f := offline(t, host("state_dir", dir, "state_interval", interval, "train_interval", "0"))
		now := time.Now()
		graph := filepath.Join(dir, "graph")
		after := func(d time.Duration) os.FileInfo {
			f.store.saveOnTimer(now.Add(d))
			info, _ := os.Stat(graph)
			return info
		}
		f.Process(nil, join(sessions(100)))
		after(0)
		if after(59*time.Second) != nil {
			t.Errorf("%s: written before the interval was over", interval)
		}
		first := after(61 * time.Second)
		if (first != nil) != (interval != "0") {
			t.Fatalf("%s: written: %v", interval, first != nil)
		}
		if first == nil {
			continue
		}
		if second := after(time.Hour); !os.SameFile(first, second) {
			t.Error("written again although nothing came")
		}
		f.Process(nil, session(300, "another", "server", "client"))
		if second := after(2 * time.Hour); os.SameFile(first, second) {
			t.Error("not written although a session came")
		}
		g, err := NewFrozen(host("state_dir", dir))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := g.graph.Stats().Edges, f.graph.Stats().Edges; got != want {
			t.Errorf("%d edges saved of %d", got, want)
		}
	}
}

// A live filter saves before a training: the host may not live through it.
func TestTheGraphIsSavedBeforeATraining(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	f.live = true
	f.Process(nil, join(sessions(2000)))
	f.memory.files = pod(0)
	f.Train(context.Background(), time.Unix(1, 0), nil)
	if _, err := os.Stat(filepath.Join(dir, "graph")); err != nil || f.Scorer() != nil {
		t.Errorf("%v", err)
	}
}

// A saved model that memory does not allow to score by is said, and a start goes on without.
func TestAModelTooLargeForTheMemory(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir, "model_dim", "256"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	defer func() { machineFiles = os.DirFS("/") }()
	machineFiles = pod(mib)
	h := host("state_dir", dir, "model_dim", "256")
	f = offline(t, h)
	if f.Scorer() != nil || f.graph.Stats().Edges != 60 || !strings.Contains(h.log(), "is not used: to score 60 edges between 42 nodes by it would take about ") ||
		!strings.Contains(h.log(), podFile+" leaves 1 of 1024 MiB") {
		t.Error(h.log())
	}
	if out, modified := f.Process(nil, session(5000, "host-3", "server-0-1", "client-1")); !modified || decode(t, out)[0].body["score"] != nil {
		t.Error("records do not go on")
	}
}

// A graph that the memory cannot take is not read: what to do is said, the start goes on without it, and the file is kept.
func TestAGraphTooLargeForTheMemory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, graphFile)
	const size = 100 * mib
	head := binary.LittleEndian.AppendUint32([]byte("RGCNSTAT"), graphVersion)
	head = binary.LittleEndian.AppendUint64(head, size)
	head = binary.LittleEndian.AppendUint32(head, 0)
	if err := errors.Join(os.WriteFile(file, head, 0o600), os.Truncate(file, int64(len(head)+size))); err != nil {
		t.Fatal(err)
	}
	defer func() { machineFiles = os.DirFS("/") }()
	machineFiles = pod(99 * mib)
	h := host("state_dir", dir)
	f := offline(t, h)
	want := "state: " + file + ": has 100 MiB of content, and " + podFile + " leaves 99 of 1024 MiB; raise that limit, and start again; the next save sets it aside as " + file + ".aside"
	if !strings.Contains(h.log(), want) {
		t.Fatalf("%s, want %s", h.log(), want)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < size {
		t.Errorf("it is moved or changed before anything is saved: %v", err)
	}
	f.Process(nil, join(sessions(100)))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file + ".aside"); err != nil || info.Size() < size {
		t.Errorf("it is not kept: %v", err)
	}
	// What the memory can take is read, and found damaged here.
	if err := os.Rename(file+".aside", file); err != nil {
		t.Fatal(err)
	}
	machineFiles = pod(101 * mib)
	h = host("state_dir", dir)
	if offline(t, h); !strings.Contains(h.log(), file+": damaged: checksum ") {
		t.Error(h.log())
	}
}

// A process whose address space is small is told of at the start, and one that has enough is not.
func TestALowLimitOfAddressSpaceIsSaid(t *testing.T) {
	for _, c := range []struct {
		most string
		want bool
	}{{"1073741824", true}, {"2684354560", false}, {"unlimited", false}} {
		h := host()
		f := offline(t, h)
		f.memory.files = fstest.MapFS{
			"proc/self/limits": {Data: []byte("Max address space         " + c.most + "           unlimited            bytes     \n")},
			"proc/self/status": {Data: []byte("VmSize:\t  614400 kB\n")},
		}
		f.memory.logAddressSpace()
		if got := strings.Contains(h.log(), "the limit of address space (ulimit -v, LimitAS=) is 1024 MiB, of which 424 are left"); got != c.want {
			t.Errorf("%s: %q", c.most, h.log())
		}
	}
}

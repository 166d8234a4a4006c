package filter

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
)

func TestSchedule(t *testing.T) {
	s := schedule{cfg: config.Train{Interval: time.Hour, MinEdges: 100, MinNewEdges: 5}}
	at := func(m int) time.Time { return time.Unix(1e9, 0).Add(time.Duration(m) * time.Minute) }
	events := uint64(0)
	st := func(edges int, fresh uint64) graphbuf.Stats {
		return graphbuf.Stats{Edges: edges, NewEdges: fresh, Events: events}
	}
	step := func(minute, edges int, fresh uint64, want bool) {
		t.Helper()
		got := s.due(at(minute), st(edges, fresh), s.trained)
		if got != want {
			t.Errorf("minute %d, %d edges, %d new: due is %v", minute, edges, fresh, got)
		}
		if got {
			s.ran(at(minute), st(edges, fresh))
			s.trained = true
		}
	}
	step(0, 99, 99, false)
	step(1, 100, 100, true)    // as soon as there are enough
	step(30, 300, 300, false)  // not within the interval
	step(61, 104, 104, false)  // four new edges are too few
	step(62, 105, 105, true)   // five are not
	step(121, 500, 500, false) // an hour from minute 62 on
	step(122, 500, 500, true)

	// Where nothing is new, a model serves for a day, unless nothing came at all.
	const day = 24 * 60
	step(122+day, 500, 500, false)
	events = 1
	step(121+day, 500, 500, false)
	step(122+day, 500, 500, true)
	step(122+2*day, 500, 500, false)

	warm := schedule{cfg: s.cfg}
	if warm.due(at(0), st(500, 0), true) || warm.due(at(59), st(900, 400), true) {
		t.Error("a model from the state directory does not serve for the first interval")
	}
	if !warm.due(at(60), st(900, 400), true) {
		t.Error("it serves for ever")
	}
	// The interval of a saved model goes on over restarts, with a pause after each of them.
	for _, c := range []struct{ trained, due int }{{-20, 40}, {-59, 1}, {-60, 1}, {-10000, 1}, {10, 60}} {
		again := schedule{cfg: s.cfg, restored: at(c.trained)}
		if again.due(at(0), st(500, 0), true) || again.due(at(c.due).Add(-time.Second), st(500, 0), true) || !again.due(at(c.due), st(500, 0), true) {
			t.Errorf("a model of minute %d is not due at minute %d", c.trained, c.due)
		}
	}
	// The machine's clock may be set back between a start and the first training: what was so by then has passed for good.
	now := time.Now()
	back := schedule{cfg: s.cfg, restored: now.Add(-20 * time.Minute).Round(0)} // as it is saved
	if last := back.resumed(now); last == last.Round(0) || now.Sub(last) != 20*time.Minute {
		t.Errorf("the interval goes on from %v, by a clock that may be set", last)
	}
	short := schedule{cfg: config.Train{Interval: time.Second}, restored: at(-5)}
	if short.due(at(0), st(500, 0), true) || !short.due(at(0).Add(time.Second/2), st(500, 0), true) {
		t.Error("the pause is longer than the interval")
	}
	// A network that does not have fifty triplets in a day has few.
	small := schedule{cfg: config.Train{Interval: time.Hour}}
	lived := func(edges int, d time.Duration) graphbuf.Stats { return graphbuf.Stats{Edges: edges, Lived: d} }
	if small.due(at(0), lived(49, 23*time.Hour), false) || small.due(at(0), lived(7, 24*time.Hour), false) ||
		!small.due(at(0), lived(50, 0), false) || !small.due(at(0), lived(8, 24*time.Hour), false) {
		t.Error("the first training does not go by the time that the sessions span")
	}
	never := schedule{cfg: config.Train{Interval: 0, MinEdges: 1}}
	if never.due(at(0), st(500, 500), false) {
		t.Error("interval 0 trains")
	}
}

func TestTrainingInTheBackground(t *testing.T) {
	h := host("train_interval", "1h", "train_min_edges", "50")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	f.Process(nil, join(sessions(2000)))
	for f.Scorer() == nil { // the test's own deadline ends this if nothing comes
		time.Sleep(10 * time.Millisecond)
	}
	out, _ := f.Process(nil, session(3000, "host-3", "server-0-1", "client-1"))
	if _, ok := decode(t, out)[0].body["score"].(float64); !ok {
		t.Error("no score after the first training")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"preset=zeek", "trained: 60 edges, 42 nodes, 2 relations; cold start, 37 steps in ", " on cpu; loss ", "held-out AUC ", "threshold ", "closed: 2001 records, 2001 counted, 1 scored"} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("the log has no %q:\n%s", want, h.log())
		}
	}
}

// TestTrainingsDoNotPileUp: who asks while one runs, however often, gets no second one for it.
func TestTrainingsDoNotPileUp(t *testing.T) {
	f := offline(t, host("train_interval", "1s", "train_min_edges", "50"))
	f.Process(nil, join(sessions(2000)))
	var trained atomic.Int64
	ask := func(now time.Time) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if f.TrainIfDue(context.Background(), now) {
					trained.Add(1)
				}
			})
		}
		wg.Wait()
	}
	ask(time.Unix(100, 0))
	if n := trained.Load(); n != 1 {
		t.Errorf("%d trainings, want one", n)
	}
	f.Process(nil, join([][]byte{session(5000, "host-new", "server-0-1", "client-1")}))
	ask(time.Unix(101, 0))
	if n := trained.Load(); n != 2 {
		t.Errorf("%d trainings in two intervals, want two", n)
	}
}

func TestCloseStopsATraining(t *testing.T) {
	h := host("train_interval", "1h", "train_min_edges", "50", "train_steps", "100000", "model_dim", "256")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	f.Process(nil, join(sessions(2000)))
	for f.trainer.mu.TryLock() { // until the training has it
		f.trainer.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if f.Scorer() != nil {
		t.Error("a stopped training was published")
	}
}

func TestTooLittleIsSaidAndTriedAgain(t *testing.T) {
	h := host()
	f := offline(t, h)
	var same [][]byte
	for i := range 200 {
		same = append(same, appendEvent(nil, "ts", "1600000000.0", "id.orig_h", "h"+string(rune('a'+i%20)), "id.resp_h", "s"+string(rune('a'+i%10)), "client", "c"+string(rune('a'+i%7))))
	}
	f.Process(nil, join(same))
	if !f.TrainIfDue(context.Background(), time.Unix(1, 0)) || f.Scorer() != nil {
		t.Fatal("trained on a single moment")
	}
	f.TrainIfDue(context.Background(), time.Unix(1e5, 0))
	const why, remedy = "training put off: model: too little to learn from", "is that the right field for the time?"
	if strings.Count(h.log(), why) != 1 || !strings.Contains(h.log(), remedy) {
		t.Errorf("log: %s", h.log())
	}
	if st := f.Status(); st.State != StateWaiting || !strings.Contains(st.Problem, why) || !strings.Contains(st.Problem, remedy) {
		t.Errorf("%s: %s", st.State, st.Problem)
	}
	if text := f.unscored(f.Counts()); !strings.Contains(text, remedy) {
		t.Errorf("the last line will say %q", text)
	}
	f.Process(nil, join(sessions(2000)))
	if !f.TrainIfDue(context.Background(), time.Unix(1e6, 0)) || f.Scorer() == nil {
		t.Error("not tried again")
	}
	if st := f.Status(); strings.Contains(st.Problem, why) {
		t.Errorf("after a training: %s", st.Problem)
	}
}

// A filter that is restarted more often than its interval trains all the same.
func TestTrainingAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	f := offline(t, host("state_dir", dir, "train_interval", "1h"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	g := offline(t, host("state_dir", dir, "train_interval", "1h"))
	start := g.Scorer().Model().Trained.Add(50 * time.Minute)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {9 * time.Minute, false}, {10 * time.Minute, true}, {20 * time.Minute, false}} {
		if g.TrainIfDue(context.Background(), start.Add(c.after)) != c.want {
			t.Errorf("%v after a start at which the model is 50 minutes old: trains is %v", c.after, !c.want)
		}
	}
}

func TestStateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	if _, err := NewOffline(host("state_dir", dir)); err == nil || !strings.Contains(err.Error(), "in use by another") {
		t.Errorf("a second instance on the directory: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	probe := join([][]byte{session(5000, "host-3", "server-0-1", "client-1"), session(5001, "host-3", "server-1-1", "client-1")})
	run := func() []byte {
		g := offline(t, host("state_dir", dir))
		out, _ := g.Process(nil, probe)
		g.store.dir.Close() // as after kill -9: nothing is saved
		return out
	}
	first := run()
	d := decode(t, first)
	if _, ok := d[0].body["score"].(float64); !ok {
		t.Fatal("the first record after a restart has no score")
	}
	if d[0].body["score"].(float64) <= d[1].body["score"].(float64) {
		t.Errorf("the usual session scores %v, one to another team %v", d[0].body["score"], d[1].body["score"])
	}
	if !bytes.Equal(first, run()) {
		t.Error("two starts from one state score differently")
	}

	frozen, err := NewFrozen(host("state_dir", dir))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "graph"))
	a, _ := frozen.Process(nil, probe)
	b, _ := frozen.Process(nil, probe)
	if !bytes.Equal(a, b) {
		t.Error("a frozen instance learns")
	}
	frozen.Close()
	if after, _ := os.ReadFile(filepath.Join(dir, "graph")); !bytes.Equal(before, after) {
		t.Error("a frozen instance writes")
	}
}

// TestAFrozenInstanceTakesTheGraphAsItLies: it scores alike whatever bounds its own settings have, as a state may have
// been made with others.
func TestAFrozenInstanceTakesTheGraphAsItLies(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir, "graph_window", "0"))
	all := sessions(2000)
	f.Process(nil, join(all))
	for day := range 60 { // later, when none of the others comes any more
		f.Process(nil, session(2000+day*24*60, "host-3", "server-0-1", "client-1"))
	}
	train(t, f)
	want := f.graph.Stats()
	f.Close()
	probe := join(all[:200])
	score := func(properties ...string) []byte {
		frozen, err := NewFrozen(host(append(properties, "state_dir", dir)...))
		if err != nil {
			t.Fatal(err)
		}
		defer frozen.Close()
		if got := frozen.graph.Stats(); got.Edges != want.Edges || got.Nodes != want.Nodes || got.Relations != want.Relations {
			t.Errorf("%v: %d edges, %d nodes and %d relations, want %d, %d and %d", properties, got.Edges, got.Nodes, got.Relations, want.Edges, want.Nodes, want.Relations)
		}
		out, _ := frozen.Process(nil, probe)
		return out
	}
	first := score("graph_window", "0")
	for _, other := range [][]string{nil, {"graph_window", "1d"}, {"graph_max_edges", "50"}, {"graph_max_nodes", "20"}, {"graph_max_relations", "2"}} {
		if !bytes.Equal(score(other...), first) {
			t.Errorf("%v: other scores", other)
		}
	}
}

// TestWhatTheBoundsLeaveOutIsTold: an instance with a shorter window or smaller bounds than its state's tells what it
// leaves out, once.
func TestWhatTheBoundsLeaveOutIsTold(t *testing.T) {
	const why = "%d of its %d triplets, those seen longest ago, are left out: "
	for _, c := range []struct{ property, value, want string }{
		{"graph_window", "30d", why + "%[1]d triplets were last seen before what graph.window = 30d reaches back to here"},
		{"graph_max_edges", "50", why + "it has %[2]d triplets, graph.max_edges allows 50 here"},
		{"graph_max_nodes", "20", why + "it has %[3]d hosts, graph.max_nodes allows 20 here"},
		{"graph_max_relations", "2", why + "it has %[4]d relations, graph.max_relations allows 2 here"},
	} {
		t.Run(c.property, func(t *testing.T) {
			dir := t.TempDir()
			f := offline(t, host("state_dir", dir, "graph_window", "0"))
			f.Process(nil, join(sessions(2000)))
			f.Process(nil, session(2000, "host-3", "server-0-1", "client-2"))
			for day := range 60 { // later, when none of the others comes any more
				f.Process(nil, session(2000+day*24*60, "host-3", "server-0-1", "client-1"))
			}
			st := f.graph.Stats()
			f.Close()
			start := func() (edges int, log string) {
				h := host("state_dir", dir, "graph_window", "0", c.property, c.value)
				g := offline(t, h)
				g.Close()
				return g.graph.Stats().Edges, h.log()
			}
			left, log := start()
			want, _, _ := strings.Cut(fmt.Sprintf("state: "+c.want, st.Edges-left, st.Edges, st.Nodes, st.Relations), "%!(EXTRA")
			if left >= st.Edges || strings.Count(log, want) != 1 {
				t.Errorf("%d of %d edges are there, want fewer and %q in\n%s", left, st.Edges, want, log)
			}
			if again, log := start(); again != left || strings.Contains(log, "left out") {
				t.Errorf("%d edges after another start, want %d, and nothing left out: %s", again, left, log)
			}
		})
	}
}

func TestDamagedStateIsSaidAndTheOlderServes(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	train(t, f)
	f.Close()
	for _, name := range []string{"graph", "model"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 4
		os.WriteFile(path, b, 0o600)
	}
	h := host("state_dir", dir)
	f = offline(t, h)
	if f.Scorer() == nil || f.graph.Stats().Edges == 0 {
		t.Error("the older files do not serve")
	}
	if n := strings.Count(h.log(), "damaged: checksum"); n != 2 {
		t.Errorf("log: %s", h.log())
	}
	f.Close()

	for _, name := range []string{"graph", "graph.prev", "model", "model.prev"} {
		os.WriteFile(filepath.Join(dir, name), []byte("RGCNSTATgarbage"), 0o600)
	}
	h = host("state_dir", dir)
	f = offline(t, h)
	if f.Scorer() != nil || f.graph.Stats().Edges != 0 {
		t.Error("garbage is taken for state")
	}
	f.Close()
}

func TestAStateDirectoryThatCannotBeIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	_, err := NewOffline(host("state_dir", file))
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
}

// A wrong setting is refused in one line, which names it, its value and what is allowed.
func TestBadSettingsAreRefused(t *testing.T) {
	allowed := map[string]string{}
	for _, o := range config.Options() {
		allowed[o.Property()] = o.Allowed
	}
	for property, value := range map[string]string{
		"train_interval": "soon", "model_dim": "7", "source": "$a[", "train_device": "gpu", "preset": "zeeek",
	} {
		f, err := NewOffline(host(property, value))
		if err == nil {
			f.Close()
			t.Errorf("%s = %s is accepted", property, value)
			continue
		}
		if want := fmt.Sprintf("property %s = %q: want %s", property, value, allowed[property]); err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestThresholdSettingsHoldForAStoredModel(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	f.Close()
	threshold := func(quantile string) float32 {
		t.Helper()
		g, err := NewFrozen(host("state_dir", dir, "threshold_method", "quantile", "threshold_quantile", quantile))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		return g.Scorer().Threshold()
	}
	if low, high := threshold("0.01"), threshold("0.9"); !(low < high) {
		t.Errorf("one in a hundred lies below %v, nine in ten below %v", low, high)
	}
}

func TestATrainingThatIsTooLargeIsPutOff(t *testing.T) {
	h := host("train_max_memory", "5")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	err := f.Train(context.Background(), time.Unix(1, 0), nil)
	if err == nil || f.Scorer() != nil {
		t.Error("trained")
	}
	// Who logs no warnings has to be told what to change, too.
	if !strings.Contains(fmt.Sprint(err), "the training would take more memory than there is for it: 60 edges between 42 nodes") || !strings.Contains(fmt.Sprint(err), "train.max_memory allows 5;") {
		t.Error(err)
	}
	if !strings.Contains(h.log(), "training put off: 60 edges between 42 nodes would take about ") || !strings.Contains(h.log(), "train.max_memory allows 5;") {
		t.Error(h.log())
	}
	if out, modified := f.Process(nil, session(1, "a", "b", "c")); !modified || decode(t, out)[0].body["score"] != nil {
		t.Error("records do not go on")
	}
}

// What keeps trainings from coming to be for long is said at once and then at growing intervals, and so is its end.
func TestWhyNoTrainingCameIsSaidAtGrowingIntervals(t *testing.T) {
	const attempts = 72 // every ten minutes
	for name, c := range map[string]struct {
		files    fs.FS
		progress func(step, steps int, loss float32)
		line     string
		end      string
	}{
		"memory":  {pod(2 * mib), nil, "training put off: ", "memory is enough for trainings again, after 72 attempts since 1970-01-01T00:00:00Z"},
		"failure": {nil, func(int, int, float32) { panic("no step") }, "training failed, the scores go on as before: ", "trainings work again, after 72 failures since 1970-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			h := host()
			f := offline(t, h)
			f.Process(nil, join(sessions(2000)))
			plenty := f.memory.files
			if c.files != nil {
				f.memory.files = c.files
			}
			now, said := time.Unix(0, 0), 0
			for i := range attempts {
				if f.Train(t.Context(), now.Add(time.Duration(i)*10*time.Minute), c.progress) == nil {
					t.Fatal("trained")
				}
				if said = strings.Count(h.log(), c.line); i == 0 && said != 1 {
					t.Fatalf("not said at once:\n%s", h.log())
				}
			}
			if said < 4 || said > 10 { // at growing intervals, over half a day
				t.Errorf("said %d times in %d attempts", said, attempts)
			}
			f.memory.files = plenty
			for _, n := range f.Status().Trainings {
				if n.Device != model.CPU || n.Count != attempts {
					t.Errorf("counted as %+v", n)
				}
			}
			train(t, f)
			if log := h.log(); strings.Count(log, c.end) != 1 {
				t.Errorf("the end is not said once:\n%s", log)
			}
		})
	}
}

// While the first training runs, the status does not tell when the next one is due.
func TestWaitingForATrainingThatRuns(t *testing.T) {
	f := offline(t, host())
	f.Process(nil, join(sessions(2000)))
	said := ""
	if err := f.Train(context.Background(), time.Now(), func(int, int, float32) { said = f.trainer.waiting() }); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(said, "no model yet: a training on 60 distinct triplets has been running since 2") {
		t.Error(said)
	}
	if said = f.trainer.waiting(); !strings.Contains(said, "the next training is due at ") {
		t.Error(said)
	}
}

// Whoever reads of a training that gave a model finds this model in use.
func TestAModelIsInUseBeforeItsTrainingIsCounted(t *testing.T) {
	f := offline(t, host())
	f.Process(nil, join(sessions(2000)))
	f.trainer.history.mu.Lock() // the training cannot be counted for now
	ended := make(chan error, 1)
	go func() { ended <- f.Train(context.Background(), time.Unix(2e9, 0), nil) }()
	for deadline := time.Now().Add(time.Minute); f.Scorer() == nil && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	inUse := f.Scorer() != nil
	f.trainer.history.mu.Unlock()
	if err := <-ended; err != nil || !inUse {
		t.Errorf("in use %t, %v", inUse, err)
	}
}

package filter

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/state"
)

// Trainings that overlap in whatever order leave the process's garbage collection and its soft limit as they were.
func TestEagerCollectionEnds(t *testing.T) {
	was, limited := debug.SetGCPercent(73), debug.SetMemoryLimit(1<<40)
	defer func() {
		debug.SetGCPercent(was)
		debug.SetMemoryLimit(limited)
	}()
	take := func() func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		return takeMemory(64<<20, true)
	}
	setting := func(want int, when string) {
		t.Helper()
		got := debug.SetGCPercent(want)
		if got != want {
			t.Errorf("%s: %d %%, want %d", when, got, want)
		}
		if limit := debug.SetMemoryLimit(-1); (limit < 1<<40) != (want == eagerPercent) {
			t.Errorf("%s: Go's soft limit is %d MiB", when, limit>>20)
		}
	}
	for range 2 {
		a := take()
		b := take()
		setting(eagerPercent, "two trainings")
		a()
		setting(eagerPercent, "the second goes on")
		c := take()
		b()
		setting(eagerPercent, "a third came before the second ended")
		c()
		setting(73, "none")
	}
}

// A training whose parameters were worse leaves the model as old as it was: its date, the metric and the alert tell.
func TestAModelThatStaysIsAsOldAsBefore(t *testing.T) {
	dir := t.TempDir()
	h := host("state_dir", dir, "explain", "on", "train_steps", "200")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	first := time.Unix(1_700_000_000, 0)
	if err := f.Train(context.Background(), first, nil); err != nil {
		t.Fatal(err)
	}
	f.cfg.Train.Tolerance = -1 // nothing is as much better as that
	later := first.Add(48 * time.Hour)
	if err := f.Train(context.Background(), later, nil); err != nil {
		t.Fatal(err)
	}
	s := f.Status()
	if len(s.Trainings) != 2 || s.Trainings[0].Result != ResultKept || !s.Training.At.Equal(later) {
		t.Fatalf("%+v, the last at %v", s.Trainings, s.Training.At)
	}
	want := first.UTC().Format(time.RFC3339)
	out, _ := f.Process(nil, session(3000, "host-3", "server-0-1", "client-1"))
	if got := decode(t, out)[0].body["score_model"]; !s.Model.Trained.Equal(first) || got != want {
		t.Errorf("the model is of %v, score_model %v, want %s", s.Model.Trained, got, want)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := offline(t, host("state_dir", dir)).Scorer().Model().TrainedText(); got != want {
		t.Errorf("after a restart the model is of %s, want %s", got, want)
	}
}

// fragileHost panics at a log line that begins in some way.
type fragileHost struct {
	*testHost
	at string
}

func (h *fragileHost) Log(level Level, message string) {
	if h.at != "" && strings.HasPrefix(message, h.at) {
		panic("no line " + h.at)
	}
	h.testHost.Log(level, message)
}

// A panic outside of the training proper ends one turn of the background.
func TestAPanicEndsOneTurn(t *testing.T) {
	h := &fragileHost{testHost: host("train_interval", "1h", "train_min_edges", "50", "train_min_new_edges", "0")}
	f, err := NewOffline(h)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Process(nil, join(sessions(2000)))
	f.trainTurn(context.Background(), now)
	if f.Scorer() == nil {
		t.Fatal(h.log())
	}
	h.at = "trained: " // between the publication of the model and its saving
	for i := range 3 {
		now = now.Add(time.Hour)
		f.trainTurn(context.Background(), now)
		if n := strings.Count(h.log(), "background: panic: no line trained: ; the scores go on by the model there is"); n != i+1 {
			t.Errorf("said %d times after %d panics:\n%s", n, i+1, h.log())
		}
	}
	f.graph = nil // in every turn
	for range 5 {
		now = now.Add(200 * time.Millisecond)
		f.trainTurn(context.Background(), now)
	}
	if n := strings.Count(h.log(), "background: panic: "); n != 3 {
		t.Errorf("said %d times within a minute:\n%s", n, h.log())
	}
	counts := map[string]uint64{}
	list, _ := f.trainer.history.list()
	for _, c := range list {
		counts[c.Result] += c.Count
	}
	if counts[ResultFailed] != 3 || f.Scorer() == nil { // those turns that trained
		t.Errorf("%v", counts)
	}
}

// A panic in the upkeep does not keep the store: a training would wait for it for ever.
func TestAPanicInTheUpkeepGivesUpTheStore(t *testing.T) {
	f := offline(t, host("state_dir", t.TempDir()))
	path := f.store.path
	f.store.path = nil
	f.upkeepTurn(time.Now())
	f.store.path = path
	if !f.store.mu.TryLock() {
		t.Fatal("the store is held")
	}
	f.store.mu.Unlock()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPanicInCloseGivesUpTheDirectory(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	g := f.graph
	f.graph = nil
	err := f.store.saveAll()
	f.graph = g
	if err == nil || !strings.Contains(err.Error(), "is not saved: panic: ") {
		t.Errorf("%v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A model without held-out scores, or with ones that are none, is set aside; whatever the method, the filter starts.
func TestAModelWithoutHeldOutScores(t *testing.T) {
	for name, held := range map[string]any{"null": nil, "empty": []float32{}, "weightless": []float32{0.5, 0}, "odd": []float32{0.5}, "beyond": []float32{1.5, 1}, "negative": []float32{0.5, 2, 0.5, -1}} {
		dir := t.TempDir()
		f := offline(t, host("state_dir", dir))
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "model"))
		if err != nil {
			t.Fatal(err)
		}
		const fileHeader = 24
		n, size := binary.Uvarint(b[fileHeader:])
		at := fileHeader + size
		var header map[string]any
		if err := json.Unmarshal(b[at:at+int(n)], &header); err != nil {
			t.Fatal(err)
		}
		if len(header["HeldOut"].([]any)) == 0 {
			t.Fatal("the model has no held-out scores to begin with")
		}
		header["HeldOut"] = held
		text, err := json.Marshal(header)
		if err != nil {
			t.Fatal(err)
		}
		forged := append(binary.AppendUvarint(nil, uint64(len(text))), text...)
		for _, method := range []string{"budget", "sigma", "quantile"} {
			d, err := state.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Save(modelFile, modelVersion, append(forged[:len(forged):len(forged)], b[at+int(n):]...)); err != nil {
				t.Fatal(err)
			}
			os.Remove(filepath.Join(dir, "model.prev"))
			d.Close()
			h := host("state_dir", dir, "threshold_method", method)
			f := offline(t, h)
			if f.Scorer() != nil || !strings.Contains(h.log(), "held-out") || !strings.Contains(h.log(), "set aside") {
				t.Errorf("%s, %s: %s", name, method, h.log())
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A state directory that is removed while the filter runs is made again, with all that a start needs.
func TestARemovedStateDirectoryIsFilledAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	h := host("state_dir", dir, "threshold_method", "budget")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	now := time.Unix(1_700_000_000, 0)
	f.store.hold(now)
	whole := func(when string) {
		t.Helper()
		for _, name := range []string{"graph", "model", "alerts", "status", "lock"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	os.RemoveAll(dir)
	f.store.hold(now.Add(holdInterval - 1)) // not yet
	if _, err := os.Stat(dir); err == nil {
		t.Error("looked at too often")
	}
	f.store.hold(now.Add(holdInterval))
	whole("in the background")
	for name, first := range map[string]func(){
		"the status": func() { f.store.refreshStatus(now.Add(statusInterval)); f.store.statusAt = time.Time{} },
		"changes":    func() { f.Process(nil, join(sessions(1))); f.store.saveChanges() },
	} {
		os.RemoveAll(dir)
		first()
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s first: %v", name, err)
		}
		f.store.lastHold = time.Time{}
		f.store.hold(now.Add(holdInterval))
		whole(name + " first")
	}
	if log := h.log(); strings.Count(log, "is made and locked again") != 3 || strings.Contains(log, "is not saved") {
		t.Error(log)
	}
	os.RemoveAll(dir)
	other := offline(t, host("state_dir", dir))
	for i := range 3 {
		f.store.hold(now.Add(time.Duration(2+i) * holdInterval))
	}
	if log := h.log(); strings.Count(log, "is made and locked again") != 3 || strings.Count(log, "what was learned is not saved, scoring goes on and it is tried again: state: directory "+dir+" is in use by another") != 1 {
		t.Error(log)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(dir)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole("at the end")
	if offline(t, host("state_dir", dir)).Scorer() == nil {
		t.Error("no model after a restart")
	}
}

// The upkeep goes on while a training runs, and does not wait for somebody who saves: it has its turn when that is over.
func TestTheUpkeepWaitsForNobody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	h := host("state_dir", dir, "train_interval", "1h")
	f := offline(t, h)
	f.live = true // but without a background of its own
	now := time.Now()
	f.upkeepTurn(now)
	f.trainer.mu.Lock() // a training runs
	defer f.trainer.mu.Unlock()
	os.RemoveAll(dir)
	f.Process(nil, appendEvent(nil, "ts", "1000000", "id.orig_h", "a", "id.resp_h", "b", "client", "c"))
	saves := func(when string, lock bool, at time.Duration, want bool) {
		t.Helper()
		if lock {
			f.store.mu.Lock()
			defer f.store.mu.Unlock()
		}
		f.statusChanged.Store(true)
		f.upkeepTurn(now.Add(at))
		_, err := os.Stat(filepath.Join(dir, "graph"))
		if filled := err == nil; filled != want || f.statusChanged.Load() == want {
			t.Errorf("%s: the directory is filled: %v, want %v; the status is to be told: %v\n%s", when, filled, want, f.statusChanged.Load(), h.log())
		}
	}
	saves("while somebody saves", true, holdInterval, false)
	saves("after it", false, holdInterval+upkeepInterval, true)
	if c := f.arrival; !c.came {
		t.Error("the upkeep has not seen that a record came")
	}
}

// A state directory that is made again and cannot be filled at once is filled later.
func TestARemovedStateDirectoryIsFilledWhenThatIsPossible(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	h := host("state_dir", dir)
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	now := time.Unix(1_700_000_000, 0)
	os.RemoveAll(dir)
	f.store.hold(now)
	os.RemoveAll(dir)
	if err := os.MkdirAll(filepath.Join(dir, "model.tmp", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	f.store.hold(now.Add(holdInterval))
	f.store.hold(now.Add(2 * holdInterval))
	if log := h.log(); strings.Count(log, "what was learned is not saved, scoring goes on and it is tried again: state: save "+filepath.Join(dir, "model")) != 1 {
		t.Error(log)
	}
	os.RemoveAll(filepath.Join(dir, "model.tmp"))
	f.store.hold(now.Add(3 * holdInterval))
	if !f.store.dir.Has(modelFile) {
		t.Errorf("no model:\n%s", h.log())
	}
	f.Close()
}

package filter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/fleet"
)

// watchedPlace is a place that looks at what is promised while a state is on its way.
type watchedPlace struct {
	put func(state []byte) error
}

func (p *watchedPlace) Put(_ context.Context, state []byte) error { return p.put(state) }

func (p *watchedPlace) Get(context.Context, string) (io.ReadCloser, string, error) {
	return nil, "", errors.New("nothing is there")
}

func (p *watchedPlace) String() string { return "a place" }

func (p *watchedPlace) Close() {}

func promisedNow() (bytes int64, eager int) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	return shared.promised, shared.eager
}

// A state that is being sent is promised memory until it has come or failed, and no more than it has: to send it may take
// minutes, in which others train.
func TestAStateOnItsWayIsPromisedItsMemory(t *testing.T) {
	s := newFleet(t)
	before, eager := promisedNow()
	for name, fails := range map[string]func() error{
		"taken": func() error { return nil }, "refused": func() error { return errors.New("no") }, "a panic": func() error { panic("no") },
	} {
		calls := 0
		s.trainer.publisher.place = &watchedPlace{func(state []byte) error {
			calls++
			if during, e := promisedNow(); during != before+int64(len(state)) || e != eager {
				t.Errorf("%s: %d bytes are promised while %d are sent, and %d before; %d collect eagerly, %d before", name, during, len(state), before, e, eager)
			}
			return fails()
		}}
		_, err := s.trainer.Publish(t.Context())
		if after, e := promisedNow(); calls != 1 || (err == nil) != (name == "taken") || after != before || e != eager {
			t.Errorf("%s: %d calls, %v, %d bytes promised afterwards, %d before, %d collect eagerly", name, calls, err, after, before, e)
		}
	}
}

// What making a state takes is within what is promised to it, with a model that is larger than the graph too.
func TestPublishingBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	s := newFleet(t)
	key, err := fleet.ReadSigningKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	f := offline(t, host("publish", s.place, "publish_key", s.key, "model_dim", "512", "model_layer1", "full", "train_steps", "2"))
	defer f.Abandon()
	f.Process(nil, join(s.sessions(0, 2000)))
	train(t, f)
	st := f.graph.Stats()
	sizes := graphbuf.Sizes{Nodes: st.Nodes, Relations: st.Relations, Edges: st.Edges}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, _, promised, err := f.publisher.encode(key)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	promised.keep(0)
	if took, foretold := int64(after.TotalAlloc-before.TotalAlloc), publishingBytes(sizes, f.Scorer().Model()); took > foretold {
		t.Errorf("a state of %d KiB took %d KiB, promised were %d", len(b)>>10, took>>10, foretold>>10)
	}
}

// While a server is away the log is silent for hours. That it then refuses is said at once, and once.
func TestAnotherCauseIsSaidAtOnce(t *testing.T) {
	s := newFleet(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	fails := func(url string) error {
		t.Helper()
		place, err := fleet.Open(url, fleet.Access{})
		if err != nil {
			t.Fatal(err)
		}
		defer place.Close()
		if err = place.Put(t.Context(), []byte("state")); err == nil {
			t.Fatalf("%s takes a state", url)
		}
		return err
	}
	away, refuses := fails("http://127.0.0.1:1/x"), fails(server.URL+"/x")
	p, now := &s.trainer.publisher, time.Now()
	for i, c := range []struct {
		err   error
		after time.Duration
		lines int
	}{{away, 0, 1}, {away, time.Second, 1}, {refuses, 2 * time.Second, 2}, {refuses, 3 * time.Second, 2}, {away, 4 * time.Second, 3}, {away, time.Hour, 4}} {
		p.report(c.err, now.Add(c.after))
		if n := strings.Count(s.trainerLog.log(), "what was learned is not published"); n != c.lines {
			t.Errorf("%d lines after the failure %d, want %d:\n%s", n, i, c.lines, s.trainerLog.log())
		}
	}
}

// What could not be saved of published states is saved with the next that is learned, and until then saving does not
// work again: with the sequence of before, a restart would publish states that agents refuse.
func TestASequenceThatCouldNotBeSavedIsSavedLater(t *testing.T) {
	s := newFleet(t)
	dir := filepath.Join(t.TempDir(), "state")
	h := host("publish", s.place, "publish_key", s.key, "state_dir", dir)
	f := offline(t, h)
	f.Process(nil, join(s.sessions(0, 2000)))
	train(t, f)
	publish := func() uint64 {
		t.Helper()
		p, err := f.Publish(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Sequence
	}
	publish()
	inTheWay := filepath.Join(dir, fleetFile+".tmp", "x")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	last := publish()
	f.store.save(f.Scorer().Model())
	if !f.store.saving.fails() {
		t.Error("saving works, though a sequence is not saved")
	}
	if err := os.RemoveAll(filepath.Dir(inTheWay)); err != nil {
		t.Fatal(err)
	}
	f.store.save(f.Scorer().Model())
	if f.store.saving.fails() {
		t.Error("saving does not work again")
	}
	if err := f.store.dir.Close(); err != nil { // a kill: nothing more is saved
		t.Fatal(err)
	}
	again := offline(t, h)
	defer again.Abandon()
	if got := again.publisher.state().Sequence; got != last {
		t.Errorf("after a restart the sequence is %d, published was %d", got, last)
	}
}

// A state whose answer was lost may lie in its place: the next one has a later sequence, though the clock went back.
func TestTheSequenceOfALostAnswerIsNotGivenAgain(t *testing.T) {
	s := newFleet(t)
	var sent uint64
	s.trainer.publisher.place = &watchedPlace{func(state []byte) error {
		h, err := fleet.ReadHeader(bytes.NewReader(state), fleet.Trust{Unsigned: true})
		if err != nil {
			t.Fatal(err)
		}
		sent = h.Sequence
		return errors.New("no answer")
	}}
	if _, err := s.trainer.Publish(t.Context()); err == nil || sent == 0 {
		t.Fatalf("sent %d, %v", sent, err)
	}
	if next := s.trainer.publisher.next(int64(sent) - 1e9); next <= sent {
		t.Errorf("the sequence %d follows %d", next, sent)
	}
	if next := s.trainer.publisher.next(int64(sent) + 1e9); next != sent+1e9 {
		t.Errorf("the sequence %d is no time", next)
	}
}

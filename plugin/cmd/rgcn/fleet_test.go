package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
)

// properties are a host for an instance beside the command line.
type properties map[string]string

func (p properties) Property(key string) (string, bool) { v, ok := p[key]; return v, ok }
func (p properties) Log(filter.Level, string)           {}

// TestTrainPublishes: keys are made, a state is trained and published, a filter takes it, and its state directory tells.
func TestTrainPublishes(t *testing.T) {
	dir := t.TempDir()
	key, place, state := filepath.Join(dir, "key"), filepath.Join(dir, "out", "state.rgcn"), filepath.Join(dir, "state")
	stdout, _ := mustRun(t, "keygen", key)
	has(t, stdout, key+" signs, "+key+".pub verifies; the key is named ")
	train := withSmall("train", "-columns", columns, "-state", state, "-publish", place, "-key", key, samples.SessionsPath(t))
	if _, stderr, status := rgcn(train...); status != exitFailed || !strings.Contains(stderr, "publish: "+place+": ") || !strings.Contains(stderr, "no such file") ||
		!strings.Contains(stderr, "what was learned is in "+state+": run the same command without FILE") {
		t.Errorf("without its directory: status %d: %s", status, stderr)
	}
	os.Mkdir(filepath.Dir(place), 0o755)
	// What was learned before is published without the records, which would count again.
	again := withSmall("train", "-columns", columns, "-state", state, "-publish", place, "-key", key)
	counts, _ := mustRun(t, "status", "-state", state)
	_, stderr := mustRun(t, again...)
	has(t, stderr, "published to "+place+" as state 1", " KiB")
	if after, _ := mustRun(t, "status", "-state", state); graphLine(after) != graphLine(counts) {
		t.Errorf("the graph was %s and is %s", graphLine(counts), graphLine(after))
	}
	if _, stderr, status := rgcn(withSmall("train", "-state", t.TempDir(), "-publish", place, "-key", key)...); status != exitFailed || !strings.Contains(stderr, "nothing to publish: ") {
		t.Errorf("without a model: status %d: %s", status, stderr)
	}
	_, stderr = mustRun(t, train...)
	has(t, stderr, "published to "+place+" as state 1", " KiB")

	agent := filepath.Join(dir, "agent")
	f, err := filter.New(properties{"state_from": place, "state_key": key + ".pub", "state_dir": agent, "state_poll": "0"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Scorer() == nil {
		t.Error("the state is not taken")
	}
	f.Close()
	text, _ := mustRun(t, "status", "-state", agent)
	has(t, text, "published state", " from "+place+", published ", "1490 triplets up to ", "0 triplets with 0 sessions of this filter", "looks: 1 taken, 0 unchanged, 0 failed, 0 refused; last in order ")
	js, _ := mustRun(t, "status", "-json", "-state", agent)
	var s filter.Status
	if err := json.Unmarshal([]byte(js), &s); err != nil || s.Published == nil || s.Published.Edges != 1490 {
		t.Errorf("%v: %s", err, js)
	}
	text, _ = mustRun(t, "status", "-state", state)
	if strings.Contains(text, "published state") {
		t.Errorf("%s", text)
	}
	for _, args := range [][]string{{"keygen"}, {"keygen", "a", "b"}, {"keygen", key}, {"train", "-state", state, "-publish", place, samples.SessionsPath(t)}} {
		if _, stderr, status := rgcn(args...); status == 0 {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if status := execute(ctx, train, io.Discard, io.Discard); status != exitInterrupted {
		t.Errorf("interrupted: %d", status)
	}
}

// graphLine is what rgcn status tells of the graph.
func graphLine(status string) string {
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "graph") {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return "missing"
}

// A server that refuses for good is asked once, and tells why though all else is silent.
func TestTrainPublishesWhereItHasNoRight(t *testing.T) {
	tries, key := 0, filepath.Join(t.TempDir(), "key")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tries++
		http.Error(w, "not you", http.StatusForbidden)
	}))
	defer server.Close()
	mustRun(t, "keygen", key)
	_, stderr, status := rgcn(withSmall("train", "-q", "-columns", columns, "-state", t.TempDir(), "-publish", server.URL, "-key", key, samples.SessionsPath(t))...)
	has(t, stderr, "403 Forbidden (see fleet.credentials): not you", "run the same command without FILE")
	if status != exitFailed || tries != 1 {
		t.Errorf("it ends with %d after %d tries", status, tries)
	}
}

// A server that is away for a moment is tried again.
func TestTrainPublishesToAServerThatWasAway(t *testing.T) {
	tries, key := 0, filepath.Join(t.TempDir(), "key")
	var state []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		state, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	mustRun(t, "keygen", key)
	_, stderr := mustRun(t, withSmall("train", "-columns", columns, "-state", t.TempDir(), "-publish", server.URL, "-key", key, samples.SessionsPath(t))...)
	has(t, stderr, "not published, it is tried again: publish: "+server.URL+"/state.rgcn: the server answers 503", "published to "+server.URL)
	keys, err := fleet.ReadPublicKeys(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if h, err := fleet.ReadHeader(bytes.NewReader(state), fleet.Trust{Keys: keys}); err != nil || h.Edges != 1490 || tries != 2 {
		t.Errorf("%+v, %v after %d tries", h, err, tries)
	}
}

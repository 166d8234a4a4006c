package elastic

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/state"
)

// graph indexes a simulated log and compares what `rgcn train -from` makes of it with what `rgcn train` makes of the
// log itself: every triplet with its count, its times and its activity, and the scores.
func graph(t *testing.T, s *server) {
	const index = "logs-ssh.rgcn-graph"
	rgcn, dir := environment(t, "RGCN_BIN"), t.TempDir()
	log := filepath.Join(dir, "log")
	run(t, rgcn, "simulate", "-q", "-days", "9", "-hosts", "150", "-seed", "5", "-start", time.Now().UTC().AddDate(0, 0, -9).Format(time.DateOnly), "-o", log)
	lines := slices.Collect(strings.Lines(read(t, log)))
	fromLog, fromServer := filepath.Join(dir, "from-log"), filepath.Join(dir, "from-server")
	run(t, rgcn, "train", "-q", "-set", "train_steps=100", "-state", fromLog, log)
	train := func() string {
		return run(t, rgcn, "train", "-set", "train_steps=100", "-state", fromServer, "-from", s.url()+"/"+index)
	}
	cut := len(lines) * 2 / 3
	s.bulk(t, index, lines[:cut])
	if out := train(); !strings.Contains(out, fmt.Sprintf("%d events new to the graph", cut)) {
		t.Errorf("of %d documents: %s", cut, out)
	}
	s.bulk(t, index, lines[cut:])
	// The second run makes a model of its own, as from a log.
	if out := train(); !strings.Contains(out, fmt.Sprintf("%d events new to the graph", len(lines)-cut)) {
		t.Errorf("of %d documents more: %s", len(lines)-cut, out)
	}
	if out := train(); !strings.Contains(out, " 0 events new to the graph") {
		t.Errorf("of no documents more: %s", out)
	}
	want, got := edges(t, fromLog), edges(t, fromServer)
	if len(want) < 100 || len(got) != len(want) {
		t.Errorf("%d triplets from the server, %d from the log", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("from the server %s\nfrom the log    %s", got[i], want[i])
		}
	}

	fresh := filepath.Join(dir, "fresh")
	run(t, rgcn, "train", "-q", "-set", "train_steps=100", "-state", fresh, "-from", s.url(), "-index", index)
	sum, before, after := 0.0, scores(t, rgcn, fromLog, log), scores(t, rgcn, fresh, log)
	for i := range before {
		sum += math.Abs(before[i] - after[i])
	}
	if mean := sum / float64(len(before)); mean > 0.01 {
		t.Errorf("scores differ by %.4f on average", mean)
	}

	for from, want := range map[string]string{
		s.url() + "/logs-ssh.rgcn-nowhere": "has no index, alias or data stream logs-ssh.rgcn-nowhere",
		s.url() + "/nowhere-*":             "has no index, alias or data stream nowhere-*",
	} {
		if out, err := exec.Command(rgcn, "train", "-state", filepath.Join(dir, "none"), "-from", from).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", from, err, out)
		}
	}
	if out, err := exec.Command(rgcn, "train", "-state", filepath.Join(dir, "none"), "-from", s.url()+"/"+index, "-set", "source=nobody").CombinedOutput(); err == nil || !strings.Contains(string(out), "has no field nobody") {
		t.Errorf("%v\n%s", err, out)
	}
	out := run(t, rgcn, "train", "-state", filepath.Join(dir, "else"), "-set", "train_steps=10", "-from", s.url()+"/"+index,
		"-set", "relation=client|auth_success", "-set", "destination=nobody else id.resp_h", "-set", "only=auth_success=true|T", "-query", `{"exists":{"field":"uid"}}`)
	if !strings.Contains(out, "trained: ") {
		t.Error(out)
	}

	// A low score that another agent gave: its triplet is not learned where such are held.
	s.bulk(t, index, []string{strings.Replace(lines[len(lines)-1], "{", `{"low_score":true,`, 1)})
	held := run(t, rgcn, "train", "-state", filepath.Join(dir, "held"), "-set", "train_steps=10", "-set", "train_hold=3d", "-from", s.url()+"/"+index)
	if !strings.Contains(held, "; 1 triplets with a low score are not learned") {
		t.Error(held)
	}
}

// bulk indexes lines of a log, with their time as the pipeline would have it.
func (s *server) bulk(t *testing.T, index string, lines []string) {
	t.Helper()
	for part := range slices.Chunk(lines, 5000) {
		var b strings.Builder
		for _, line := range part {
			var ts struct {
				TS json.Number `json:"ts"`
			}
			if err := json.Unmarshal([]byte(line), &ts); err != nil {
				t.Fatal(err)
			}
			seconds, _ := ts.TS.Float64()
			fmt.Fprintf(&b, "{\"create\":{}}\n{\"@timestamp\":%d,%s", int64(math.Floor(seconds*1e3)), strings.TrimPrefix(line, "{"))
		}
		if answer := s.call("POST", index+"/_bulk", b.String()); answer["errors"] != false {
			t.Fatalf("%.500v", answer)
		}
	}
	s.call("POST", index+"/_refresh", "")
}

// edges are the triplets of a state's graph in words. Times are in milliseconds, as a server keeps them.
func edges(t *testing.T, path string) (all []string) {
	t.Helper()
	dir, err := state.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var s graphbuf.Snapshot
	if ok, notes := dir.Load("graph", 2, s.UnmarshalBinary); !ok {
		t.Fatalf("no graph: %v", notes)
	}
	for _, e := range s.Edges {
		all = append(all, fmt.Sprintf("%s, %s, %s: %d events from %d to %d, active %x in buckets of %v from %d", s.Nodes[e.Source].Name, s.Relations[e.Relation].Name,
			s.Nodes[e.Destination].Name, e.Count, e.First/1e6, e.Last/1e6, e.Active, time.Duration(s.Bucket), s.Begun))
	}
	slices.Sort(all)
	return all
}

// scores are those that a state gives the sessions of a log.
func scores(t *testing.T, rgcn, state, log string) (all []float64) {
	t.Helper()
	for line := range strings.Lines(run(t, rgcn, "score", "-q", "-state", state, log)) {
		var s session
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, s.Score)
	}
	return all
}

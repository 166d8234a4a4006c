package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/filter"
)

// TestStatus: a state directory tells what the replay that wrote it did. With so long an interval chunks are of 1,000
// records in any log, and the first of them has no score.
func TestStatus(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	mustRun(t, withSmall("replay", "-columns", columns, "-set", "train_interval=365d", "-state", dir, "-o", os.DevNull, samples.SessionsPath(t))...)
	text, _ := mustRun(t, "status", "-state", dir)
	has(t, text, "1490 distinct triplets", "held-out AUC 0.", "trainings", " new on cpu", "7143 records, 7143 counted, 6143 scored, ")

	js, _ := mustRun(t, "status", "-json", "-state", dir)
	var s filter.Status
	if err := json.Unmarshal([]byte(js), &s); err != nil {
		t.Fatal(err)
	}
	if s.Records.Total != samples.Rows || s.Records.LowScore == 0 || s.Graph.Edges != 1490 || s.Graph.NewEdges != 1490 || s.Training == nil || s.Model == nil {
		t.Errorf("%+v", s)
	}

	// A directory of which only the graph is left, as before the first training.
	os.Remove(filepath.Join(dir, "model"))
	os.Remove(filepath.Join(dir, "model.prev"))
	text, _ = mustRun(t, "status", "-state", dir)
	has(t, text, "none yet")
	for _, args := range [][]string{{"status"}, {"status", "-state", dir, "x"}, {"status", "-state", dir + "/none"}} {
		if _, stderr, status := rgcn(args...); status == 0 {
			t.Errorf("%v: %s", args, stderr)
		}
	}
}

// TestAllowProblem: a list with a bad line is told apart from a file that cannot be read.
func TestAllowProblem(t *testing.T) {
	for problem, want := range map[string]string{
		`/etc/a.csv:3: source = "web-*": no`:             `the list is older than its file: /etc/a.csv:3: source = "web-*": no`,
		"open /etc/a.csv: no such file or directory":     "the file cannot be read: open /etc/a.csv: no such file or directory",
		"open /etc/a.csv.d/x: no such file or directory": "the file cannot be read: open /etc/a.csv.d/x: no such file or directory",
	} {
		if got := allowProblem(&filter.AllowStatus{File: "/etc/a.csv", Problem: problem}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	got := allowProblem(&filter.AllowStatus{File: "a", Problem: "open a: permission denied", Lines: 2})
	has(t, got, "the file cannot be read: open a: permission denied; the lines read before hold")
}

// What a look at a state does not need cannot be in its way, and a directory without a state is no state.
func TestStatusWhateverTheSettings(t *testing.T) {
	state := t.TempDir()
	if _, stderr, status := rgcn("status", "-state", state); status != exitFailed || !strings.Contains(stderr, "state directory "+state+" holds no state") {
		t.Errorf("status %d: %s", status, stderr)
	}
	mustRun(t, "train", "-q", "-state", state, "-columns", columns, samples.SessionsPath(t))
	for _, more := range [][]string{
		{"status", "-set", "train_device=cuda", "-set", "model_features=/no/such/file"},
		{"predict", "-set", "train_device=cuda", "-n", "1"},
		{"score", "-set", "train_device=cuda", "-columns", columns, samples.SessionsPath(t)},
	} {
		if _, stderr, status := rgcn(append(more, "-state", state)...); status != 0 {
			t.Errorf("%q: status %d: %s", more, status, stderr)
		}
	}
}

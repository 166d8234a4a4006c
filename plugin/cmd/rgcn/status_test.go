package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestStatusTellsWhen: a state of weeks ago does not look live, and of an older version the files tell when.
func TestStatusTellsWhen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	mustRun(t, withSmall("train", "-q", "-state", dir, "-columns", columns, samples.SessionsPath(t))...)
	text, _ := mustRun(t, "status", "-state", dir)
	js, _ := mustRun(t, "status", "-json", "-state", dir)
	var s filter.Status
	if err := json.Unmarshal([]byte(js), &s); err != nil || s.Written.IsZero() || s.Saving == nil || s.Saving.Last.IsZero() {
		t.Fatalf("%v: %s", err, js)
	}
	has(t, strings.Join(strings.Fields(text), " "), "written "+s.Written.Format(time.DateTime)+" UTC, ", " ago learned saved "+s.Saving.Last.Format(time.DateTime)+" UTC, ")

	for _, name := range []string{"status", "status.prev"} { // as if an older version had written the rest
		os.Remove(filepath.Join(dir, name))
	}
	old := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Chtimes(filepath.Join(dir, e.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
	text, _ = mustRun(t, "status", "-state", dir)
	has(t, text, "written", "2026-03-02 10:00:00 UTC, ")
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	for want, ago := range map[string]time.Duration{"18d3h ago": (18*24 + 3) * time.Hour, "0 ago": 0, "1h ahead of this machine's clock": -time.Hour} {
		if got := age(now.Add(-ago), now); got != want {
			t.Errorf("%v: %q, want %q", ago, got, want)
		}
	}
	var out bytes.Buffer
	s := filter.Status{Written: now.Add(-21 * 24 * time.Hour), Since: now, Saving: &filter.SavingStatus{}, Records: filter.RecordCounts{Unread: 7}}
	if err := printStatus(&env{stdout: &out}, s, now); err != nil {
		t.Fatal(err)
	}
	has(t, strings.Join(strings.Fields(out.String()), " "), "written 2026-02-27 10:00:00 UTC, 21d ago learned nothing saved since 2026-03-20 10:00:00 UTC",
		"times 7 records with a time that cannot be read: the time that the input gave them counts")
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

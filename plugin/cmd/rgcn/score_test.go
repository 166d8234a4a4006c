package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// trained trains on a long log and returns the state directory.
func trained(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	stdout, stderr := mustRun(t, withSmall("train", "-columns", columns, "-state", dir, samples.SessionsPath(t))...)
	has(t, stderr, "info: trained: ", "7143 records, state in "+dir)
	if stdout != "" {
		t.Errorf("train wrote %.80q", stdout)
	}
	return dir
}

// TestScore: scoring is repeatable, changes nothing, and gives what the filter would give
// to the next record, which a replay of that record alone over a copy of the state shows.
func TestScore(t *testing.T) {
	dir, log := trained(t), samples.SessionsPath(t)
	before := read(t, filepath.Join(dir, "graph")) + read(t, filepath.Join(dir, "model"))
	args := []string{"score", "-columns", columns, "-state", dir, log}
	stdout, _ := mustRun(t, args...)
	if again, _ := mustRun(t, args...); again != stdout {
		t.Error("the second run gave other scores")
	}
	if read(t, filepath.Join(dir, "graph"))+read(t, filepath.Join(dir, "model")) != before {
		t.Error("scoring changed the state")
	}
	in, got := lines(t, read(t, log)), lines(t, stdout)
	if len(got) != len(in) {
		t.Fatalf("%d records, want %d", len(got), len(in))
	}
	for _, i := range []int{0, 1000, 3571, 7000, 7142} {
		state := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(state, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		one := write(t, "one", in[i]+"\n")
		replayed, _ := mustRun(t, withSmall("replay", "-columns", columns, "-state", state, "-set", "train_interval=0", one)...)
		if replayed != got[i]+"\n" || strings.Contains(replayed, `"score":null`) {
			t.Errorf("record %d: score gives %s, replay %s", i, got[i], replayed)
		}
	}
}

// TestScoreLearnsNothing: a host that was never there is new each time it comes.
func TestScoreLearnsNothing(t *testing.T) {
	dir := trained(t)
	destination := strings.Split(string(samples.Sessions(t)), "\t")[4]
	line := `{"id.orig_h":"192.0.2.99","id.resp_h":"` + destination + `","client":"SSH-2.0-Go"}` + "\n"
	stdout, _ := mustRun(t, "score", "-set", "explain=true", "-chunk", "2", "-state", dir, write(t, "new", strings.Repeat(line, 5)))
	got := lines(t, stdout)
	has(t, got[0], `"score_reason":"new_source"`, `"score_model":"2012-03-17T`)
	for _, l := range got[1:] {
		if l != got[0] {
			t.Errorf("got %s, then %s", got[0], l)
		}
	}
}

func TestNoModel(t *testing.T) {
	check := func(status int, want string, args ...string) {
		t.Helper()
		stdout, stderr, got := rgcn(args...)
		if got != status || stdout != "" {
			t.Errorf("%q: status %d, output %.80q; want %d and none", args, got, stdout, status)
		}
		has(t, stderr, want)
	}
	in := write(t, "in", `{"id.orig_h":"a","id.resp_h":"b"}`+"\n")
	missing := filepath.Join(t.TempDir(), "missing")
	check(exitFailed, "state directory: open "+missing, "score", "-state", missing, in)
	if _, err := os.Stat(missing); err == nil {
		t.Error("score made the state directory")
	}
	empty, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	check(exitFailed, "state directory "+empty+" holds no model", "score", "-state", empty, "-o", out, in)
	if _, err := os.Stat(out); err == nil {
		t.Error("score without a model made its output")
	}
	check(exitUsage, "no state directory: want -state DIR", "score", in)
	check(exitUsage, "no state directory: want -state DIR", "train", in)
	check(exitFailed, "no records to learn from", "train", "-state", empty, write(t, "none", "\n"))
	check(exitFailed, "rgcn train: ", "train", "-state", empty, in) // one edge is too little
}

// The notebook's algorithm by a setting: trained, kept, scored with.
func TestTheReferenceObjective(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	_, stderr := mustRun(t, "train", "-columns", columns, "-state", dir, "-set", "model_objective=reference", "-set", "train_steps=200", samples.SessionsPath(t))
	has(t, stderr, "200 steps")
	stdout, _ := mustRun(t, "score", "-columns", columns, "-state", dir, samples.SessionsPath(t))
	numbers, low := 0, 0
	for _, l := range lines(t, stdout) {
		if strings.Contains(l, `"score":0.`) {
			numbers++
		}
		if strings.Contains(l, `"low_score":true`) {
			low++
		}
	}
	if numbers < 7000 || low == 0 || low > 700 {
		t.Errorf("%d scores, %d of them low", numbers, low)
	}
}

package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
)

func TestHelp(t *testing.T) {
	overview, _ := mustRun(t, "help")
	for _, c := range commands {
		has(t, overview, c.name, c.summary)
		help, _ := mustRun(t, c.name, "-h")
		has(t, help, c.summary, "Usage:   rgcn "+c.name+" [flags] "+c.args, c.example)
		fs, _ := c.flags(&env{console: newConsole(new(bytes.Buffer))})
		fs.VisitAll(func(f *flag.Flag) { has(t, help, "  -"+f.Name) })
		if also, _ := mustRun(t, "help", c.name); also != help {
			t.Errorf("help %s differs from %s -h", c.name, c.name)
		}
		if !strings.HasPrefix(c.example+" ", "rgcn "+c.name+" ") {
			t.Errorf("example %q is of another command than %s", c.example, c.name)
		}
	}
	for _, form := range []string{"-h", "-help", "--help"} {
		if also, _ := mustRun(t, form); also != overview {
			t.Errorf("%s differs from help", form)
		}
	}
	if _, stderr, status := rgcn(); status != exitUsage || stderr != overview {
		t.Errorf("no command: status %d, %s", status, stderr)
	}
}

func TestUsageErrors(t *testing.T) {
	in := write(t, "in", "{}\n")
	check := func(want string, args ...string) {
		t.Helper()
		stdout, stderr, status := rgcn(args...)
		if status != exitUsage || stdout != "" {
			t.Errorf("%q: status %d, output %.80q; want %d and none", args, status, stdout, exitUsage)
		}
		has(t, stderr, want)
		if len(args) > 1 {
			has(t, stderr, "rgcn "+args[0]+": ", "\nrun 'rgcn "+args[0]+" -h'\n")
		}
	}
	check(`unknown command "reply": want replay, train, score, lowest, predict, report, status, doctor, allow, keygen, simulate, eval, version`, "reply")
	check("no FILE: want one or more", "replay", "-q")
	check("flag provided but not defined: -colums", "replay", "-colums", "a", in)
	check("standard input (-) is named twice, and can be read once", "replay", "-", in, "-")
	check("-chunk 0: want at least 1", "replay", "-chunk", "0", in)
	check("want 1 to 1000", "score", "-lowest", "0", in)
	check("-o "+in+": is one of the files to read", "replay", "-o", in, in)
	check(`unknown property "train_stesp": did you mean train_steps`, "replay", "-set", "train_stesp=4", in)
	check(`unknown property "train.steps": did you mean train_steps`, "train", "-set", "train.steps=4", in)
	check(`unknown property "dim": did you mean model_dim`, "score", "-set", "dim=4", in)
	check(`unknown property "colour": want one of the keys in rgcn.toml`, "replay", "-set", "colour=red", in)
	check("use -config FILE", "replay", "-set", "config_file=x", in)
	check("want key=value", "replay", "-set", "explain", in)
	check(`property train_steps = "many": want an integer from 1 to 100000`, "replay", "-set", "train_steps=many", in)
	check(`property preset = "zeke": want`, "replay", "-preset", "zeke", in)
	check("property config_file = ", "replay", "-config", filepath.Join(t.TempDir(), "none.toml"), in)
	check(`unexpected "out.ndjson": simulate reads no files`, "simulate", "out.ndjson")
	check("want a day such as 2006-01-02", "simulate", "-start", "monday")
	check("days 0: allowed are 1 to 3650", "simulate", "-days", "0")
	check(`invalid boolean value "perhaps" for -labels`, "simulate", "-labels=perhaps")
}

// TestFlagsAnywhere: flags count after the files too, until "--".
func TestFlagsAnywhere(t *testing.T) {
	in := write(t, "in", `{"a":1}`+"\n")
	for _, args := range [][]string{{"-q", in}, {in, "-q"}, {"-q", "--", in}, {"-chunk", "5", in, "-q", in}} {
		stdout, stderr := mustRun(t, append([]string{"replay"}, args...)...)
		if !strings.HasPrefix(stdout, `{"a":1}`+"\n") || stderr != "" {
			t.Errorf("%q: output %q, %q", args, stdout, stderr)
		}
	}
	_, stderr, status := rgcn("replay", "--", "-q")
	if status != exitFailed {
		t.Errorf("a file named -q: status %d, want %d", status, exitFailed)
	}
	has(t, stderr, "open -q: no such file")
}

func TestFailures(t *testing.T) {
	in := write(t, "in", `{"id.orig_h":"a","id.resp_h":"b"}`+"\n")
	check := func(want string, args ...string) {
		t.Helper()
		_, stderr, status := rgcn(args...)
		if status != exitFailed {
			t.Errorf("%q: status %d, want %d", args, status, exitFailed)
		}
		has(t, stderr, want)
	}
	check("no such file", "replay", in+".none")
	check("name the columns with -columns", "replay", samples.SessionsPath(t))
	check("no such file or directory", "replay", "-o", filepath.Join(in+".none", "x"), in)
	check("/dev/full: no space left on device", "replay", "-o", "/dev/full", in)
	check("/dev/full: no space left on device", "simulate", "-o", "/dev/full")
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		for _, args := range [][]string{{"help"}, {"train", "-h"}} {
			if status := execute(context.Background(), args, full, io.Discard); status != exitFailed {
				t.Errorf("%q: status %d", args, status)
			}
		}
	}
	check("this build trains on the CPU only", "replay", "-set", "train_device=cuda:7", in)
}

// A training whose input breaks off leaves the state as it was, so that it can be repeated; a replay, which saves with
// each training, says what is in it.
func TestFailuresOnTheWay(t *testing.T) {
	state := t.TempDir()
	train := func(files ...string) (string, int) {
		_, stderr, status := rgcn(append([]string{"train", "-q", "-strict", "-state", state, "-columns", columns, samples.SessionsPath(t)}, files...)...)
		return stderr, status
	}
	if stderr, status := train(); status != 0 {
		t.Fatal(stderr)
	}
	before := read(t, filepath.Join(state, "graph"))
	for file, want := range map[string]string{
		filepath.Join(state, "none"):         "none: no such file or directory",
		write(t, "in", "a\tb\n{\"a\":1}\nc"): "nothing was saved in " + state + ", so that the same records can be read again",
	} {
		if stderr, status := train(file); status != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("status %d: %s", status, stderr)
		}
		if read(t, filepath.Join(state, "graph")) != before {
			t.Error("the graph is another one")
		}
	}
	// Records in which the settings find no session change nothing either.
	if _, stderr, status := rgcn("train", "-q", "-state", state, "-preset", "ecs", "-columns", columns, samples.SessionsPath(t)); status != exitFailed ||
		!strings.Contains(stderr, "there is nothing to learn; nothing was saved in "+state) || read(t, filepath.Join(state, "graph")) != before {
		t.Errorf("status %d: %s", status, stderr)
	}
	_, stderr, status := rgcn("replay", "-q", "-strict", "-state", t.TempDir(), "-set", "train_interval=0", "-o", os.DevNull, "-columns", columns, samples.SessionsPath(t), write(t, "bad", "a\tb\n"))
	if status != exitFailed || !strings.Contains(stderr, "and count again if they are read again") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestClosedPipe: a reader of the output may stop reading, which is no error.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	dir := t.TempDir()
	var stderr bytes.Buffer
	status := execute(context.Background(), []string{"replay", "-columns", columns, "-set", "train_interval=0", "-state", dir, samples.SessionsPath(t)}, w, &stderr)
	if status != exitPipe || stderr.Len() > 0 {
		t.Errorf("status %d, %q; want %d and nothing said", status, stderr.String(), exitPipe)
	}
	if read(t, filepath.Join(dir, "graph")) == "" {
		t.Error("the graph is not saved")
	}
}

// TestInterrupted: what was scored is written, what was learned is saved.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stdout, dir := hook{after: cancel}, t.TempDir()
	var stderr bytes.Buffer
	args := []string{"replay", "-columns", columns, "-set", "train_interval=0", "-chunk", "100", "-state", dir, samples.SessionsPath(t)}
	if status := execute(ctx, args, &stdout, &stderr); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	if got := lines(t, stdout.String()); len(got) >= samples.Rows || len(got)%100 != 0 {
		t.Errorf("%d records out, want some chunks and not all", len(got))
	}
	has(t, stderr.String(), "0 trainings", "rgcn replay: interrupted\n")
	_, after := mustRun(t, "replay", "-state", dir, "-columns", columns, write(t, "none", ""))
	has(t, after, "edges, no model yet")
	if strings.Contains(after, "state: 0 edges") {
		t.Errorf("nothing was saved: %s", after)
	}
}

// TestInterruptedTraining: the one chunk that there is, which no training is due to cut, fills the output's buffer, so
// that the interruption comes before the training.
func TestInterruptedTraining(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stdout := &hook{after: cancel}
	var stderr bytes.Buffer
	args := []string{"replay", "-columns", columns, "-chunk", "10000", "-set", "train_interval=365d", samples.SessionsPath(t)}
	if status := execute(ctx, args, stdout, &stderr); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	if got := len(lines(t, stdout.String())); got != samples.Rows {
		t.Errorf("%d records out, want the whole chunk of 7143", got)
	}
	has(t, stderr.String(), "info: training stopped\n", "0 trainings", "interrupted")
}

// TestInterruptedEval: eval ends in the middle of a training, which would go on for most of a minute.
func TestInterruptedEval(t *testing.T) {
	for _, args := range [][]string{
		{"eval", "-seeds", "1", "-hosts", "100", "-sessions", "300", "-days", "4", "-attack-start", "2", "-methods", "r-gcn", "-set", "train_steps=100000"},
		{"eval", "-inject", "-seeds", "1", "-columns", columns, "-methods", "sort,r-gcn", "-set", "train_steps=100000", samples.SessionsPath(t)},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		var stdout, stderr bytes.Buffer
		if status := execute(ctx, args, &stdout, &stderr); status != exitInterrupted {
			t.Errorf("%q: status %d, want %d: %s", args, status, exitInterrupted, &stderr)
		}
	}
}

// TestInterruptedWhileWaiting: a silent pipe does not delay the end.
func TestInterruptedWhileWaiting(t *testing.T) {
	feed := standardInput(t)
	if _, err := feed.WriteString("{}\nbad\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stderr := &hook{after: cancel} // by the warning about the bad line
	var stdout bytes.Buffer
	if status := execute(ctx, []string{"replay", "-"}, &stdout, stderr); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	has(t, stderr.String(), "warning: standard input:2: not a JSON object", "interrupted")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// sessionLines are Zeek's records of n sessions, one a minute.
func sessionLines(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"ts":%d,"id.orig_h":"10.0.0.%d","id.resp_h":"10.1.0.%d","client":"c%d"}`+"\n", 1_600_000_000+60*i, i%17, i%5, i%3))
	}
	return lines
}

// A session that the list calls bad is low before there is a score, and nobody says otherwise.
func TestBadSessionsBeforeAModel(t *testing.T) {
	list := write(t, "allow.csv", "source,relation,destination,verdict\n10.0.0.1,*,*,bad\n")
	out := filepath.Join(t.TempDir(), "out")
	log := write(t, "log", strings.Join(sessionLines(30), ""))
	stdout, _ := mustRun(t, withSmall("replay", "-set", "allow="+list, "-set", "explain=on", "-lowest", "5", "-o", out, log)...)
	has(t, stdout, "-  ", "true", "denied", "10.0.0.1")
	stdout, _ = mustRun(t, "lowest", out)
	has(t, stdout, "denied", "10.0.0.1")
	page := filepath.Join(t.TempDir(), "page.html")
	_, stderr := mustRun(t, "report", "-o", page, out)
	has(t, stderr, "2 with a low score")
}

// What comes out of a record that somebody else wrote moves no cursor.
func TestReasonsArePrintable(t *testing.T) {
	out := write(t, "out", `{"ts":1.6e9,"id.orig_h":"a","id.resp_h":"b","client":"c","score":0.1,"low_score":true,"score_reason":"\u001b[31mX\nFAKE `+strings.Repeat("x", 500)+`"}`+"\n")
	stdout, _ := mustRun(t, "lowest", out)
	for _, line := range lines(t, stdout) {
		if strings.Contains(line, "\x1b") || len(line) > 300 || strings.HasPrefix(line, "FAKE") {
			t.Errorf("%q", line)
		}
	}
}

// The newest first, nothing can be learned in time: the reason is given.
func TestReplayBackwards(t *testing.T) {
	records := sessionLines(600)
	slices.Reverse(records)
	_, stderr := mustRun(t, withSmall("replay", "-o", os.DevNull, "-set", "train_interval=1h", write(t, "log", strings.Join(records, "")))...)
	has(t, stderr, "599 of 600 records are older than the one before them: the newest come first", "sort them by time")
	slices.Reverse(records)
	_, stderr = mustRun(t, withSmall("replay", "-o", os.DevNull, "-set", "train_interval=1h", write(t, "log", strings.Join(records, "")))...)
	if strings.Contains(stderr, "newest come first") {
		t.Error(stderr)
	}
	_, stderr = mustRun(t, withSmall("replay", "-o", os.DevNull, "-set", "train_interval=1d", "-set", "train_min_edges=255", write(t, "log", strings.Join(records[:255], "")))...)
	has(t, stderr, "none of 255 sessions has a score: all came before the first training")
}

// A training that is interrupted leaves the state as it was, so that the same command can be given again.
func TestAnInterruptedTrainingSavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if _, stderr := mustRun(t, withSmall("train", "-state", dir, samples.SessionsPath(t), "-columns", columns)...); strings.Contains(stderr, "warning") {
		t.Errorf("a training warns: %s", stderr)
	}
	graph := read(t, filepath.Join(dir, "graph"))
	ctx, cancel := context.WithCancel(context.Background())
	var stderr bytes.Buffer
	trains := &hook{after: cancel} // by the first line that it writes
	status := execute(ctx, withSmall("train", "-v", "-state", dir, samples.SessionsPath(t), "-columns", columns), io.Discard, io.MultiWriter(&stderr, trains))
	if status != exitInterrupted {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	if graph != read(t, filepath.Join(dir, "graph")) {
		t.Error("the graph has counted records twice")
	}
}

// What would be lost or has no effect is refused.
func TestRefusedOutputsAndSettings(t *testing.T) {
	log := write(t, "log", strings.Join(sessionLines(30), ""))
	_, stderr, status := rgcn("replay", "-set", "state_from=/x", "-set", "state_key=/y", "-o", os.DevNull, log)
	if status != exitUsage || !strings.Contains(stderr, "replay trains models of its own, and reads none from state.from") {
		t.Errorf("replay: status %d: %s", status, stderr)
	}
	_, stderr, _ = rgcn("replay", "-set", "state_from=https://h/x?sig=hidden", "-set", "state_key=/y", "-o", os.DevNull, log)
	if !strings.Contains(stderr, "state.from (https://h/x)") || strings.Contains(stderr, "hidden") {
		t.Errorf("replay tells of a secret, or not of the place: %s", stderr)
	}
	page := write(t, "page.html", "an older page")
	broken := write(t, "broken.gz", "\x1f\x8b\x08\x00")
	if _, _, status := rgcn("report", "-o", page, broken); status != exitFailed || read(t, page) != "an older page" {
		t.Errorf("status %d, and the page is %q", status, read(t, page))
	}
	var out string
	out, stderr, status = rgcn(alone(broken)...)
	if status != exitFailed || !strings.Contains(out, "cannot be read") {
		t.Errorf("doctor: status %d: %s%s", status, out, stderr)
	}
	if os.Geteuid() != 0 {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		if _, stderr, _ := rgcn("score", "-state", dir, log); strings.Contains(stderr, "makes one") || !strings.Contains(stderr, "permission denied") {
			t.Error(stderr)
		}
	}
}

// A file that is read by standard input is not emptied.
func TestOutputIsNotStandardInput(t *testing.T) {
	log := write(t, "log", strings.Join(sessionLines(30), ""))
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = stdin; f.Close() }()
	if _, stderr, status := rgcn("replay", "-o", log, "-"); status != exitUsage || len(read(t, log)) == 0 {
		t.Errorf("status %d: %s; %d bytes are left", status, stderr, len(read(t, log)))
	}
}

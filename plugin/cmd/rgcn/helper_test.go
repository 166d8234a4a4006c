package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

const columns = samples.Columns

// small makes trainings short where their quality does not matter.
var small = []string{"-set", "train_steps=50", "-set", "model_dim=32"}

// rgcn runs a command and returns what it wrote.
func rgcn(args ...string) (stdout, stderr string, status int) {
	var out, err bytes.Buffer
	status = execute(context.Background(), args, &out, &err)
	return out.String(), err.String(), status
}

// mustRun is rgcn for a command that is to succeed.
func mustRun(t testing.TB, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, status := rgcn(args...)
	if status != 0 {
		t.Fatalf("rgcn %q: status %d: %s", args, status, stderr)
	}
	return stdout, stderr
}

// withSmall adds arguments to a command for short trainings.
func withSmall(args ...string) []string { return append(args, small...) }

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines splits a text whose last line has its end.
func lines(t testing.TB, text string) []string {
	t.Helper()
	rest, ok := strings.CutSuffix(text, "\n")
	if !ok {
		t.Fatalf("the last line has no end: %.80q", text[max(0, len(text)-80):])
	}
	return strings.Split(rest, "\n")
}

func decode(t testing.TB, line string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return m
}

// standardInput puts a pipe in the place of standard input and returns its other end.
func standardInput(t testing.TB) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = stdin; w.Close() })
	return w
}

// hook is a writer that calls a function after each write.
type hook struct {
	buf   bytes.Buffer
	after func()
}

func (h *hook) Write(p []byte) (int, error) {
	n, err := h.buf.Write(p)
	h.after()
	return n, err
}

func (h *hook) String() string { return h.buf.String() }

// has fails unless text has all the parts.
func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

package filter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLookAt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := LookAt(dir); err == nil {
		t.Error("a directory that is not there")
	}
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(500)))
	train(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := LookAt(dir)
	if err != nil || !s.Graph || !s.Model || s.Status == nil || s.Status.Graph.Edges != f.graph.Stats().Edges || len(s.Notes) > 0 || s.Bytes == 0 || time.Since(s.At) > time.Hour {
		t.Fatalf("%+v, %v", s, err)
	}
	model := filepath.Join(dir, modelFile)
	if err := os.WriteFile(model, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := entries(t, dir)
	s, err = LookAt(dir)
	if err != nil || s.Model || len(s.Notes) == 0 || !strings.Contains(s.Notes[0], "damaged") {
		t.Errorf("%+v, %v", s, err)
	}
	if after := entries(t, dir); after != before {
		t.Errorf("changed from %s to %s", before, after)
	}
}

func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

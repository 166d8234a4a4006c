package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filter"
)

// TestHandOver: what root trains in a directory of another user is that user's to open; links, other names of a file
// and older files stay as they are.
func TestHandOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, who alone may give files away")
	}
	const owner = 65534
	dir := t.TempDir()
	if err := os.Chown(dir, owner, owner); err != nil {
		t.Fatal(err)
	}
	outside := write(t, "outside", "x")
	for name, make := range map[string]func(string) error{
		"link": func(p string) error { return os.Symlink(outside, p) },
		"hard": func(p string) error { return os.Link(outside, p) },
		"old": func(p string) error {
			if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(p, time.Unix(1, 0), time.Unix(1, 0))
		},
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	text := ""
	for i := range 100 {
		text += fmt.Sprintf(`{"ts":%d,"id.orig_h":"h%d","id.resp_h":"s%d"}`+"\n", 1_700_000_000+i, i%60, i%7)
	}
	_, stderr := mustRun(t, withSmall("train", "-state", dir, write(t, "in", text))...)
	has(t, stderr, "state directory "+dir+" belongs to ", ": the files that were written are that user's, too")
	uid := func(path string) uint32 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Uid
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, e := range entries {
		want := uint32(owner)
		switch e.Name() {
		case "link", "hard", "old":
			want = 0
		default:
			written++
		}
		if got := uid(filepath.Join(dir, e.Name())); got != want {
			t.Errorf("%s is of user %d, want %d", e.Name(), got, want)
		}
	}
	if written < 3 {
		t.Errorf("%d files, want a lock, a graph and a model at least", written)
	}

	own := t.TempDir()
	if _, stderr := mustRun(t, withSmall("train", "-state", own, write(t, "in", text))...); strings.Contains(stderr, "belongs to") || uid(filepath.Join(own, "lock")) != 0 {
		t.Errorf("a directory of root's: %s", stderr)
	}
	handOver(filepath.Join(own, "none"), time.Now(), func(_ filter.Level, text string) { t.Error(text) })
}

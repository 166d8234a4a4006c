package replacefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filelimit/filelimittest"
)

// put writes a file for a test.
func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// names are those of the entries of a directory.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path, like := filepath.Join(dir, "file"), filepath.Join(dir, "like")
	put(t, like, "", 0o640)
	info, err := os.Stat(like)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		options Options
		want    fs.FileMode
	}{
		{Options{}, 0o600},
		{Options{Mode: 0o644}, 0o644},
		{Options{Temporary: filepath.Join(dir, "file.tmp")}, 0o600},
		{Options{Mode: 0o644, Like: info}, 0o640},
	} {
		put(t, filepath.Join(dir, "file.tmp"), "what a crash left, longer than what is written", 0o644)
		was := syscall.Umask(0o077)
		err := Write(path, c.options, []byte("one "), []byte("two"))
		syscall.Umask(was)
		if text, _ := os.ReadFile(path); err != nil || string(text) != "one two" {
			t.Errorf("%+v: %q, %v", c.options, text, err)
		}
		if got, err := os.Stat(path); err != nil || got.Mode() != c.want {
			t.Errorf("%+v: %v, %v", c.options, got.Mode(), err)
		}
		os.Remove(filepath.Join(dir, "file.tmp"))
		if got := names(t, dir); !slices.Equal(got, []string{"file", "like"}) {
			t.Errorf("%+v: the directory holds %q", c.options, got)
		}
	}
	t.Chdir(dir)
	if err := Write("file", Options{}, []byte("relative")); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "relative" {
		t.Errorf("%q", text)
	}
}

// The owner and the group of the file stay where this process may give them.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "old", 0o604)
	if err := os.Chown(path, 65534, 65533); err != nil {
		t.Skipf("skipped: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(path, Options{Like: info}, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err = os.Stat(path)
	if st := info.Sys().(*syscall.Stat_t); err != nil || st.Uid != 65534 || st.Gid != 65533 || info.Mode() != 0o604 {
		t.Errorf("%+v, %v", st, err)
	}
}

// What fails leaves the old file and nothing beside it.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	put(t, path, "old", 0o600)
	check := func(what string, err error, want error, text string) {
		t.Helper()
		if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if old, _ := os.ReadFile(path); string(old) != "old" {
			t.Errorf("%s: the file holds %q", what, old)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
			t.Errorf("%s: the directory holds %q", what, got)
		}
	}
	ended := errors.New("ended")
	for _, temporary := range []string{"", filepath.Join(dir, "tmp")} {
		check("not ready", Write(path, Options{Temporary: temporary, Ready: func() error { return ended }}, []byte("new")), ended, "ended")
	}
	none := filepath.Join(dir, "none")
	check("no directory", Write(filepath.Join(none, "x"), Options{}), fs.ErrNotExist, "no file can be made in "+none+": no such file or directory")
	filelimittest.Set(t, 5)
	check("too large", Write(path, Options{}, []byte("123"), []byte("456")), syscall.EFBIG, "6 bytes, and this process may write files of at most 5")
}

// What a process left that was killed is removed: of nobody else, and of none that may still be writing.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * staleAfter)
	for name, stale := range map[string]bool{
		".file.123.tmp": true, ".file.4.tmp": false, ".file.backup.tmp": true, ".file.1x.tmp": true, ".file..tmp": true, ".file.123": true, ".file.swp": true, ".other.123.tmp": true, "file.123.tmp": true,
	} {
		put(t, filepath.Join(dir, name), "", 0o600)
		if !stale {
			continue
		}
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(filepath.Join(dir, "file"), Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{".file..tmp", ".file.123", ".file.1x.tmp", ".file.4.tmp", ".file.backup.tmp", ".file.swp", ".other.123.tmp", "file", "file.123.tmp"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("the directory holds %q, want %q", got, want)
	}
}

// Nothing fails where the file system syncs no directory, as that of /proc: other errors are told.
func TestSyncDir(t *testing.T) {
	const path = "/proc/self"
	d, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) {
		t.Skipf("skipped: %s can be synced: %v", path, err)
	}
	if err := syncDir(path); err != nil {
		t.Error(err)
	}
	if err := syncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

package filter

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filelimit/filelimittest"
)

// A disk that stays full for days is said at growing intervals, with what to do, and so is its end.
func TestSavingFailsForLong(t *testing.T) {
	h := host("state_dir", t.TempDir())
	f := offline(t, h)
	full := fmt.Errorf("state: save graph: %w", unix.ENOSPC)
	start := time.Now()
	now := start
	for range 3 * 288 { // three days of saves by the default interval
		f.store.saving.failed(now, full)
		now = now.Add(5 * time.Minute)
	}
	if n := strings.Count(h.log(), "is not saved"); n < 5 || n > 15 {
		t.Errorf("said %d times in three days:\n%s", n, h.log())
	}
	if !strings.Contains(h.log(), "no space left on device; make room on the file system of "+f.cfg.State.Dir) {
		t.Error(h.log())
	}
	s := f.Status()
	if want := "nothing that was learned since the start at " + f.since.Format(time.DateTime) + " UTC is saved: state: save graph: no space left on device"; !strings.Contains(s.Problem, want) {
		t.Errorf("problem %q, want %q in it", s.Problem, want)
	}
	if s.Saving.Failed != 3*288 || s.Saving.Problem == "" || !s.Saving.Last.IsZero() {
		t.Errorf("%+v", s.Saving)
	}
	f.store.saving.worked(now)
	f.store.saving.worked(now)
	if n := strings.Count(h.log(), "is saved again, after 864 failures since "+start.UTC().Format(time.RFC3339)); n != 1 {
		t.Errorf("the end is said %d times:\n%s", n, h.log())
	}
	s = f.Status()
	if strings.Contains(s.Problem, "saved") || s.Saving.Problem != "" || !s.Saving.Last.Equal(now.Truncate(time.Second)) {
		t.Errorf("%q, %+v", s.Problem, s.Saving)
	}
	f.store.saving.failed(now, full)
	if p := f.Status().Problem; !strings.Contains(p, "nothing that was learned since "+now.UTC().Format(time.DateTime)+" UTC is saved") {
		t.Error(p)
	}
}

// The saved status tells of the very save it comes with, not of the one before.
func TestTheSavedStatusTellsOfItsSave(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir, "state_interval", "5m"))
	f.Process(nil, join(sessions(100)))
	f.store.saveChanges()
	last := f.Status().Saving.Last
	if got, err := LookAt(dir); err != nil || got.Status == nil || last.IsZero() || !got.Status.Saving.Last.Equal(last) || got.Status.Written.Before(last) {
		t.Errorf("%+v, %v, want %v", got.Status, err, last)
	}
	if at := f.Status().Written; !at.IsZero() {
		t.Errorf("a status of now was written at %v", at)
	}
}

// A limit on the size of a file is told like a full disk, and scores go on.
func TestSavingBeyondTheLimitOfAFile(t *testing.T) {
	dir := t.TempDir()
	h := host("state_dir", dir, "state_interval", "5m")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	filelimittest.Set(t, 1<<10)
	train(t, f)
	const want = "this process may write files of at most 1024 (ulimit -f, LimitFSIZE= of a unit); raise the limit on the size of a file"
	if s := f.Status(); !strings.Contains(s.Problem, "is saved: state: save "+filepath.Join(dir, graphFile)+": file too large") || !strings.Contains(s.Problem, want) {
		t.Errorf("%q", s.Problem)
	}
	if !strings.Contains(h.log(), want) {
		t.Error(h.log())
	}
	f.Process(nil, join(sessions(100)))
	if c := f.Counts(); c.Scored != 100 {
		t.Errorf("%+v", c)
	}
	filelimittest.Set(t, 1<<40)
	f.store.saveChanges()
	if got, err := LookAt(dir); err != nil || !got.Model || !got.Graph || f.Status().Saving.Problem != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// The log has a line for what failed, whatever it was.
func TestSeveralFilesThatCannotBeSaved(t *testing.T) {
	f := offline(t, host("state_dir", t.TempDir()))
	f.Process(nil, join(sessions(2000)))
	filelimittest.Set(t, 1<<10)
	train(t, f)
	if err := f.Close(); err == nil || strings.Count(err.Error(), "state: save ") < 2 || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q", err)
	}
}

// What could not be saved is saved as soon as that works, the model too, although no record came meanwhile.
func TestWhatWasNotSavedIsSavedLater(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir, "state_interval", "5m"))
	f.Process(nil, join(sessions(2000)))
	inTheWay := filepath.Join(dir, modelFile)
	if err := os.MkdirAll(filepath.Join(inTheWay+".prev", "x"), 0o700); err != nil { // the model cannot be moved there
		t.Fatal(err)
	}
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	train(t, f)
	if s := f.Status(); s.Saving.Problem == "" || !strings.Contains(s.Problem, "is saved: state: save "+inTheWay) {
		t.Fatalf("%q, %+v", s.Problem, s.Saving)
	}
	os.RemoveAll(inTheWay + ".prev")
	f.store.saveChanges()
	if s := f.Status(); s.Problem != "" && strings.Contains(s.Problem, "saved") || s.Saving.Problem != "" || s.Saving.Last.IsZero() {
		t.Errorf("%q, %+v", s.Problem, s.Saving)
	}
	if got, err := LookAt(dir); err != nil || !got.Model || !got.Graph {
		t.Errorf("%+v, %v", got, err)
	}
}

// A live filter whose directory cannot be used scores, and tells for as long as it runs that it works in memory.
func TestADirectoryThatCannotBeUsedIsAProblem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := New(host("state_dir", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Status()
	if !strings.Contains(s.Problem, "works in memory, what is learned is lost at exit: state.dir cannot be used by the user with uid") ||
		!strings.Contains(s.Problem, "not a directory") || s.Saving == nil || s.Saving.Problem == "" {
		t.Errorf("%q, %+v", s.Problem, s.Saving)
	}
}

// What is said of a directory that cannot be used at the start fits why: rights help against no file system.
func TestUnusedDirectorySaysWhatHelps(t *testing.T) {
	for _, c := range []struct {
		err        error
		want, none string
	}{
		{unix.EFBIG, "raise the limit on the size of a file", "this user may write"},
		{unix.EROFS, "mount the file system of /d for writing", "this user may write"},
		{unix.ENOSPC, "make room on the file system of /d", "this user may write"},
		{unix.EDQUOT, "raise the quota", "this user may write"},
		{unix.EACCES, "make it a directory that this user may write", "mount"},
	} {
		h := host("state_dir", "/d")
		var s saving
		cfg := config.Config{}
		cfg.State.Dir = "/d"
		s.common = &common{host: h, cfg: cfg}
		s.worksInMemory(fmt.Errorf("state: directory /d must be writable: %w", c.err))
		for where, text := range map[string]string{"log": h.log(), "status": s.problem(time.Now())} {
			if !strings.Contains(text, c.err.Error()) || !strings.Contains(text, c.want) || strings.Contains(text, c.none) {
				t.Errorf("%v, %s: %q, want %q and not %q", c.err, where, text, c.want, c.none)
			}
		}
	}
}

// filesOf are the contents of the regular files in a directory.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if err == nil && e.Type().IsRegular() {
			var b []byte
			b, err = os.ReadFile(filepath.Join(dir, e.Name()))
			out[e.Name()] = string(b)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A state that can be read and not written is used, and stays as it is.
func TestAStateThatCannotBeWrittenIsUsed(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, "lock")
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", lock); err != nil { // so that not even root can write the state
		t.Fatal(err)
	}
	before := filesOf(t, dir)
	h := host("state_dir", dir, "train_interval", "1h")
	g, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	g.Process(nil, join(sessions(100)))
	if c := g.Counts(); c.Scored != 100 || !strings.Contains(h.log(), "scores from the first record on") {
		t.Errorf("%+v\n%s", c, h.log())
	}
	if s := g.Status(); !strings.Contains(s.Problem, "works in memory") {
		t.Errorf("%s", s.Problem)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if after := filesOf(t, dir); !maps.Equal(before, after) {
		t.Errorf("was %v, is %v", before, after)
	}
}

// The status that a filter leaves behind tells that the rest could not be saved.
func TestTheSavedStatusTellsWhatIsNotSaved(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	f.Process(nil, join(sessions(100)))
	if err := os.MkdirAll(filepath.Join(dir, graphFile, "x"), 0o700); err != nil { // in the way
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, graphFile+".prev", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err == nil {
		t.Error("no error of Close")
	}
	s, err := LookAt(dir)
	if err != nil || s.Status == nil || !strings.Contains(s.Status.Problem, "is saved: state: save "+filepath.Join(dir, graphFile)) {
		t.Errorf("%+v, %v", s.Status, err)
	}
}

func TestUnsavedRemedy(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{unix.ENOSPC, "make room on the file system of /d"},
		{unix.EDQUOT, "raise the quota"},
		{unix.EFBIG, "raise the limit on the size of a file"},
		{unix.EROFS, "mount the file system of /d for writing"},
		{fs.ErrPermission, fmt.Sprintf("let the user with uid %d write in /d", os.Geteuid())},
		{unix.EACCES, "let the user"},
		{errors.New("input/output error"), "see that /d is a directory on a sound disk"},
	} {
		if got := unsavedRemedy("/d", fmt.Errorf("state: %w", c.err)); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

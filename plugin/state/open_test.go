package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// odd puts something that is no regular file at a path, one after another, and calls try.
func odd(t *testing.T, path string, try func(what string)) {
	t.Helper()
	for what, put := range map[string]func() error{
		"a link":                func() error { return os.Symlink(path+".victim", path) },
		"a link to nothing":     func() error { return os.Symlink(path+".nothing", path) },
		"a pipe":                func() error { return unix.Mkfifo(path, 0o600) },
		"a directory with more": func() error { return os.MkdirAll(filepath.Join(path, "more"), 0o700) },
	} {
		if err := os.WriteFile(path+".victim", []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		try(what)
		if b, err := os.ReadFile(path + ".victim"); err != nil || string(b) != "precious" {
			t.Errorf("%s: what the link led to holds %q, %v", what, b, err)
		}
		if _, err := os.Lstat(path + ".nothing"); err == nil {
			t.Errorf("%s: what the link led to was made", what)
		}
		os.RemoveAll(path)
	}
}

func TestOddFilesAtTheTemporaryName(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	odd(t, filepath.Join(path, "graph.tmp"), func(what string) {
		err := d.Save("graph", 1, []byte("after "+what))
		if kept := what == "a directory with more"; (err != nil) != kept {
			t.Errorf("%s: %v", what, err)
		} else if c, notes := load(d); !kept && (c != "after "+what || notes != "") {
			t.Errorf("%s: found %q, says %q", what, c, notes)
		}
	})
}

func TestOddFilesAtAName(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	file := filepath.Join(path, "graph")
	odd(t, file, func(what string) {
		os.Remove(file + ".prev")
		if c, notes := load(d); c != "" || !strings.Contains(notes, file) || strings.Contains(notes, "set aside") {
			t.Errorf("%s: found %q, says %q", what, c, notes)
		}
		if what == "a directory with more" {
			return
		}
		save(t, d, "after "+what)
		if c, _ := load(d); c != "after "+what {
			t.Errorf("%s: found %q", what, c)
		}
	})
}

func TestOddFilesAtTheLock(t *testing.T) {
	path := t.TempDir()
	odd(t, filepath.Join(path, "lock"), func(what string) {
		d, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), filepath.Join(path, "lock")) {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			d.Close()
		}
	})
}

func TestADirectoryOfOthersIsSaid(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o700: false, 0o755: false, 0o770: true, 0o707: true, os.ModeSticky | 0o777: true} {
		path := filepath.Join(t.TempDir(), "state")
		os.Mkdir(path, 0o700)
		os.Chmod(path, mode)
		d := open(t, path)
		notes := strings.Join(d.Notes(), "\n")
		if said := strings.Contains(notes, path) && strings.Contains(notes, "others may write"); said != want {
			t.Errorf("mode %v: %q", mode, notes)
		}
		if again := d.Notes(); again != nil {
			t.Errorf("said again: %v", again)
		}
	}
	if os.Geteuid() != 0 {
		return // nobody else can give a directory away
	}
	path := t.TempDir()
	os.Chown(path, 65534, 65534)
	if notes := strings.Join(open(t, path).Notes(), "\n"); !strings.Contains(notes, "belongs to user 65534") {
		t.Errorf("%q", notes)
	}
}

func TestARemovedDirectoryIsMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "state")
	d := open(t, path)
	save(t, d, "one")
	for name, lose := range map[string]func(){
		"removed":           func() { os.RemoveAll(path) },
		"with its parent":   func() { os.RemoveAll(filepath.Dir(path)) },
		"the lock alone":    func() { os.Remove(filepath.Join(path, "lock")) },
		"replaced":          func() { os.RemoveAll(path); os.MkdirAll(path, 0o700) },
		"moved":             func() { os.RemoveAll(path + ".old"); os.Rename(path, path+".old") },
		"the lock replaced": func() { os.Remove(filepath.Join(path, "lock")); os.WriteFile(filepath.Join(path, "lock"), nil, 0o600) },
	} {
		lose()
		save(t, d, name)
		if c, _ := load(d); c != name {
			t.Errorf("%s: found %q", name, c)
		}
		if notes := d.Notes(); len(notes) != 1 || !strings.Contains(notes[0], path+" was removed or replaced") {
			t.Errorf("%s: %v", name, notes)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "in use by another") {
			t.Errorf("%s: a second owner: %v", name, err)
		}
		if again, err := d.Hold(); !again || err != nil {
			t.Errorf("%s: what Save made again: %v, %v", name, again, err)
		}
	}
	if again, err := d.Hold(); again || err != nil || d.Notes() != nil {
		t.Errorf("held: %v, %v", again, err)
	}
}

// Made again by hand, the directory is whose it is then: the first owner writes nothing into it until it is free.
func TestASecondOwnerOfARemovedDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	first := open(t, path)
	save(t, first, "of the first")
	os.RemoveAll(path)
	second := open(t, path)
	save(t, second, "of the second")
	for range 2 {
		if err := first.Save("graph", 1, []byte("of the first")); err == nil || !strings.Contains(err.Error(), "in use by another") || !strings.Contains(err.Error(), path) {
			t.Errorf("%v", err)
		}
	}
	if c, _ := load(second); c != "of the second" {
		t.Errorf("the second finds %q", c)
	}
	second.Close()
	save(t, first, "of the first again")
	if c, _ := load(first); c != "of the first again" {
		t.Errorf("found %q", c)
	}
}

func TestWritten(t *testing.T) {
	path := t.TempDir()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if at, bytes, err := d.Written(); err != nil || !at.IsZero() || bytes != 0 {
		t.Errorf("empty: %v, %d, %v", at, bytes, err)
	}
	if err := d.Save("x", 1, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(path, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if at, bytes, err := d.Written(); err != nil || !at.Equal(info.ModTime()) || bytes != info.Size() {
		t.Errorf("%v, %d, %v", at, bytes, err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Written(); err == nil {
		t.Error("gone, and no error")
	}
}

// A check says what Open would, and leaves no trace.
func TestCheckLeavesNothing(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("as root, who may write anywhere: the directory without rights is left out")
	}
	for name, c := range map[string]struct {
		make func(dir string) (path string)
		want string // "": none
	}{
		"there":       {func(dir string) string { return dir }, ""},
		"used before": {func(dir string) string { must(t, os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600)); return dir }, ""},
		"not there":   {func(dir string) string { return filepath.Join(dir, "a", "b") }, ""},
		"below a file": {func(dir string) string {
			must(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
			return filepath.Join(dir, "f", "b")
		}, "not a directory"},
		"a file": {func(dir string) string {
			must(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
			return filepath.Join(dir, "f")
		}, "not a directory"},
		"a link to nothing": {func(dir string) string {
			must(t, os.Symlink("/nowhere/at/all", filepath.Join(dir, "l")))
			return filepath.Join(dir, "l")
		}, "is a link to what is not there"},
		"the lock is a link":  {func(dir string) string { must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "lock"))); return dir }, "is a symbolic link"},
		"without a right":     {func(dir string) string { must(t, os.Chmod(dir, 0o500)); return dir }, "permission denied"},
		"below without right": {func(dir string) string { must(t, os.Chmod(dir, 0o500)); return filepath.Join(dir, "a") }, "permission denied"},
	} {
		if c.want == "permission denied" && os.Geteuid() == 0 {
			continue
		}
		dir := t.TempDir()
		path := c.make(dir)
		before := tree(t, dir)
		err := Check(path)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("%s: was\n%s, is\n%s", name, before, after)
		}
		os.Chmod(dir, 0o700)
		d, opened := Open(path)
		if (opened == nil) != (err == nil) && c.want != "permission denied" {
			t.Errorf("%s: Check says %v, Open %v", name, err, opened)
		}
		if opened == nil {
			d.Close()
		}
	}
}

// asNobody calls do as a user without rights to what root has; as another user than root it calls do alone.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	const nobody = 65534
	runtime.LockOSThread() // the call is for one thread
	defer runtime.UnlockOSThread()
	become := func(id uintptr) {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, id, id, 0); errno != 0 {
			t.Fatalf("setresuid: %v", errno)
		}
	}
	become(nobody)
	defer become(0)
	do()
}

// A directory in which nothing can be written is refused, though its lock is there from before and the user's own.
func TestOpenADirectoryThatWasTakenAway(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	path := filepath.Join(dir, "state")
	must(t, os.Mkdir(path, 0o755))
	must(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600))
	if os.Geteuid() == 0 {
		must(t, os.Chown(filepath.Join(path, lockName), 65534, 65534))
	}
	must(t, os.Chmod(path, 0o555))
	t.Cleanup(func() { os.Chmod(path, 0o755) })
	asNobody(t, func() {
		const want = "must be writable: write in "
		if err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check: %v, want %q", err, want)
		}
		if d, err := Open(path); err == nil {
			t.Errorf("opened; a save says %v", d.Save("graph", 1, nil))
			d.Close()
		} else if !strings.Contains(err.Error(), want) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v, want %q", err, want)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree lists what is below a directory.
func tree(t testing.TB, dir string) (list string) {
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		list += path + " " + d.Type().String() + "\n"
		return err
	}))
	return list
}

package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// built compiles C to a shared object with the filter's name, and skips the test where there is no compiler.
func built(t *testing.T, source string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("there is no gcc")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", path, write(t, dir, "x.c", source)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

const (
	good = "#include <stdlib.h>\nint filter_rgcn_plugin;\nvoid *f(void) { return malloc(1); }\n"
	bad  = "int filter_rgcn_plugin;\nint none_such(void);\nint f(void) { return none_such(); }\n"
	dies = "#include <stdlib.h>\nint filter_rgcn_plugin;\n__attribute__((constructor)) static void f(void) { abort(); }\n"
)

func plugged(t *testing.T, o Options) *examination {
	t.Helper()
	return examine(t, o, func(e *examination) { e.plugin(context.Background()) })
}

func TestSharedObject(t *testing.T) {
	path := built(t, good)
	e := plugged(t, Options{Plugin: path})
	e.has(t, OK, TopicPlugin, path+" loads here; it needs glibc 2.", "and this machine has 2.")
	e.has(t, OK, TopicPlugin, "starts in a process of its own")
	e.hasNone(t, TopicPlugin)
	plugged(t, Options{Plugin: built(t, bad)}).has(t, Problem, TopicPlugin, "the system's loader refuses it", "none_such")
	plugged(t, Options{Plugin: built(t, dies)}).has(t, Problem, TopicPlugin, "ends the process that loads it")
	plugged(t, Options{Plugin: built(t, "int other;\n")}).has(t, Problem, TopicPlugin, "has no filter_rgcn_plugin")

	changed := func(change func([]byte) []byte) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, t.TempDir(), fileName, string(change(b)))
	}
	const machine = 18 // where the header says for which one the file is
	plugged(t, Options{Plugin: changed(func(b []byte) []byte { b[machine] = 8; return b })}).has(t, Problem, TopicPlugin, "is for EM_MIPS, this machine is", "of this architecture")
	plugged(t, Options{Plugin: changed(func(b []byte) []byte {
		return bytes.Replace(b, []byte("GLIBC_2.2.5\x00"), []byte("GLIBC_2.999\x00"), 1)
	})}).
		has(t, Problem, TopicPlugin, "needs glibc 2.999, this machine has 2.", "which loads with glibc 2.17")
	plugged(t, Options{Plugin: write(t, t.TempDir(), fileName, "text")}).has(t, Problem, TopicPlugin, "is no shared object")
	plugged(t, Options{Plugin: write(t, t.TempDir(), "rgcn.so", "text")}).has(t, Problem, TopicPlugin, "rename it to flb-filter_rgcn.so")

	odd := filepath.Join(t.TempDir(), fileName)
	if err := os.Symlink("/dev/null", odd); err != nil {
		t.Fatal(err)
	}
	plugged(t, Options{Plugin: odd}).has(t, Problem, TopicPlugin, odd+": cannot be read: is no regular file but a device")
	if err := errors.Join(os.Remove(odd), unix.Mkfifo(odd, 0o600)); err != nil {
		t.Fatal(err)
	}
	plugged(t, Options{Plugin: odd}).has(t, Problem, TopicPlugin, odd+": cannot be read: is no regular file but a pipe")
}

// The configuration's file counts, and one that is not there keeps Fluent Bit from starting.
func TestSharedObjectOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	path := built(t, good)
	named := func(path string) Options {
		plugins := write(t, dir, "plugins.conf", "[PLUGINS]\n    Path "+path+"\n")
		return Options{Conf: conf(t, "[SERVICE]\n    Plugins_File "+plugins+"\n")}
	}
	plugged(t, named(path)).has(t, OK, TopicPlugin, "plugins.conf:2", path+" loads here")
	plugged(t, named(filepath.Join(dir, fileName))).has(t, Problem, TopicPlugin, "plugins.conf:2", "no such file; Fluent Bit does not start")
	plugged(t, Options{Conf: conf(t, ""), Plugin: path}).has(t, OK, TopicPlugin, "names no shared object: start Fluent Bit with -e "+path)
}

func TestRelease(t *testing.T) {
	for version, want := range map[string]int{"GLIBC_2.2.5": 2, "GLIBC_2.34": 34, "GLIBC_PRIVATE": 0, "GCC_3.0": 0, "GLIBC_2.x": 0} {
		if got := release(version); got != want {
			t.Errorf("%s: %d", version, got)
		}
	}
	if n, path, ok := ownGlibc(); ok && (n < 17 || path == "") {
		t.Errorf("2.%d of %q", n, path)
	}
}

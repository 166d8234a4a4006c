package release

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The version is that of the commit, and of no other repository in whose folder a copy of the sources lies.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	run := func(in, name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = in
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	script, err := os.ReadFile("version.sh")
	if err != nil {
		t.Fatal(err)
	}
	version := func(of string) string { return run(of, "sh", filepath.Join(of, "build/release/version.sh")) }
	sources := func(at string) {
		t.Helper()
		folder := filepath.Join(at, "build/release")
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, "version.sh"), script, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(in string) string {
		run(in, "git", "add", "-A")
		run(in, "git", "-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "x")
		return "g" + run(in, "git", "rev-parse", "--short=12", "HEAD")
	}
	own := filepath.Join(dir, "own")
	sources(own)
	if got := version(own); got != "0.0.0+unknown" {
		t.Errorf("without git: %s", got)
	}
	run(own, "git", "init", "-q")
	if got, want := version(own), "0.0.0+1."+commit(own); got == want {
		t.Errorf("before a commit: %s", got)
	} else if got = version(own); got != want {
		t.Errorf("without a tag: %s, want %s", got, want)
	}
	run(own, "git", "tag", "v1.2.0-rc1")
	if got := version(own); got != "1.2.0~rc1" {
		t.Errorf("a tag: %s", got)
	}
	after := commit(own)
	if got := version(own); got != "1.2.0~rc1+1."+after {
		t.Errorf("after a tag: %s", got)
	}
	// An unpacked archive within another project.
	inside := filepath.Join(own, "vendor/filter")
	sources(inside)
	if got := version(inside); got != "0.0.0+unknown" {
		t.Errorf("in another repository: %s", got)
	}
	// A working tree has a file .git.
	run(own, "git", "worktree", "add", "-q", filepath.Join(dir, "tree"))
	if got := version(filepath.Join(dir, "tree")); got != "1.2.0~rc1+1."+after {
		t.Errorf("in a working tree: %s", got)
	}
}

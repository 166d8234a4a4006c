package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuiltByMake: the tool that make builds in a clone tells of which commit it is, whatever GOFLAGS say.
func TestBuiltByMake(t *testing.T) {
	tool := os.Getenv("RGCN_BIN")
	if tool == "" {
		t.Skip("RGCN_BIN names no tool that make has built")
	}
	want := "rgcn devel"
	// In another project's repository there is a commit, and it is not this one's.
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	root, _ := filepath.Abs("../..")
	if root, _ = filepath.EvalSymlinks(root); err == nil && strings.TrimSpace(string(top)) == root && exec.Command("git", "rev-parse", "HEAD").Run() == nil {
		want += "+"
	}
	out, err := exec.Command(tool, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%q, %v, want %s...", out, err, want)
	}
	// The go command may have put the same in, or nothing.
	if version, err := OfFile(tool); err != nil || version != "devel" && !strings.HasPrefix(string(out), "rgcn "+version+", ") {
		t.Errorf("it says %q and its file %q, %v", out, version, err)
	}
}

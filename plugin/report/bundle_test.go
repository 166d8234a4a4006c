package report

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheBundleIsOfItsSource: the committed script names the digest of the sources that it was made of.
func TestTheBundleIsOfItsSource(t *testing.T) {
	names := []string{"build.mjs", "package-lock.json"}
	files, err := filepath.Glob("web/src/*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	slices.Sort(files)
	for _, f := range files {
		names = append(names, "src/"+filepath.Base(f))
	}
	sum := sha256.New()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("web", name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s\n%s", name, b)
	}
	if want := fmt.Sprintf("/* made of sources with the digest %x */", sum.Sum(nil)); !strings.HasPrefix(script, want) {
		t.Errorf("assets/page.js is not made of the sources in web: run make generate. It begins with %.100q, want %q", script, want)
	}
}

// TestTheBundleBuildsAgain: where the build's tools are at hand, the same sources give the same bytes.
func TestTheBundleBuildsAgain(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not on the PATH")
	}
	if _, err := os.Stat("web/node_modules/esbuild"); err != nil {
		t.Skip("web/node_modules is not there: npm ci --ignore-scripts in plugin/report/web fetches it")
	}
	dir := t.TempDir()
	build := exec.Command("node", "build.mjs", dir)
	build.Dir = "web"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]string{"page.js": script, "page.css": style, "licenses.txt": licences} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s: %d bytes, committed are %d others: run make generate (%v)", name, len(got), len(want), err)
		}
	}
}

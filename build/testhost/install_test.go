package testhost

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestInstall: make install puts the filter and the tool where packages do, make uninstall removes these two and nothing
// beside them.
func TestInstall(t *testing.T) {
	if os.Getenv("RGCN_SO") == "" || os.Getenv("RGCN_BIN") == "" {
		t.Skip("RGCN_SO and RGCN_BIN are not set; make test sets them")
	}
	root := t.TempDir()
	run := func(target string) {
		t.Helper()
		// -o: what make test has built is not built again.
		c := exec.Command("make", "-s", "-o", "build/out/flb-filter_rgcn.so", "-o", "build/out/rgcn", target, "DESTDIR="+root)
		c.Dir = filepath.Join("..", "..")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v: %s", target, err, out)
		}
	}
	found := func() (files []string) {
		t.Helper()
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			files = append(files, path[len(root):]+" "+info.Mode().String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	run("install")
	other := filepath.Join(root, "usr/lib/fluent-bit/other.so")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want := []string{"/usr/bin/rgcn -rwxr-xr-x", "/usr/lib/fluent-bit/flb-filter_rgcn.so -rw-r--r--", "/usr/lib/fluent-bit/other.so -rw-r--r--"}
	if got := found(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	run("uninstall")
	run("uninstall") // again: what is gone is no error
	if got := found(); !slices.Equal(got, want[2:]) {
		t.Errorf("%q, want %q", got, want[2:])
	}
}

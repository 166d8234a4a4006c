// Package release checks what is handed out: the files of `make release` and of `make packages`, as they lie in the
// folder that RGCN_RELEASE names. It owns the promises about them (oldest glibc, architectures, what a package
// installs); it never knows how they are built. Without RGCN_RELEASE nothing of it runs: building for two architectures
// takes minutes. `make test-release` does both.
package release

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// target is one architecture of the release.
type target struct {
	goarch string
	folder string // absolute
}

func (t target) file(name string) string { return filepath.Join(t.folder, name) }

// released is the folder of the release, absolute.
var released string

var targets []target

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder := os.Getenv("RGCN_RELEASE")
		if folder == "" {
			fmt.Println("skipped: the checks of release and packages, RGCN_RELEASE names no folder; make test-release builds and checks them")
			return 0
		}
		var err error
		if released, err = filepath.Abs(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, goarch := range []string{"amd64", "arm64"} {
			targets = append(targets, target{goarch, filepath.Join(released, "linux-"+goarch)})
		}
		return m.Run()
	}())
}

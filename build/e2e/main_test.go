// Package e2e runs the shared object inside the real Fluent Bit and looks at what comes out: records, log lines, exit
// codes, files. It owns the scenarios of a user's day, from the first record to a damaged state directory. It knows
// nothing of the implementation.
//
// Fluent Bit is the fluent-bit on the PATH, or what FLUENT_BIT names. RGCN_SO names a shared object to test and
// RGCN_BIN the offline tool; without them both are built.
package e2e

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// What the tests run.
var (
	host         string
	noHost       string // why there is no host to test in
	sharedObject string
	offlineTool  string
	goOutput     string // a plugin with a Go runtime of its own
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		program := cmp.Or(os.Getenv("FLUENT_BIT"), "fluent-bit")
		if host, err = exec.LookPath(program); err != nil {
			noHost = fmt.Sprintf("%s is not on the PATH: the %d scenarios of the real host are skipped; the C test host covers the ABI", program, scenarios())
			flag.Parse()
			flag.Set("test.run", "^TestHostIsThere$") // one line instead of one for each scenario
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "e2e")
		if err == nil {
			defer os.RemoveAll(dir)
			err = build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// TestHostIsThere is skipped where Fluent Bit is not there, and with it all other tests of this package.
func TestHostIsThere(t *testing.T) {
	if noHost != "" {
		t.Skip(noHost)
	}
}

// scenarios is the number of the other tests of this package.
func scenarios() (n int) {
	files, _ := filepath.Glob("*_test.go")
	for _, file := range files {
		source, _ := os.ReadFile(file)
		n += len(regexp.MustCompile(`(?m)^func Test\w+\(t `).FindAll(source, -1))
	}
	return n - 1
}

func build(dir string) error {
	// The host takes a plugin's name from its file's.
	sharedObject, offlineTool, goOutput = os.Getenv("RGCN_SO"), os.Getenv("RGCN_BIN"), filepath.Join(dir, "out_goout.so")
	if sharedObject == "" {
		sharedObject = filepath.Join(dir, "flb-filter_rgcn.so")
		if err := goBuild("-buildmode=c-shared", "-o", sharedObject, "../../plugin"); err != nil {
			return err
		}
	}
	if offlineTool == "" {
		offlineTool = filepath.Join(dir, "rgcn")
		if err := goBuild("-o", offlineTool, "../../plugin/cmd/rgcn"); err != nil {
			return err
		}
	}
	if err := goBuild("-buildmode=c-shared", "-o", goOutput, "./testdata/goout"); err != nil {
		return err
	}
	for _, file := range []*string{&sharedObject, &offlineTool} {
		abs, err := filepath.Abs(*file)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			return err
		}
		*file = abs
	}
	return nil
}

func goBuild(args ...string) error {
	if out, err := exec.Command("go", append([]string{"build"}, args...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// lookAtInputs keeps go test from taking an old result for a new one: it notices the directories and files that a
// running test opens, not what TestMain and the host read.
var lookAtInputs = sync.OnceValue(func() error {
	inputs := []string{"testdata", "../../conf", "../../plugin", "../../graphbuf", "../../model"}
	for _, name := range []string{"RGCN_SO", "RGCN_BIN"} {
		if file := os.Getenv(name); file != "" {
			inputs = append(inputs, file)
		}
	}
	var failures []error
	for _, input := range inputs {
		_, err := os.Stat(input)
		failures = append(failures, err, filepath.WalkDir(input, func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
	return errors.Join(failures...)
})

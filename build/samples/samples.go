// Package samples finds the log files that tests and benchmarks read but the repository does not
// hold: the notebook's sessions and other real logs. It looks in the folder that RGCN_DATA names,
// else in shared/data beside the repository or above it.
package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// The files.
const (
	Notebook      = "maccdc2012_ssh.log" // the notebook's 7,143 sessions, Zeek's TSV without a header
	ZeekJSON      = "zeek_ssh.json.gz"
	ZeekTSV       = "zeek_ssh.tsv.gz"
	ZeekTSVNoType = "zeek_ssh_basic.tsv"
	Sshd          = "sshd_auth.log.gz" // lines of sshd in a syslog file
)

// Find returns the path of a file, and whether it is there.
func Find(name string) (path string, ok bool) {
	if dir := os.Getenv("RGCN_DATA"); dir != "" {
		path = filepath.Join(dir, name)
		_, err := os.Stat(path)
		return path, err == nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return name, false
	}
	for {
		path = filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return filepath.Join("shared", "data", name), false
		}
		dir = parent
	}
}

// Path returns the path of a file, and skips the test where the file is not at hand.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	path, ok := Find(name)
	if !ok {
		tb.Skipf("%s is not at hand: RGCN_DATA may name the folder that holds it", path)
	}
	return path
}

// Read returns the content of a file, and skips the test where the file is not at hand.
func Read(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(Path(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

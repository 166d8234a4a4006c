// Package samples finds the log files that tests and benchmarks read but the repository does not
// hold: the notebook's sessions and other real logs. It looks in the folder that RGCN_DATA names,
// else in shared/data beside the repository or above it.
package samples

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

// Unpacked is Read of a file that gzip packed, or is not packed at all.
func Unpacked(tb testing.TB, name string) []byte {
	tb.Helper()
	b := Read(tb, name)
	if !strings.HasSuffix(name, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		b, err = io.ReadAll(z)
	}
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return b
}

// Files of the project's own, in testdata. Nothing in them was recorded: names and addresses are those set aside for
// documentation.
const (
	OwnZeekJSON     = "zeek.ndjson"            // 16 sessions, three of them without the client's banner
	OwnZeekTSV      = "zeek.tsv"               // the same with Zeek's header
	OwnOtherColumns = "zeek_other_columns.tsv" // the same in another order, with times that are none
	OwnSshd         = "sshd.log"               // syslog lines of one host, sshd's and cron's
)

//go:embed testdata
var own embed.FS

// Own returns the content of a file of the project's own.
func Own(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := own.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// OwnPath returns the path of a copy of a file of the project's own.
func OwnPath(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, Own(tb, name), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Recent moves the days of syslog's lines to the days before today. Such lines name no year, and a time is taken for this
// year's if it is at most a day ahead of the clock. Without the move, a test that runs shortly before the day of such a line
// would see the first lines as this year's and the rest as last year's.
func Recent(log string) string {
	const form = "Jan _2"
	var days []string
	for line := range strings.Lines(log) {
		if day := line[:len(form)]; len(days) == 0 || day != days[len(days)-1] {
			days = append(days, day)
		}
	}
	var b strings.Builder
	first, i := time.Now().AddDate(0, 0, -1-len(days)), 0
	for line := range strings.Lines(log) {
		if line[:len(form)] != days[i] {
			i++
		}
		b.WriteString(first.AddDate(0, 0, i).Format(form) + line[len(form):])
	}
	return b.String()
}

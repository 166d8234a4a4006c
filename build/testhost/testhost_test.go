package testhost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

var versions = []string{"2.2", "3.2", "5.1"}

// noForks is why nothing that forks is tried in an emulator.
const noForks = "skipped: forks, qemu-user ends a child of several threads that starts one"

// The exit codes of the C program.
const (
	propertyRefused = 2
	initFailed      = 3
	exitFailed      = 4
)

// noTraining makes every score null, so that what comes out is known.
var noTraining = []string{"--prop", "train_interval=0"}

type result struct {
	code   int
	stdout []byte
	lines  []string // of standard error
}

// chunks returns what went on to the outputs.
func (r result) chunks(t testing.TB) [][]byte {
	t.Helper()
	var chunks [][]byte
	for rest := r.stdout; len(rest) > 0; {
		size := binary.LittleEndian.Uint32(rest)
		chunks, rest = append(chunks, rest[4:4+size]), rest[4+size:]
	}
	return chunks
}

// with returns the lines that begin with prefix, less the prefix.
func (r result) with(prefix string) []string {
	var found []string
	for _, line := range r.lines {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}

func run(t testing.TB, program string, chunks [][]byte, args ...string) result {
	t.Helper()
	if err := lookAtInputs(); err != nil {
		t.Fatal(err)
	}
	var in, stdout, stderr bytes.Buffer
	for _, c := range chunks {
		in.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(c))))
		in.Write(c)
	}
	line := slices.Concat(emulator, []string{program}, args)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &stdout, &stderr
	// Leaks cannot be told: the sanitizer does not see pointers that only Go memory holds.
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0")
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), stdout.Bytes(), strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")}
	if r.code < 0 {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return r
}

// scored runs with args and fails unless every chunk comes out scored, times times over.
func scored(t *testing.T, program string, chunks [][]byte, times int, args ...string) result {
	t.Helper()
	r := run(t, program, chunks, slices.Concat(noTraining, args)...)
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, strings.Join(r.lines, "\n"))
	}
	got := r.chunks(t)
	if len(got) != times*len(chunks) {
		t.Fatalf("%d chunks, want %d", len(got), times*len(chunks))
	}
	for i := range got {
		checkScored(t, chunks[i%len(chunks)], got[i])
	}
	if foreign := r.with("info foreign"); foreign != nil {
		t.Errorf("lines from threads unknown to the host, which its log file would miss: %q", foreign)
	}
	return r
}

func TestScoresEveryRecord(t *testing.T) {
	chunks := sshChunks(t, 200, 50)
	for _, v := range versions {
		t.Run(v, func(t *testing.T) { scored(t, host, chunks, 1, "--abi", v, sharedObject) })
	}
}

func TestThreads(t *testing.T) {
	scored(t, host, sshChunks(t, 4000, 50), 1, "--threads", "4", sharedObject)
}

func TestReload(t *testing.T) {
	r := scored(t, host, sshChunks(t, 50, 25), 20, "--reload", "20", sharedObject)
	if n := len(r.with("exit 0")); n != 20 {
		t.Errorf("%d clean exits, want 20", n)
	}
}

// A daemon forks between loading and init; by then the file may be gone, and its path mean nothing in another
// directory.
func TestFork(t *testing.T) {
	if len(emulator) > 0 {
		t.Skip(noForks)
	}
	chunks := sshChunks(t, 100, 50)
	scored(t, host, chunks, 1, "--fork", sharedObject)
	scored(t, host, chunks, 2, "--fork", "--threads", "2", "--reload", "2", sharedObject)

	data, err := os.ReadFile(sharedObject)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "flb-filter_rgcn.so")
	if err := os.WriteFile(file, data, 0o755); err != nil {
		t.Fatal(err)
	}
	scored(t, host, chunks, 1, "--fork", "--unlink", file)
}

// A state that outgrows the limit on the size of a file is not saved, which the log says; the signal that the kernel sends
// to whoever writes more would end the host.
func TestLimitOnTheSizeOfAFile(t *testing.T) {
	if len(emulator) > 0 {
		t.Skip("skipped: the shell that sets the limit is no program of the emulator's")
	}
	chunks := sshChunks(t, 100, 50)
	r := run(t, "/bin/sh", chunks, slices.Concat([]string{"-c", `ulimit -f 1 && exec "$0" "$@"`, host}, noTraining,
		[]string{"--prop", "state_dir=" + filepath.Join(t.TempDir(), "state"), sharedObject})...)
	if n := len(r.chunks(t)); r.code != exitFailed || n != len(chunks) {
		t.Errorf("exit code %d, %d chunks, want %d and %d\n%s", r.code, n, exitFailed, len(chunks), strings.Join(r.lines, "\n"))
	}
	if said := strings.Join(r.lines, "\n"); !strings.Contains(said, "graph: file too large: ") || !strings.Contains(said, "(ulimit -f, LimitFSIZE= of a unit)") {
		t.Error(said)
	}
}

func TestPassesUntouched(t *testing.T) {
	fields := msgp.AppendMapHeader(nil, 3)
	for _, key := range []string{"id.orig_h", "id.resp_h", "client"} {
		fields = msgp.AppendString(msgp.AppendString(fields, key), "x")
	}
	other := msgp.AppendString(msgp.AppendString(msgp.AppendMapHeader(nil, 1), "log"), "no such fields")
	cases := []struct {
		name  string
		chunk []byte
	}{
		{"empty", nil},
		{"text", []byte("not msgpack")},
		{"reserved byte", bytes.Repeat([]byte{0xc1}, 100)},
		{"length beyond the end", []byte{0xdd, 0xff, 0xff, 0xff, 0xff}},
		{"event cut short", event(1331901011, fields)[:20]},
		{"record without the fields", event(1331901011, other)},
		{"group markers", append(event(-1, fields), event(-2, fields)...)},
	}
	var chunks [][]byte
	for _, c := range cases {
		chunks = append(chunks, c.chunk)
	}
	r := run(t, host, chunks, append(noTraining, sharedObject)...)
	codes, got := r.with("filter "), r.chunks(t)
	if r.code != 0 || len(codes) != len(cases) || len(got) != len(cases) {
		t.Fatalf("exit code %d, %d codes and %d chunks for %d cases\n%s",
			r.code, len(codes), len(got), len(cases), strings.Join(r.lines, "\n"))
	}
	for i, c := range cases {
		if codes[i] != "2" || !bytes.Equal(got[i], c.chunk) {
			t.Errorf("%s: code %s, chunk %x; want 2, %x", c.name, codes[i], got[i], c.chunk)
		}
	}
}

// Between two scored events a group marker keeps its place and its bytes.
func TestGroupMarkerAmongRecords(t *testing.T) {
	records := sshChunks(t, 2, 1)
	marker := event(-1, msgp.AppendMapHeader(nil, 0))
	r := run(t, host, [][]byte{slices.Concat(records[0], marker, records[1])}, append(noTraining, sharedObject)...)
	got := r.chunks(t)
	if r.code != 0 || len(got) != 1 {
		t.Fatalf("exit code %d, %d chunks\n%s", r.code, len(got), strings.Join(r.lines, "\n"))
	}
	before, after, found := bytes.Cut(got[0], marker)
	if !found {
		t.Fatalf("no marker %x in %x", marker, got[0])
	}
	checkScored(t, records[0], before)
	checkScored(t, records[1], after)
}

func TestRefusesToStart(t *testing.T) {
	check := func(name string, code int, line string, args ...string) {
		t.Helper()
		r := run(t, host, nil, append(args, sharedObject)...)
		matches := 0
		for _, l := range r.lines {
			if ok, err := regexp.MatchString(line, l); err != nil {
				t.Fatal(err)
			} else if ok {
				matches++
			}
		}
		if r.code != code || matches != 1 {
			t.Errorf("%s: exit code %d, want %d; %d lines match %q, want 1:\n%s",
				name, r.code, code, matches, line, strings.Join(r.lines, "\n"))
		}
	}
	for _, v := range versions {
		check("misspelt property", propertyRefused, `trian_interval`, "--abi", v, "--prop", "trian_interval=1m")
		check("bad value", initFailed, `^error worker \[filter:rgcn:rgcn\.0\] .*train_interval.*soon`,
			"--abi", v, "--prop", "train_interval=soon")
	}
	if len(emulator) == 0 {
		directory, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		check("relative path after a fork", initFailed, `^error worker .*config_file = "`+regexp.QuoteMeta(directory)+`/none\.toml"`,
			"--fork", "--prop", "config_file=none.toml")
		check("bad value after a fork", initFailed, `^error worker .*train_interval.*soon`, "--fork", "--prop", "train_interval=soon")
	}
	check("a value that writes to the terminal", initFailed, `^error worker .*train_interval.*\\x1b\[2J`, "--prop", "train_interval=\x1b[2J\n")
}

func TestLogLevel(t *testing.T) {
	count := func(level string) (info, debug int) {
		r := run(t, host, nil, "--log-level", level, sharedObject)
		if r.code != 0 {
			t.Fatalf("exit code %d\n%s", r.code, strings.Join(r.lines, "\n"))
		}
		return len(r.with("info ")), len(r.with("debug "))
	}
	if info, debug := count("3"); info == 0 || debug != 0 {
		t.Errorf("level info: %d info lines and %d debug lines, want some and none", info, debug)
	}
	for _, level := range []string{"0", "1", "2"} {
		if info, debug := count(level); info != 0 || debug != 0 {
			t.Errorf("level %s: %d info lines and %d debug lines, want none", level, info, debug)
		}
	}
}

// The map is what `fluent-bit -F rgcn -h` prints.
func TestConfigMap(t *testing.T) {
	source, err := os.ReadFile("../../plugin/fluentbit/options.h")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	option := regexp.MustCompile(`(?m)^RGCN_OPTION\("(\w+)", (NULL|"(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\)`)
	for _, m := range option.FindAllStringSubmatch(string(source), -1) {
		line := "0\t" + m[1]
		for _, literal := range m[2:] {
			text := ""
			if literal != "NULL" {
				if text, err = strconv.Unquote(literal); err != nil {
					t.Fatal(err)
				}
			}
			line += "\t" + text
		}
		want = append(want, line)
	}
	if len(want) == 0 || len(want) != strings.Count(string(source), "RGCN_OPTION(") {
		t.Fatalf("%d options read from options.h", len(want))
	}
	for _, v := range versions {
		r := run(t, host, nil, "--abi", v, "--map", sharedObject)
		if got := strings.Split(strings.TrimSuffix(string(r.stdout), "\n"), "\n"); r.code != 0 || !slices.Equal(got, want) {
			t.Errorf("%s: exit code %d, map\n%s\nwant\n%s", v, r.code, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Where the host's layout cannot be told there is no help, and all else works.
func TestWithoutConfigMap(t *testing.T) {
	if r := run(t, bareHost, nil, "--map", sharedObject); r.code != 0 || len(r.stdout) != 0 {
		t.Errorf("exit code %d, map %q, want none", r.code, r.stdout)
	}
	scored(t, bareHost, sshChunks(t, 10, 10), 1, sharedObject)
}

// The sanitizer sees reads past a chunk and output memory that is not the C heap's. It is not asked about forks, over
// which its own allocator may stay locked.
func TestMemory(t *testing.T) {
	if checkedHost == "" {
		t.Skip("no AddressSanitizer")
	}
	scored(t, checkedHost, sshChunks(t, 400, 20), 3, "--threads", "3", "--repeat", "2", "--reload", "3", sharedObject)
	if r := run(t, checkedHost, nil, "--map", sharedObject); r.code != 0 || len(r.stdout) == 0 {
		t.Errorf("config map: exit code %d\n%s", r.code, strings.Join(r.lines, "\n"))
	}
}

// BenchmarkFilter times records from C memory to C memory, before the first training. Time of the start is left out.
func BenchmarkFilter(b *testing.B) {
	const records, perChunk = 5000, 1000
	chunks := sshChunks(b, records, perChunk)
	var bytes int
	for _, c := range chunks {
		bytes += len(c)
	}
	repeat := min(b.N, 1000000)
	r := run(b, host, chunks, slices.Concat(noTraining, []string{"--repeat", strconv.Itoa(repeat), sharedObject})...)
	lines := r.with("seconds ")
	if r.code != 0 || len(lines) != 1 {
		b.Fatalf("exit code %d\n%s", r.code, strings.Join(r.lines, "\n"))
	}
	seconds, err := strconv.ParseFloat(lines[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(repeat)*records/seconds, "records/s")
	b.ReportMetric(float64(repeat)*float64(bytes)/seconds/1e6, "MB/s")
}

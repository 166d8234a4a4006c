package logfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// zeekLogs are paths of logs of Zeek's in JSON, and of twins in TSV: the project's own, and recorded ones where they
// are at hand.
func zeekLogs(t testing.TB) (json, tsv []string) {
	t.Helper()
	json, tsv = []string{samples.OwnPath(t, samples.OwnZeekJSON)}, []string{samples.OwnPath(t, samples.OwnZeekTSV)}
	if path, ok := samples.Find(samples.ZeekJSON); ok {
		json, tsv = append(json, path), append(tsv, samples.Path(t, samples.ZeekTSV))
	}
	return json, tsv
}

var testTime = time.Unix(1700000000, 123456789)

func testOptions(columns ...string) Options {
	return Options{Columns: columns, Now: func() time.Time { return testTime }}
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func open(t testing.TB, path string, opt Options) *Reader {
	t.Helper()
	r, err := Open(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// readAll returns the events of a log and the errors of its bad lines. Any
// other error ends the test.
func readAll(t testing.TB, r *Reader) (events [][]byte, bad []error) {
	t.Helper()
	for {
		event, err := r.AppendRecord(nil)
		var lineErr *LineError
		switch {
		case err == io.EOF:
			return events, bad
		case errors.As(err, &lineErr):
			bad = append(bad, err)
		case err != nil:
			t.Fatal(err)
		default:
			events = append(events, event)
		}
	}
}

// readGood is readAll for a log that is good throughout.
func readGood(t testing.TB, path string, opt Options) [][]byte {
	t.Helper()
	events, bad := readAll(t, open(t, path, opt))
	if len(bad) > 0 {
		t.Fatalf("%s: %v", path, bad)
	}
	return events
}

// body returns what follows an event's header.
func body(t testing.TB, event []byte) []byte {
	t.Helper()
	_, rest, err := msgp.ReadArrayHeaderBytes(event)
	if err == nil {
		rest, err = msgp.Skip(rest)
	}
	if err != nil {
		t.Fatalf("event % x: %v", event, err)
	}
	return rest
}

// fields decodes an event's body; integers come out as int64 or uint64.
func fields(t testing.TB, event []byte) map[string]any {
	t.Helper()
	m, rest, err := msgp.ReadMapStrIntfBytes(body(t, event), nil)
	if err != nil || len(rest) > 0 {
		t.Fatalf("event % x: %d bytes left, %v", event, len(rest), err)
	}
	return m
}

func toJSON(t testing.TB, event []byte) string {
	t.Helper()
	line, err := AppendJSON(nil, event)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

package logfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// checkLog reads a whole log. Reading ends, and every event is valid msgpack that becomes valid JSON.
func checkLog(t *testing.T, log []byte, opt Options) {
	r, err := newReader("log", io.NopCloser(bytes.NewReader(log)), opt)
	if err != nil {
		return
	}
	for {
		event, err := r.AppendRecord(nil)
		var bad *LineError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			if err != io.EOF && len(event) > 0 {
				t.Fatalf("an event with an error: % x, %v", event, err)
			}
			return
		}
		if rest, err := msgp.Skip(event); err != nil || len(rest) > 0 {
			t.Fatalf("event % x: %d bytes left, %v", event, len(rest), err)
		}
		line, err := AppendJSON(nil, event)
		if err != nil || !json.Valid(line) {
			t.Fatalf("event % x: JSON %q, %v", event, line, err)
		}
	}
}

// addLines seeds with each line of a log, after the lines of its header.
func addLines(f *testing.F, raw []byte) {
	var head []byte
	for line := range bytes.Lines(raw) {
		if line[0] == '#' {
			head = append(head, line...)
		} else {
			f.Add(slices.Concat(head, line))
		}
	}
}

func FuzzNDJSON(f *testing.F) {
	raw, err := os.ReadFile("testdata/host.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	addLines(f, raw)
	addLines(f, samples.Own(f, samples.OwnZeekJSON))
	f.Fuzz(func(t *testing.T, log []byte) {
		checkLog(t, log, testOptions())
		line, _, _ := bytes.Cut(log, []byte("\n"))
		dst, err := new(jsonParser).appendObject(nil, line)
		// Stricter than encoding/json nowhere, but for depth and the size of numbers.
		var m map[string]any
		if err != nil && json.Unmarshal(line, &m) == nil && m != nil && len(line) < maxDepth {
			t.Fatalf("%q: refused with %v", line, err)
		}
		if err == nil {
			if rest, err := msgp.Skip(dst); err != nil || len(rest) > 0 {
				t.Fatalf("%q: % x: %d bytes left, %v", line, dst, len(rest), err)
			}
		}
	})
}

func FuzzTSV(f *testing.F) {
	addLines(f, samples.Own(f, samples.OwnZeekTSV))
	addLines(f, samples.Own(f, samples.OwnOtherColumns))
	f.Add([]byte("#separator \\x7c\n#fields|a|b\n#types|set[count]|bool\n1,\\x41|T\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		checkLog(t, log, testOptions())
		checkLog(t, log, testOptions("a", "-", "b"))
	})
}

func FuzzAppendJSON(f *testing.F) {
	for _, name := range []string{"testdata/host.ndjson.msgpack", "testdata/host.tsv.msgpack"} {
		seed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for len(seed) > 0 {
			rest, err := msgp.Skip(seed)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(seed[:len(seed)-len(rest)])
			seed = rest
		}
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		if line, err := AppendJSON(nil, event); err == nil && !json.Valid(line) {
			t.Fatalf("% x: %q is not JSON", event, line)
		}
	})
}

package testhost

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

var sshColumns = strings.Split(samples.Columns, ",")

// sshChunks returns the first n records of a log in chunks of so many events, as the input of a Zeek log makes them.
func sshChunks(t testing.TB, n, perChunk int) [][]byte {
	t.Helper()
	lines := strings.SplitN(string(samples.Sessions(t)), "\n", n+1)[:n]
	var chunks [][]byte
	for i, line := range lines {
		body := msgp.AppendMapHeader(nil, uint32(len(sshColumns)))
		for c, value := range strings.Split(line, "\t")[:len(sshColumns)] {
			body = msgp.AppendString(msgp.AppendString(body, sshColumns[c]), value)
		}
		if i%perChunk == 0 {
			chunks = append(chunks, nil)
		}
		last := &chunks[len(chunks)-1]
		*last = append(*last, event(int32(1331901011+i), body)...)
	}
	return chunks
}

// event is [[seconds, {}], body] with the host's time type.
func event(seconds int32, body []byte) []byte {
	s := uint32(seconds)
	e := []byte{0x92, 0x92, 0xd7, 0x00, byte(s >> 24), byte(s >> 16), byte(s >> 8), byte(s), 0, 0, 0, 7, 0x80}
	return append(e, body...)
}

type pair struct{ key, value []byte } // both encoded

// parse takes an event apart into its header and the pairs of its body, and returns what follows it.
func parse(chunk []byte) (header []byte, pairs []pair, rest []byte, err error) {
	n, body, err := msgp.ReadArrayHeaderBytes(chunk)
	if err != nil || n != 2 {
		return nil, nil, nil, fmt.Errorf("an array of %d, %v", n, err)
	}
	if body, err = msgp.Skip(body); err != nil {
		return nil, nil, nil, err
	}
	header = chunk[:len(chunk)-len(body)]
	count, body, err := msgp.ReadMapHeaderBytes(body)
	for ; err == nil && count > 0; count-- {
		var value []byte
		if value, err = msgp.Skip(body); err != nil {
			break
		}
		if rest, err = msgp.Skip(value); err != nil {
			break
		}
		pairs = append(pairs, pair{body[:len(body)-len(value)], value[:len(value)-len(rest)]})
		body = rest
	}
	return header, pairs, body, err
}

// checkScored fails unless out is in with score: null and low_score: false added to every event, once, and all else as
// it was.
func checkScored(t *testing.T, in, out []byte) (events int) {
	t.Helper()
	added := map[string][]byte{
		string(msgp.AppendString(nil, "score")):     msgp.AppendNil(nil),
		string(msgp.AppendString(nil, "low_score")): msgp.AppendBool(nil, false),
	}
	for ; len(in) > 0; events++ {
		header, pairs, inRest, err := parse(in)
		if err != nil {
			t.Fatalf("input: %v", err)
		}
		gotHeader, gotPairs, outRest, err := parse(out)
		if err != nil {
			t.Fatalf("event %d: %v", events, err)
		}
		if !bytes.Equal(header, gotHeader) {
			t.Fatalf("event %d: header %x, want %x", events, gotHeader, header)
		}
		kept := gotPairs[:0]
		seen := 0
		for _, p := range gotPairs {
			if want, ok := added[string(p.key)]; ok {
				seen++
				if !bytes.Equal(p.value, want) {
					t.Fatalf("event %d: %q is %x, want %x", events, p.key[1:], p.value, want)
				}
				continue
			}
			kept = append(kept, p)
		}
		if seen != len(added) {
			t.Fatalf("event %d: %d fields added, want %d", events, seen, len(added))
		}
		if len(kept) != len(pairs) {
			t.Fatalf("event %d: %d other fields, want %d", events, len(kept), len(pairs))
		}
		for i := range pairs {
			if !bytes.Equal(kept[i].key, pairs[i].key) || !bytes.Equal(kept[i].value, pairs[i].value) {
				t.Fatalf("event %d: field %d is %q: %q, want %q: %q", events, i, kept[i].key, kept[i].value, pairs[i].key, pairs[i].value)
			}
		}
		in, out = inRest, outRest
	}
	if len(out) != 0 {
		t.Fatalf("%d bytes after the last event", len(out))
	}
	return events
}

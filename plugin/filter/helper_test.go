package filter

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// testHost is a Host with properties from a map, which keeps the log.
type testHost struct {
	properties map[string]string
	mu         sync.Mutex
	lines      []string
}

func (h *testHost) Property(key string) (string, bool) {
	v, ok := h.properties[key]
	return v, ok
}

func (h *testHost) Log(level Level, message string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, message)
}

func (h *testHost) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.lines, "\n")
}

// quick are settings that keep trainings short where their quality does not matter.
var quick = map[string]string{"model_dim": "16", "train_steps": "30", "preset": "zeek"}

func host(properties ...string) *testHost {
	h := &testHost{properties: map[string]string{}}
	for k, v := range quick {
		h.properties[k] = v
	}
	for i := 0; i < len(properties); i += 2 {
		h.properties[properties[i]] = properties[i+1]
	}
	return h
}

func offline(t testing.TB, h *testHost) *Instance {
	t.Helper()
	f, err := NewOffline(h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func train(t testing.TB, f *Instance) {
	t.Helper()
	if err := f.Train(context.Background(), time.Unix(2e9, 0), nil); err != nil {
		t.Fatal(err)
	}
}

// appendEvent appends an event with the given body: keys and values by turns.
func appendEvent(chunk []byte, body ...any) []byte {
	chunk = msgp.AppendArrayHeader(chunk, 2)
	chunk = msgp.AppendArrayHeader(chunk, 2)
	chunk = append(chunk, 0xd7, 0, 0x60, 0, 0, 0, 0, 0, 0, 0) // a time of 2021
	chunk = msgp.AppendMapHeader(chunk, 0)
	chunk = msgp.AppendMapHeader(chunk, uint32(len(body)/2))
	for _, v := range body {
		var err error
		if chunk, err = msgp.AppendIntf(chunk, v); err != nil {
			panic(err)
		}
	}
	return chunk
}

// decoded is an event's body as Go values, keys in order.
type decoded struct {
	keys []string
	body map[string]any
}

func decode(t testing.TB, chunk []byte) (out []decoded) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("the chunk does not decode: %v", err)
		}
	}
	for len(chunk) > 0 {
		_, b, err := msgp.ReadArrayHeaderBytes(chunk)
		fail(err)
		b, err = msgp.Skip(b)
		fail(err)
		n, b, err := msgp.ReadMapHeaderBytes(b)
		fail(err)
		d := decoded{body: map[string]any{}}
		for range n {
			var k string
			var v any
			k, b, err = msgp.ReadStringBytes(b)
			fail(err)
			v, b, err = msgp.ReadIntfBytes(b)
			fail(err)
			d.keys = append(d.keys, k)
			d.body[k] = v
		}
		out = append(out, d)
		chunk = b
	}
	return out
}

var notebookColumns = strings.Split(samples.Columns, ",")

// notebook is the notebook's file, or as many simulated sessions, as events of one record each.
func notebook(t testing.TB) (events [][]byte) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(string(samples.Sessions(t))), "\n") {
		var body []any
		for i, v := range strings.Split(line, "\t")[:len(notebookColumns)] {
			body = append(body, notebookColumns[i], v)
		}
		events = append(events, appendEvent(nil, body...))
	}
	return events
}

func join(events [][]byte) (chunk []byte) {
	for _, e := range events {
		chunk = append(chunk, e...)
	}
	return chunk
}

// session is an event with the fields of the zeek preset.
func session(i int, source, destination, client string) []byte {
	return appendEvent(nil, "ts", fmt.Sprintf("%d.5", 1_600_000_000+i*60), "id.orig_h", source, "id.resp_h", destination, "client", client)
}

// sessions are many of them, of hosts that keep to their team's servers.
func sessions(n int) (events [][]byte) {
	for i := range n {
		h := (i * 7919) % 30
		events = append(events, session(i, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4), fmt.Sprint("client-", h%2)))
	}
	return events
}

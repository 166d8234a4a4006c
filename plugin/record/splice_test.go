package record

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func TestSplice(t *testing.T) {
	added := appendAny(appendAny(appendAny(appendAny(nil, "score"), 0.5), "low_score"), true)
	object15 := func(extra ...any) object {
		var o object
		for i := range 15 - len(extra)/2 {
			o = append(o, fmt.Sprintf("k%02d", i), i)
		}
		return append(o, extra...)
	}
	wide := func(width int, n int) (b raw) {
		body := appendMapHeader(nil, width, uint32(n))
		for i := range n {
			body = appendAny(appendAny(body, fmt.Sprint("k", i)), i)
		}
		return raw(body)
	}
	for name, c := range map[string]struct {
		body   any
		pairs  int    // in the output
		header string // of the output's body
	}{
		"empty":                    {object{}, 2, "\x82"},
		"grows":                    {object15()[:26], 15, "\x8f"},
		"fixmap to map16":          {object15(), 17, "\xde\x00\x11"},
		"replaces both":            {object15("score", nil, "low_score", false), 15, "\x8f"},
		"replaces doubled":         {object15("score", 1, "score", object{"score", 2}, []byte("low_score"), 3), 14, "\x8e"},
		"map16 stays":              {wide(3, 1), 3, "\xde\x00\x03"},
		"map32 stays":              {wide(5, 1), 3, "\xdf\x00\x00\x00\x03"},
		"map16 to map32":           {wide(3, 65535), 65537, "\xdf\x00\x01\x00\x01"},
		"score inside stays":       {object{"a", object{"score", 1}}, 3, "\x83"},
		"dotted is another key":    {object{"score.x", 1}, 3, "\x83"},
		"other keys, other values": {object{7, 8, nil, extTime(1, 2), []any{1}, object{object{}, nil}}, 5, "\x85"},
	} {
		t.Run(name, func(t *testing.T) {
			in := logEvent(c.body)
			e := one(t, zeek, in)
			out := e.spliced([]byte("before"), 2, added)
			if !bytes.HasPrefix(out, []byte("before")) {
				t.Fatalf("prefix gone: %q", out[:6])
			}
			out = out[6:]
			if h := string(out[e.body:][:len(c.header)]); h != c.header {
				t.Errorf("map header %x, want %x", h, c.header)
			}
			if n := checkSpliced(t, in, out, zeek.Drop, added); n != c.pairs {
				t.Errorf("%d pairs, want %d", n, c.pairs)
			}
			if again := one(t, zeek, out).spliced(nil, 2, added); !bytes.Equal(again[e.first:], out[e.first:]) {
				t.Errorf("splicing twice is not splicing once:\n%x\n%x", out, again)
			}
		})
	}
}

// checkSpliced has another decoder compare the event before and after, and returns the pairs after.
func checkSpliced(t *testing.T, in, out []byte, drop []string, added []byte) int {
	t.Helper()
	a, err := decode(in)
	if err != nil {
		t.Fatalf("input %x: %v", in, err)
	}
	b, err := decode(out)
	if err != nil {
		t.Fatalf("output %x: %v", out, err)
	}
	want := decoded{header: a.header}
	for i, k := range a.keys {
		if s, ok := k.(string); !ok || !slices.Contains(drop, s) {
			want.keys, want.values = append(want.keys, k), append(want.values, a.values[i])
		}
	}
	for len(added) > 0 {
		var k, v any
		k, added, _ = decodeAny(added)
		v, added, _ = decodeAny(added)
		want.keys, want.values = append(want.keys, k), append(want.values, v)
	}
	if !reflect.DeepEqual(b, want) {
		t.Fatalf("spliced\n%#v, want\n%#v", b, want)
	}
	return len(b.keys)
}

// Every session of the log, with its values found and its record spliced.
func TestRealSessions(t *testing.T) {
	w := mustCompile(t, zeek).NewWalker()
	rows := sessions(t)
	var chunk []byte
	for _, o := range rows {
		chunk = append(chunk, logEvent(o)...)
	}
	added := appendAny(appendAny(nil, "score"), 0.25)
	w.Reset(chunk)
	var i int
	var joined []byte
	for ; w.Next(); i++ {
		e, o := event{w.Event(), w}, rows[i]
		for f, want := range []any{o[5], o[9], o[17]} {
			if string(e.Values[f]) != want {
				t.Fatalf("row %d, field %d: %q, want %q", i, f, e.Values[f], want)
			}
		}
		if stamp := fmt.Sprintf("%d.%06d", e.Time/1e9, e.Time%1e9/1000); stamp != o[1] {
			t.Fatalf("row %d: time %s, want %s", i, stamp, o[1])
		}
		if n := checkSpliced(t, e.raw(), e.spliced(nil, 1, added), zeek.Drop, added); n != 16 {
			t.Fatalf("row %d: %d pairs", i, n)
		}
		joined = append(joined, e.raw()...)
	}
	if i != len(rows) || !bytes.Equal(joined, chunk) {
		t.Fatalf("%d events of %d bytes, want %d of %d", i, len(joined), len(rows), len(chunk))
	}
}

func TestNoAllocation(t *testing.T) {
	x := mustCompile(t, Spec{
		Fields: [][]string{{"id.orig_h"}, {"id.resp_h"}, {"id.orig_p"}, {"n"}},
		Time:   []string{"ts"}, Drop: []string{"score"},
	})
	var chunk []byte
	for _, o := range sessions(t)[:50] {
		chunk = append(chunk, logEvent(append(o, "score", 1, "n", 1.25))...)
	}
	chunk = append(chunk, logEvent(object{"ts", "2018-03-24T17:16:39.739898Z", "n", 7})...)
	added := appendAny(appendAny(nil, "score"), 0.25)
	w, out := x.NewWalker(), make([]byte, 0, 2*len(chunk))
	n := testing.AllocsPerRun(10, func() {
		out = out[:0]
		for w.Reset(chunk); w.Next(); {
			out = append(w.AppendSpliced(out, w.Event().Extent, 1), added...)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations a chunk", n)
	}
}

package record

import (
	"bytes"
	"testing"
)

// Whatever the bytes: the events joined are the chunk, and a record that was understood is still one after splicing,
// with its other fields as they were. What the walker knows of earlier bodies changes nothing.
func FuzzWalk(f *testing.F) {
	rows := sessions(f)
	f.Add(logEvent(rows[0]))
	f.Add(append(logEvent(rows[1]), logEvent(rows[2][:8])...))
	f.Add(logEvent(object{"id", object{"orig_h", "a", "resp_h", 1.5}, "score", 1, "ts", "2018-03-24T17:16:39.739898Z", "score", nil}))
	f.Add(appendAny(nil, []any{7, object{[]byte("client"), true, 7, extTime(1, 2), "ts", extTime(1, 2)}}))
	f.Add(appendAny(nil, []any{[]any{extTime(0xffffffff, 0), object{}}, object{}}))
	f.Add([]byte("\xdd\xff\xff\xff\xff\xc1"))
	f.Add([]byte("\x92\xcb\x41\xd3\xd8\xd0\x54\xf5\xc2\x8f\xdf\x00\x00\x00\x01\xda\x00\x02ts\xc5\x00\x01x"))
	x, err := Compile(zeek)
	if err != nil {
		f.Fatal(err)
	}
	added := appendAny(appendAny(appendAny(appendAny(nil, "score"), 0.5), "low_score"), true)
	f.Fuzz(func(t *testing.T, chunk []byte) {
		w := x.NewWalker()
		w.Reset(bytes.Clone(chunk))
		var joined []byte
		for w.Next() {
			e := event{w.Event(), w}
			if len(e.raw()) == 0 {
				t.Fatal("event without bytes")
			}
			joined = append(joined, e.raw()...)
			out := e.spliced(nil, 2, added)
			if e.Kind != Log {
				if !bytes.Equal(out, e.raw()) {
					t.Fatalf("kind %d changed from %x to %x", e.Kind, e.raw(), out)
				}
				continue
			}
			if e.Time < 0 {
				t.Fatalf("time %d", e.Time)
			}
			if inner, ok := w.AppendInner(nil, e.Extent, "id"); ok {
				again := x.NewWalker()
				again.Reset(inner)
				if !again.Next() || len(again.Raw(again.Event().Extent)) != len(inner) {
					t.Fatalf("the map of a key makes no event: %x", inner)
				}
			}
			checkSpliced(t, e.raw(), out, zeek.Drop, added)
			again := x.NewWalker()
			again.Reset(out)
			if !again.Next() || again.Event().Kind != Log || len(again.Raw(again.Event().Extent)) != len(out) {
				t.Fatalf("spliced to what is no record: %x", out)
			}
		}
		if !bytes.Equal(joined, chunk) {
			t.Fatalf("events join to %x, want %x", joined, chunk)
		}
		checkLayouts(t, x, w, chunk)
	})
}

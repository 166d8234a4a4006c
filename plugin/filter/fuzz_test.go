package filter

import (
	"bytes"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/record"
)

// FuzzProcess wants as many events out as in, in their order: each as it was, or with the added fields, which stand in it once.
func FuzzProcess(f *testing.F) {
	inst := offline(f, host("explain", "on"))
	inst.Process(nil, join(sessions(2000)))
	train(f, inst)
	real := notebook(f)
	f.Add(join(real[:3]))
	f.Add(append(join(real[3:5]), real[5][:40]...))
	f.Add(join(sessions(3)))
	f.Add(appendEvent(nil, "score", 1, "id.orig_h", "a", "id.resp_h", "b", "low_score", map[string]any{"score": 1}))
	f.Fuzz(func(t *testing.T, chunk []byte) {
		given := bytes.Clone(chunk)
		before := inst.Status().Records
		out, modified := inst.Process(nil, chunk)
		after := inst.Status().Records
		if !bytes.Equal(given, chunk) {
			t.Fatal("the chunk itself was changed")
		}
		scored := after.Counted - before.Counted
		if modified != (scored > 0) {
			t.Fatalf("modified %v with %d records scored", modified, scored)
		}
		if !modified {
			if len(out) > 0 {
				t.Fatalf("not modified, yet %d bytes", len(out))
			}
			return
		}
		in, got := inst.path.extractor.NewWalker(), inst.path.extractor.NewWalker()
		in.Reset(chunk)
		got.Reset(out)
		changed := uint64(0)
		for in.Next() {
			if !got.Next() {
				t.Fatal("an event is lost")
			}
			e, g := in.Event(), got.Event()
			before, after := in.Raw(e.Extent), got.Raw(g.Extent)
			if e.Kind != g.Kind {
				t.Fatalf("kind %d became %d", e.Kind, g.Kind)
			}
			if bytes.Equal(before, after) {
				continue
			}
			changed++
			if e.Kind != record.Log {
				t.Fatalf("no record, yet changed from %x to %x", before, after)
			}
			if !enriched(inst, in, e.Extent, after) {
				t.Fatalf("%x is not %x with fields added", after, before)
			}
		}
		if got.Next() {
			t.Fatalf("an event came from nowhere: %x", got.Raw(got.Event().Extent))
		}
		if changed > scored || changed+1 < scored { // one may have held these very fields
			t.Fatalf("%d records scored, %d changed", scored, changed)
		}
	})
}

// enriched reports whether the bytes are an event with the added fields: four of them, and where the score is low or the
// source reported the evidence.
func enriched(f *Instance, in *record.Walker, e record.Extent, after []byte) bool {
	for n := 4; n <= 7+evidence.Count; n++ {
		bare := in.AppendSpliced(nil, e, n) // room for them, and nothing in it yet
		if added, ok := bytes.CutPrefix(after, bare); ok && fields(f, added) == n {
			return true
		}
	}
	return false
}

// fields is how many of the added fields the bytes are, in their order and nothing else; 0 where they are anything else.
func fields(f *Instance, b []byte) (n int) {
	take := func(key []byte) (value []byte, ok bool) {
		value, ok = bytes.CutPrefix(b, key)
		if !ok {
			return nil, false
		}
		rest, err := msgp.Skip(value)
		if err != nil {
			return nil, false
		}
		value = value[:len(value)-len(rest)]
		b, n = rest, n+1
		return value, true
	}
	low := false
	for i, key := range [][]byte{f.path.keys.score, f.path.keys.lowScore, f.path.keys.reason, f.path.keys.trained} {
		value, ok := take(key)
		if !ok {
			return 0
		}
		if low = low || bytes.Equal(value, msgp.AppendBool(nil, true)); i == 1 {
			_, reported := take(f.path.keys.sourceAlert)
			low = low || reported
		}
	}
	for _, key := range append([][]byte{f.path.keys.sourceRisk, f.path.keys.sourceTriplets}, f.path.keys.evidence[:]...) {
		if _, ok := take(key); ok && !low {
			return 0
		}
	}
	if len(b) > 0 {
		return 0
	}
	return n
}

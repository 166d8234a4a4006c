package record

import (
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// A record with ever the same key to drop, and one with numbers without end, leave no memory behind.
func TestOddRecordsAreNotRemembered(t *testing.T) {
	x := mustCompile(t, Spec{Fields: [][]string{{"a"}}, Drop: []string{"score"}})
	w := x.NewWalker()
	const pairs = 100_000
	chunk := msgp.AppendMapHeader([]byte("\x92\x07"), pairs)
	for range pairs {
		chunk = msgp.AppendNil(msgp.AppendString(chunk, "score"))
	}
	w.Reset(chunk)
	if !w.Next() || w.Event().Kind != Log || len(w.drops) != pairs {
		t.Fatalf("%d pairs to drop of %d", len(w.drops), pairs)
	}
	spliced := w.AppendSpliced(nil, w.Event().Extent, 0)
	w.Release()
	if len(spliced) > 10 || cap(w.drops) > maxDrops {
		t.Errorf("%d bytes left of the record, room for %d drops", len(spliced), cap(w.drops))
	}
	var numbers []byte
	for range 50_000 {
		numbers = append(numbers, logEvent(object{"a", 123456.789})...)
	}
	w.Reset(numbers)
	for w.Next() {
	}
	if len(w.text) != 50_000*len("123456.789") {
		t.Fatalf("%d bytes of text", len(w.text))
	}
	w.Release()
	if cap(w.text) > maxText {
		t.Errorf("room for %d bytes of text", cap(w.text))
	}
}

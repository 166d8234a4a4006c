package record

import (
	"reflect"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// An event that is made is one that the walker reads, with its time, and its body comes back; what is cut short has none.
func TestAppendHeadAndBody(t *testing.T) {
	x, err := Compile(Spec{Fields: [][]string{{"k"}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 7)
	body := map[string]any{"k": "v", "list": []any{"a", true}}
	event, err := msgp.AppendIntf(AppendHead(nil, at), body)
	if err != nil {
		t.Fatal(err)
	}
	w := x.NewWalker()
	w.Reset(event)
	if !w.Next() || w.Event().Kind != Log || w.Event().Time != at.UnixNano() || string(w.Event().Values[0]) != "v" {
		t.Errorf("%+v", w.Event())
	}
	if got, err := Body(event); err != nil || !reflect.DeepEqual(got, body) {
		t.Errorf("%v, %v", got, err)
	}
	for n := range event {
		if got, err := Body(event[:n]); err == nil {
			t.Fatalf("of %d bytes: %v", n, got)
		}
	}
}

// What lies beside a record comes back, whole or not at all; a header of a time alone has nothing.
func TestMetadata(t *testing.T) {
	want := map[string]any{"otlp": map[string]any{"a": "b"}}
	event := append([]byte{0x92, 0x92}, msgp.AppendInt64(nil, 7)...)
	event, err := msgp.AppendIntf(event, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Metadata(append(event[:len(event):len(event)], 0x80)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for n := range event {
		if got, err := Metadata(event[:n]); err == nil && len(got) > 0 {
			t.Fatalf("of %d bytes: %v", n, got)
		}
	}
	if got, err := Metadata([]byte{0x92, 7, 0x80}); got != nil || err != nil {
		t.Errorf("of a time alone: %v, %v", got, err)
	}
}

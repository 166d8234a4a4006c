package record

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/fluent/fluent-bit-go/output"
)

// fluent-bit-go's decoder, which output plugins use, sees the spliced chunk as the one before, but for the added and
// the dropped keys.
func TestHostDecoder(t *testing.T) {
	added := appendAny(appendAny(appendAny(appendAny(nil, "score"), 0.25), "low_score"), true)
	var in, out []byte
	rows := sessions(t)
	for i, o := range rows {
		o = append(o, "id", object{"orig_h", "deep"}, "n", i, "extra", []any{1, "two", nil})
		if i%3 == 0 {
			o = append(o, "score", "old")
		}
		in = append(in, logEvent(o)...)
	}
	w := mustCompile(t, zeek).NewWalker()
	for w.Reset(in); w.Next(); {
		out = append(w.AppendSpliced(out, w.Event().Extent, 2), added...)
	}
	before := output.NewDecoder(unsafe.Pointer(&in[0]), len(in))
	after := output.NewDecoder(unsafe.Pointer(&out[0]), len(out))
	for i := range rows {
		code, stamp, want := output.GetRecord(before)
		code2, stamp2, got := output.GetRecord(after)
		if code != 0 || code2 != 0 || fmt.Sprint(stamp) != fmt.Sprint(stamp2) {
			t.Fatalf("record %d: codes %d, %d, times %v, %v", i, code, code2, stamp, stamp2)
		}
		// The decoder makes keys strings on some paths, bytes on others; as text they compare.
		wantText, gotText := textKeys(want), textKeys(got)
		wantText["score"], wantText["low_score"] = "0.25", "true"
		if fmt.Sprint(gotText) != fmt.Sprint(wantText) {
			t.Fatalf("record %d: %v, want %v", i, gotText, wantText)
		}
	}
	if code, _, _ := output.GetRecord(after); code != -1 {
		t.Fatalf("code %d after the last record, want -1", code)
	}
}

func textKeys(m map[any]any) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		out[fmt.Sprintf("%s", k)] = fmt.Sprint(v)
	}
	return out
}

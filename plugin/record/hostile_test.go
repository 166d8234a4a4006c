package record

import (
	"slices"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// A chunk cut at any byte yields the whole events before the cut, and the rest as one malformed event.
func TestCutAnywhere(t *testing.T) {
	var chunk []byte
	ends := []int{0}
	for i, o := range sessions(t)[:4] {
		chunk = append(chunk, logEvent(append(o, "score", i, "id", object{"orig_h", "deep"}))...)
		ends = append(ends, len(chunk))
	}
	w := mustCompile(t, zeek).NewWalker()
	for cut := range len(chunk) + 1 {
		w.Reset(chunk[:cut:cut])
		whole := 0
		for ends[whole+1] <= cut && whole+1 < len(ends)-1 {
			whole++
		}
		if ends[whole+1] <= cut {
			whole++
		}
		var kinds []Kind
		got := 0
		for w.Next() {
			kinds = append(kinds, w.Event().Kind)
			got += len(w.Raw(w.Event().Extent))
		}
		want := make([]Kind, whole)
		if ends[whole] < cut {
			want = append(want, Malformed)
		}
		if !slices.Equal(kinds, want) || got != cut {
			t.Fatalf("cut at %d: kinds %v of %d bytes, want %v", cut, kinds, got, want)
		}
	}
}

// What is meant to exhaust the stack, the memory or the time passes as malformed events instead.
func TestHostile(t *testing.T) {
	good := logEvent(object{"client", "c"})
	nest := func(lead string, n int, end string) string { return strings.Repeat(lead, n) + end }
	for name, c := range map[string]struct {
		bytes string
		kinds []Kind // after one good event
	}{
		"array32 of 4 billion":   {"\xdd\xff\xff\xff\xff", []Kind{Malformed}},
		"map32 of 4 billion":     {"\xdf\xff\xff\xff\xff\x01\x01", []Kind{Malformed}},
		"body of 4 billion":      {"\x92\x07\xdf\xff\xff\xff\xff\xa1x\x01", []Kind{Malformed}},
		"text of 4 GB":           {"\x92\x07\x81\xa1x\xdb\xff\xff\xff\xff", []Kind{Malformed}},
		"bin of 4 GB":            {"\x92\x07\x81\xc6\xff\xff\xff\xff", []Kind{Malformed}},
		"ext of 4 GB":            {"\x92\xc9\xff\xff\xff\xff\x00", []Kind{Malformed}},
		"unused byte":            {"\xc1" + string(good), []Kind{Malformed}},
		"unused byte inside":     {"\x92\x07\x81\xa1x\xc1" + string(good), []Kind{Malformed}},
		"open arrays":            {nest("\x91", 5_000_000, ""), []Kind{Malformed}},
		"nested arrays":          {nest("\x91", 5_000_000, "\xc0"), []Kind{Malformed}},
		"nested maps in a body":  {"\x92\x07\x81\xa1x" + nest("\x81\xa0", 2_000_000, "\xc0"), []Kind{Log}},
		"nested in the metadata": {"\x92\x92\x07\x81\xa1x" + nest("\x91", 2_000_000, "\xc0") + "\x80", []Kind{Log}},
		"counts that add up":     {nest("\xdd\xff\xff\xff\xff", 100_000, ""), []Kind{Malformed}},
	} {
		t.Run(name, func(t *testing.T) {
			w := mustCompile(t, zeek).NewWalker()
			w.Reset(append(slices.Clone(good), c.bytes...))
			var kinds []Kind
			for w.Next() {
				kinds = append(kinds, w.Event().Kind)
			}
			if want := append([]Kind{Log}, c.kinds...); !slices.Equal(kinds, want) {
				t.Fatalf("kinds %v, want %v", kinds, want)
			}
		})
	}
}

// skip agrees with msgp.Skip on each lead byte and each way of cutting what follows.
func TestSkipLikeMsgp(t *testing.T) {
	for lead := range 256 {
		for n := range 40 {
			b := make([]byte, n+1)
			b[0] = byte(lead)
			if n > 3 {
				b[2], b[3] = 1, byte(n) // lengths that are not all zero
			}
			rest, err := msgp.Skip(b)
			want := len(b) - len(rest)
			if err != nil {
				want = -1
			}
			if got := skip(b, 0); got != want {
				t.Fatalf("%x: skipped to %d, want %d", b, got, want)
			}
		}
	}
}

package record

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// checkLayouts walks a chunk with a walker that may have layouts and has each event found again by one that has none.
func checkLayouts(t *testing.T, x *Extractor, w *Walker, chunk []byte) {
	t.Helper()
	at := 0
	for w.Reset(chunk); w.Next(); {
		fresh := x.NewWalker()
		fresh.Reset(chunk[at:])
		fresh.Next()
		got, want := w.Event(), fresh.Event()
		raw := w.Raw(got.Extent)
		drops, wantDrops := w.drops[got.drops.from:got.drops.to], fresh.drops[want.drops.from:want.drops.to]
		if !reflect.DeepEqual(got.Values, want.Values) || !bytes.Equal(raw, fresh.Raw(want.Extent)) || !slices.Equal(drops, wantDrops) ||
			got.Kind != want.Kind || got.Time != want.Time || got.body != want.body || got.first != want.first || got.pairs != want.pairs {
			t.Fatalf("event at %d of %x\n%+v, without layouts\n%+v", at, chunk, got, want)
		}
		at += len(raw)
	}
}

// What a walker knows of earlier bodies changes nothing that it finds: bodies of a few shapes that take turns, with a
// key now and then that is left out, new, doubled, longer, of another type, and values of every kind; whole, and cut
// anywhere.
func TestLayoutsChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	keys := []any{"ts", "id.orig_h", "id.resp_h", "client", "score", "low_score", "id", "id_orig_h", "a", "status", "client_", "clien",
		"exactly_15_long", "a_key_16_long___", strings.Repeat("long", 10), 7, nil, []byte("client"), raw("\xd9\x06client"), raw("\xda\x00\x02ts"), ""}
	values := []any{"10.0.0.1", "", 1700000000.25, "1700000000.25", "2018-03-24T17:16:39Z", nil, true, -3, uint64(1) << 60, float32(1.5),
		[]byte("bin"), strings.Repeat("x", 31), strings.Repeat("y", 32), strings.Repeat("z", 255), strings.Repeat("w", 300), raw("\xd9\x01v"),
		object{}, object{"orig_h", "deep", "resp_h", 5}, []any{}, []any{1, "two"}, extTime(1600000000, 7)}
	pick := func(from []any) any { return from[r.IntN(len(from))] }
	shapes := make([]object, 6)
	for i := range shapes {
		for range 1 + r.IntN(40) {
			shapes[i] = append(shapes[i], pick(keys), nil)
		}
	}
	x := mustCompile(t, Spec{
		Fields: [][]string{{"id.orig_h", "id_orig_h"}, {"id.resp_h"}, {"client", "status"}, {"exactly_15_long", "a_key_16_long___"}},
		Time:   []string{"ts"}, Drop: []string{"score", "low_score"},
	})
	w := x.NewWalker()
	followed := 0
	for round := range 300 {
		var chunk []byte
		for range 20 {
			o := slices.Clone(shapes[min(r.IntN(40), round%len(shapes))])
			for i := 0; i < len(o); i += 2 {
				if r.IntN(30) == 0 {
					o[i] = pick(keys)
				}
				o[i+1] = pick(values)
			}
			if r.IntN(10) == 0 {
				o = o[2:]
			}
			chunk = append(chunk, logEvent(o)...)
		}
		checkLayouts(t, x, w, chunk)
		checkLayouts(t, x, w, chunk[:r.IntN(len(chunk))])
	}
	for i := range w.layouts {
		for _, p := range w.layouts[i].positions {
			followed += p.length
		}
	}
	if followed == 0 {
		t.Error("no layout was learned")
	}
}

// follow stops where it cannot tell, and goes on behind.
func TestFollow(t *testing.T) {
	x := mustCompile(t, zeek)
	body := object{"ts", 1.5, "id.orig_h", "a", strings.Repeat("long", 5), "b", "id.resp_h", "c", "client", strings.Repeat("d", 40), "more", object{"in", 1}, "n", 1, "last", true}
	w := x.NewWalker()
	w.Reset(slices.Repeat(logEvent(body), 2))
	for w.Next() {
	}
	h := w.layouts.of(uint64(len(body) / 2))
	b := append(appendAny(nil, body)[1:], make([]byte, maxKey)...)
	found := make([]int, x.total)
	n, i := h.follow(b, 0, found, 0, 8)
	if n != 2 || !bytes.HasPrefix(b[i:], appendAny(nil, body[4])) {
		t.Errorf("%d pairs, up to %q: want 2, up to the long key", n, b[i:])
	}
	i = skip(b, skip(b, i))
	n, i = h.follow(b, i, found, 3, 5)
	if n != 2 || !bytes.HasPrefix(b[i:], appendAny(nil, "more")) {
		t.Errorf("%d pairs, up to %q: want 2, up to the map", n, b[i:])
	}
	var got []string
	for _, at := range found {
		if at > 0 {
			got = append(got, fmt.Sprintf("%q", b[at:at+2]))
		}
	}
	if want := []string{`"\xa1a"`, `"\xa1c"`, `"\xd9("`, `"\xcb?"`}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// A body whose last key or value is cut off is malformed, whether its layout is known or not.
func TestLayoutsOfWhatIsCut(t *testing.T) {
	x := mustCompile(t, Spec{Fields: [][]string{{"exactly_15_long"}}})
	w := x.NewWalker()
	chunk := slices.Repeat(logEvent(object{"client", "c", "exactly_15_long", strings.Repeat("v", 100)}), 2)
	checkLayouts(t, x, w, chunk)
	for cut := range len(chunk) {
		checkLayouts(t, x, w, chunk[:cut:cut])
	}
}

package record

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

var zeek = Spec{
	Fields: [][]string{{"id.orig_h", "id_orig_h"}, {"id.resp_h", "id_resp_h"}, {"client"}},
	Time:   []string{"ts"},
	Drop:   []string{"score", "low_score"},
}

func mustCompile(t testing.TB, s Spec) *Extractor {
	t.Helper()
	x, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// event is one event and the walker that reached it.
type event struct {
	*Event
	w *Walker
}

func (e event) raw() []byte { return e.w.Raw(e.Extent) }

func (e event) spliced(dst []byte, n int, pairs []byte) []byte {
	dst = e.w.AppendSpliced(dst, e.Extent, n)
	if e.Kind != Log {
		return dst
	}
	return append(dst, pairs...)
}

// one walks a chunk of a single event.
func one(t *testing.T, s Spec, chunk []byte) event {
	t.Helper()
	w := mustCompile(t, s).NewWalker()
	w.Reset(chunk)
	if !w.Next() {
		t.Fatal("no event")
	}
	e := event{w.Event(), w}
	if !bytes.Equal(e.raw(), chunk) {
		t.Fatalf("raw %x, want the whole chunk %x", e.raw(), chunk)
	}
	if last := *e.Event; w.Next() {
		t.Fatalf("an event after the only one, %+v", last)
	}
	return e
}

func TestLayouts(t *testing.T) {
	body := object{"client", "c"}
	const second = int64(1e9)
	for name, c := range map[string]struct {
		event []any
		kind  Kind
		time  int64
	}{
		"now":                    {[]any{[]any{extTime(7, 9), object{}}, body}, Log, 7*second + 9},
		"now, metadata":          {[]any{[]any{extTime(7, 9), object{"a", object{"b", 1}}}, body}, Log, 7*second + 9},
		"no metadata, map16":     {[]any{[]any{extTime(7, 9), raw("\xde\x00\x00")}, body}, Log, 7*second + 9},
		"no metadata, map32":     {[]any{[]any{extTime(7, 9), raw("\xdf\x00\x00\x00\x00")}, body}, Log, 7*second + 9},
		"metadata, map32":        {[]any{[]any{extTime(7, 9), raw("\xdf\x00\x00\x00\x01\xa1a\x01")}, body}, Log, 7*second + 9},
		"opens, map32":           {[]any{[]any{extTime(0xffffffff, 0), raw("\xdf\x00\x00\x00\x00")}, body}, Marker, 0},
		"nanoseconds, map32":     {[]any{[]any{extTime(7, 1e9), raw("\xdf\x00\x00\x00\x00")}, body}, Malformed, 0},
		"before 2.1":             {[]any{extTime(7, 9), body}, Log, 7*second + 9},
		"integer":                {[]any{7, body}, Log, 7 * second},
		"wide integer":           {[]any{raw("\xcf\x00\x00\x00\x00\x00\x00\x00\x07"), body}, Log, 7 * second},
		"float":                  {[]any{[]any{7.25, object{}}, body}, Log, 7*second + second/4},
		"ext8":                   {[]any{raw("\xc7\x08\x00\x00\x00\x00\x07\x00\x00\x00\x09"), body}, Log, 7*second + 9},
		"wide arrays":            {[]any{raw("\xdc\x00\x02" + string(extTime(7, 9)) + "\xdf\x00\x00\x00\x00"), body}, Log, 7*second + 9},
		"after 2038":             {[]any{[]any{extTime(0xfffffffd, 0), object{}}, body}, Log, 0xfffffffd * second},
		"group opens":            {[]any{[]any{extTime(0xffffffff, 0), object{}}, body}, Marker, 0},
		"group closes":           {[]any{[]any{extTime(0xfffffffe, 0), object{}}, object{}}, Marker, 0},
		"old marker":             {[]any{extTime(0xffffffff, 0), body}, Marker, 0},
		"array of one":           {[]any{body}, Malformed, 0},
		"array of three":         {[]any{7, body, body}, Malformed, 0},
		"body is text":           {[]any{7, "body"}, Malformed, 0},
		"header of one":          {[]any{[]any{7}, body}, Malformed, 0},
		"header of three":        {[]any{[]any{7, object{}, object{}}, body}, Malformed, 0},
		"metadata is an array":   {[]any{[]any{7, []any{}}, body}, Malformed, 0},
		"time is text":           {[]any{"7", body}, Malformed, 0},
		"time is negative":       {[]any{-7, body}, Malformed, 0},
		"time is no number":      {[]any{raw("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), body}, Malformed, 0},
		"time is beyond 2262":    {[]any{uint64(1) << 40, body}, Malformed, 0},
		"time of another ext":    {[]any{raw("\xd7\x01\x00\x00\x00\x07\x00\x00\x00\x09"), body}, Malformed, 0},
		"too many nanoseconds":   {[]any{extTime(7, 1e9), body}, Malformed, 0},
		"time is an array":       {[]any{[]any{[]any{}, object{}}, body}, Malformed, 0},
		"time of a short ext":    {[]any{raw("\xd6\x00\x00\x00\x00\x07"), body}, Malformed, 0},
		"metadata, but no array": {[]any{object{}, body}, Malformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := one(t, zeek, appendAny(nil, c.event))
			if e.Kind != c.kind || e.Time != c.time {
				t.Fatalf("kind %d, time %d, want %d, %d", e.Kind, e.Time, c.kind, c.time)
			}
			if got := string(e.Values[2]); (got == "c") != (c.kind == Log) {
				t.Fatalf("client %q", got)
			}
			added := appendAny(appendAny(nil, "score"), 1)
			out := e.spliced(nil, 1, added)
			if bytes.Equal(out, e.raw()) != (c.kind != Log) {
				t.Fatalf("spliced to %x", out)
			}
			if c.kind != Log {
				return
			}
			if !bytes.HasPrefix(out, e.raw()[:e.body]) || !bytes.HasSuffix(out, append(e.raw()[e.first:], added...)) {
				t.Fatalf("spliced to %x", out)
			}
		})
	}
	for name, chunk := range map[string][]byte{"nil": {0xc0}, "number": {7}, "map": {0x81, 1, 2}, "empty array": {0x90}} {
		if e := one(t, zeek, chunk); e.Kind != Malformed {
			t.Errorf("%s: kind %d, want malformed", name, e.Kind)
		}
	}
}

func TestFields(t *testing.T) {
	flat := func(v any) object { return object{"id.orig_h", v} }
	deep := func(v any) object { return object{"id", object{"orig_h", v}} }
	const missing = "(missing)"
	for name, c := range map[string]struct {
		paths string // separated by spaces
		body  object
		want  string
	}{
		"flat":                        {"id.orig_h", flat("a"), "a"},
		"nested":                      {"id.orig_h", deep("a"), "a"},
		"flat wins, first":            {"id.orig_h", append(flat("a"), deep("b")...), "a"},
		"flat wins, last":             {"id.orig_h", append(deep("b"), flat("a")...), "a"},
		"flat is nil":                 {"id.orig_h", append(flat(nil), deep("b")...), "b"},
		"accessor, nested":            {"$id['orig_h']", append(flat("a"), deep("b")...), "b"},
		"accessor, double quotes":     {`$id["orig_h"]`, deep("b"), "b"},
		"accessor, flat":              {"$id['orig_h']", flat("a"), missing},
		"accessor, key alone":         {"$id.orig_h", append(flat("a"), deep("b")...), "a"},
		"accessor, dots inside":       {"$k['app.io/name']", object{"k", object{"app.io/name", "x"}}, "x"},
		"deeper":                      {"$a['b']['c']", object{"a", object{"x", 1, "b", object{"c", "v"}}}, "v"},
		"three parts, flat":           {"a.b.c", object{"a.b.c", "v"}, "v"},
		"three parts, nested":         {"a.b.c", object{"a", object{"b", object{"c", "v"}}}, "v"},
		"one key":                     {"client", object{"server", "s", "client", "c"}, "c"},
		"same length, other key":      {"client", object{"server", "s"}, missing},
		"preference":                  {"x y", object{"y", "2", "x", "1"}, "1"},
		"alternative":                 {"x y", object{"y", "2"}, "2"},
		"alternative to an array":     {"x y", object{"x", []any{nil, object{"a", 1}}, "y", "2"}, "2"},
		"alternative to the empty":    {"x y", object{"x", "", "y", "2"}, "2"},
		"empty is present":            {"x y", object{"x", ""}, ""},
		"nothing":                     {"x y", object{}, missing},
		"doubled, last wins":          {"x", object{"x", "1", "y", "2", "x", "3"}, "3"},
		"doubled, last is nil":        {"x y", object{"x", "1", "y", "2", "x", nil}, "2"},
		"doubled map, last lacks key": {"id.orig_h", append(deep("a"), "id", object{"z", 1}), missing},
		"doubled map, last is text":   {"id.orig_h", append(deep("a"), "id", "text"), missing},
		"path through text":           {"id.orig_h", object{"id", "text"}, missing},
		"map itself":                  {"id id.orig_h", deep("a"), "a"},
		"other keys":                  {"x", object{7, "a", nil, "b", []any{"x"}, "c", object{"x", "y"}, "d", true, 1, "x", "v"}, "v"},
		"bin key":                     {"x", object{[]byte("x"), "v"}, "v"},
		"str8 key":                    {"x", object{raw("\xd9\x01x"), "v"}, "v"},
		"str16 key":                   {"x", object{raw("\xda\x00\x01x"), "v"}, "v"},
		"str32 key":                   {"x", object{raw("\xdb\x00\x00\x00\x01x"), "v"}, "v"},
		"bin16 key":                   {"x", object{raw("\xc5\x00\x01x"), "v"}, "v"},
		"bin32 key":                   {"x", object{raw("\xc6\x00\x00\x00\x01x"), "v"}, "v"},
		"long key":                    {strings.Repeat("k", 300), object{strings.Repeat("j", 300), 1, strings.Repeat("k", 300), 2}, "2"},
		"long text":                   {"x", object{"x", strings.Repeat("v", 70000)}, strings.Repeat("v", 70000)},
		"bin":                         {"x", object{"x", []byte("v")}, "v"},
		"int":                         {"x", object{"x", 22}, "22"},
		"negative":                    {"x", object{"x", -70000}, "-70000"},
		"largest":                     {"x", object{"x", uint64(1<<64 - 1)}, "18446744073709551615"},
		"float":                       {"x", object{"x", 1.5}, "1.5"},
		"float32":                     {"x", object{"x", float32(0.1)}, "0.1"},
		"large float":                 {"x", object{"x", 1e20}, "100000000000000000000"},
		"larger float":                {"x", object{"x", 1e21}, "1e+21"},
		"bool":                        {"x", object{"x", false}, "false"},
		"nil":                         {"x", object{"x", nil}, missing},
		"array of one":                {"x", object{"x", []any{"v"}}, "v"},
		"array of several":            {"x", object{"x", []any{nil, object{"v", 1}, []any{"w"}, 7, "v"}}, "7"},
		"array of nothing":            {"x", object{"x", []any{}}, missing},
		"array below maps":            {"id.orig_h", object{"id", object{"orig_h", []any{"a", "b"}}}, "a"},
		"map":                         {"x", object{"x", object{"v", 1}}, missing},
		"ext":                         {"x", object{"x", extTime(1, 2)}, missing},
	} {
		t.Run(name, func(t *testing.T) {
			e := one(t, Spec{Fields: [][]string{strings.Fields(c.paths)}}, logEvent(c.body))
			got := missing
			if e.Values[0] != nil {
				got = string(e.Values[0])
			}
			if e.Kind != Log || got != c.want {
				t.Fatalf("kind %d, value %q, want %q", e.Kind, got, c.want)
			}
		})
	}
}

// What stands for no value gives way to an alternative, and counts where none has content.
func TestBlank(t *testing.T) {
	for name, c := range map[string]struct {
		body object
		want string
	}{
		"an alternative":      {object{"x", "-", "y", "2"}, "2"},
		"a later one":         {object{"x", "-", "y", "(empty)", "z", "3"}, "3"},
		"none has content":    {object{"x", "", "y", "-", "z", "(empty)"}, "-"},
		"alone":               {object{"y", "-"}, "-"},
		"of an array":         {object{"x", []any{"-", "1"}, "y", "2"}, "2"},
		"more than it":        {object{"x", "--", "y", "2"}, "--"},
		"a number, then none": {object{"x", 1, "y", "-"}, "1"},
	} {
		e := one(t, Spec{Fields: [][]string{{"x", "y", "z"}}, Blank: []string{"-", "(empty)"}}, logEvent(c.body))
		if got := string(e.Values[0]); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if e := one(t, Spec{Fields: [][]string{{"x", "y"}}}, logEvent(object{"x", "-", "y", "2"})); string(e.Values[0]) != "-" {
		t.Errorf("%q, want - where nothing stands for none", e.Values[0])
	}
}

// Values rendered as text share the walker's scratch: none may run into the next, nor survive into the next event.
func TestValuesSideBySide(t *testing.T) {
	w := mustCompile(t, Spec{Fields: [][]string{{"a"}, {"b"}, {"a"}, {"c"}}}).NewWalker()
	chunk := logEvent(object{"a", 1, "b", 22, "c", "text"})
	w.Reset(append(chunk, logEvent(object{"b", 4})...))
	want := [][][]byte{{[]byte("1"), []byte("22"), []byte("1"), []byte("text")}, {nil, []byte("4"), nil, nil}}
	for i := 0; w.Next(); i++ {
		if !reflect.DeepEqual(w.Event().Values, want[i]) {
			t.Errorf("event %d: %q, want %q", i, w.Event().Values, want[i])
		}
	}
	if v := w.Event().Values[1]; len(append(v, "over"...)) == 0 || cap(v) != len(v) {
		t.Errorf("value has room for %d bytes of its neighbour", cap(v)-len(v))
	}
}

func TestCompileErrors(t *testing.T) {
	deep := strings.Repeat("a.", maxDepth) + "a"
	for path, want := range map[string]string{
		"":                                       "empty part",
		".a":                                     "empty part",
		"a..b":                                   "empty part",
		"$":                                      "empty part",
		"$['a']":                                 "empty part",
		"$a['']":                                 "empty part",
		"$a['b'":                                 "has no end",
		"$a['b\"]":                               "has no end",
		"$a[0]":                                  "no quoted key",
		"$a['b']c":                               "no quoted key",
		"$a[":                                    "no quoted key",
		deep:                                     "17 parts",
		"$a" + strings.Repeat("['a']", maxDepth): "17 parts",
	} {
		for _, s := range []Spec{{Fields: [][]string{{"fine", path}}}, {Time: []string{path}}} {
			x, err := Compile(s)
			if err == nil || x != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
				t.Errorf("path %q: error %v, want one that names it and says %q", path, err, want)
			}
		}
	}
	if _, err := Compile(Spec{Fields: [][]string{{"a"}, {}}}); err == nil || !strings.Contains(err.Error(), "field 1") {
		t.Errorf("field without a path: %v", err)
	}
	if _, err := Compile(Spec{Drop: []string{""}}); err == nil {
		t.Error("empty key to drop: no error")
	}
}

// Fields may lie under one key.
func TestUnder(t *testing.T) {
	body := object{"zeek", object{"id.orig_h", "a"}, "id.orig_h", "outside", "k", object{"x.y", object{"id", object{"orig_h", "b"}}}}
	for under, want := range map[string]string{"zeek": "a", "$k['x.y']": "b", "k.none": "(missing)", "": "outside"} {
		paths, err := Under(under, []string{"id.orig_h"})
		if err != nil {
			t.Fatal(err)
		}
		e := one(t, Spec{Fields: [][]string{paths}}, logEvent(body))
		got := "(missing)"
		if e.Values[0] != nil {
			got = string(e.Values[0])
		}
		if got != want {
			t.Errorf("under %q, by %q: %q, want %q", under, paths, got, want)
		}
	}
	for _, bad := range []string{"$a[", "a..b", strings.Repeat("a.", 15) + "a"} {
		if paths, err := Under(bad, []string{"id.orig_h"}); err == nil {
			t.Errorf("under %q: %q", bad, paths)
		}
	}
}

// List finds a top-level key wherever it is, takes texts alone, and no more of them than asked for.
func TestList(t *testing.T) {
	x, err := Compile(Spec{})
	if err != nil {
		t.Fatal(err)
	}
	body := msgp.AppendMapHeader(nil, 4)
	body = msgp.AppendInt(msgp.AppendString(body, "first"), 1)
	body = msgp.AppendString(msgp.AppendString(body, "one"), "alone")
	body = msgp.AppendArrayHeader(msgp.AppendString(body, "list"), 4)
	body = msgp.AppendString(msgp.AppendInt(msgp.AppendString(body, "a"), 7), "b")
	body = msgp.AppendString(body, "c")
	body = msgp.AppendNil(msgp.AppendString(body, "none"))
	chunk := append(msgp.AppendInt(msgp.AppendArrayHeader(nil, 2), 1_600_000_000), body...)
	w := x.NewWalker()
	w.Reset(append(chunk, chunk...))
	for range 2 {
		if !w.Next() || w.Event().Kind != Log {
			t.Fatal("no record")
		}
		for _, c := range []struct {
			name string
			most int
			want string
		}{{"list", 3, "[a b c]"}, {"list", 2, "[a b]"}, {"one", 3, "[alone]"}, {"first", 3, "[]"}, {"none", 3, "[]"}, {"absent", 3, "[]"}, {"list", 0, "[]"}} {
			if got := fmt.Sprint(w.List(w.Event().Extent, c.name, c.most, nil)); got != c.want {
				t.Errorf("%d of %s: %s, want %s", c.most, c.name, got, c.want)
			}
		}
	}
}

// TestAppendInner: the map of a key takes the place of the body; what is no map, or not there, does not.
func TestAppendInner(t *testing.T) {
	x, err := Compile(Spec{Fields: [][]string{{"client"}}})
	if err != nil {
		t.Fatal(err)
	}
	w, in := x.NewWalker(), x.NewWalker()
	w.Reset(logEvent(object{"_score", 1.5, "client", "outer", "_source", object{"client", "inner", "ids", []any{1, object{}}}, "sort", []any{1}}))
	w.Next()
	e := w.Event()
	out, ok := w.AppendInner([]byte("x"), e.Extent, "_source")
	if !ok || out[0] != 'x' {
		t.Fatalf("%v, %x", ok, out)
	}
	in.Reset(out[1:])
	if !in.Next() || in.Event().Kind != Log || in.Event().Time != e.Time || string(in.Event().Values[0]) != "inner" || in.Next() {
		t.Errorf("%+v", in.Event())
	}
	for _, name := range []string{"sort", "client", "none", "ids"} {
		if out, ok := w.AppendInner(nil, e.Extent, name); ok || out != nil {
			t.Errorf("%s: %x", name, out)
		}
	}
}

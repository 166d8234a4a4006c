package triplet

import (
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/record"
)

func TestFind(t *testing.T) {
	finder := func(properties ...string) *Finder {
		t.Helper()
		cfg, err := config.Load(func(key string) (string, bool) {
			for i := 0; i < len(properties); i += 2 {
				if properties[i] == key {
					return properties[i+1], true
				}
			}
			return "", false
		})
		if err != nil {
			t.Fatal(err)
		}
		spec := record.Spec{Fields: [][]string{{"mine"}}}
		f, err := New(cfg.Fields, &spec)
		if err != nil {
			t.Fatal(err)
		}
		if len(spec.Fields) != f.Values()+1 || spec.Fields[f.Values()][0] != "mine" {
			t.Fatalf("fields %v, %d of them the finder's", spec.Fields, f.Values())
		}
		if _, err := record.Compile(spec); err != nil {
			t.Fatal(err)
		}
		return f
	}
	zeek := finder()
	two := finder("source", "user,host", "relation", "client,ok")
	ssh := finder("preset", "openssh")
	for _, c := range []struct {
		f      *Finder
		values string // with commas between; "nil" is a missing one
		want   string // "" for not ok
	}{
		{zeek, "a,b,c", "a c b"},
		{zeek, "a,b,nil", "a - b"},
		{zeek, "a,b,", "a - b"},
		{zeek, "nil,b,c", ""},
		{zeek, "a,nil,c", ""},
		{zeek, ",b,c", ""},
		{zeek, "-,b,c", ""},
		{two, "u,h,d,c,true", "u|h c|true d"},
		{two, "nil,h,d,nil,true", "-|h -|true d"},
		{two, "u,-,d,nil,nil", "u|- - d"},
		{two, "nil,nil,d,c,true", ""},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,web,sshd", "10.0.0.1 accepted password web"},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,nil,nil", "10.0.0.1 accepted password " + string(ssh.localhost)},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,web,cron", ""},
		{ssh, "nil,web,sshd", ""},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,-,-", "10.0.0.1 accepted password " + string(ssh.localhost)}, // RFC 5424's nil, as a parser leaves it
	} {
		var values [][]byte
		for _, v := range strings.Split(c.values, ",") {
			if v == "nil" {
				values = append(values, nil)
			} else {
				values = append(values, []byte(v))
			}
		}
		got := ""
		for len(values) < c.f.Values() { // a row of Zeek's log
			values = append(values, nil)
		}
		if s, verdict := c.f.Find(new(Buffer), nil, values); verdict == Found {
			got = string(s.Source) + " " + string(s.Relation) + " " + string(s.Destination)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.values, got, c.want)
		}
	}
}

// A parser that knows no types leaves what Zeek writes for no value. The names are those of Zeek's JSON, which leaves such
// fields out.
func TestNoValueGivesWayToAnAlternative(t *testing.T) {
	properties := map[string]string{"source": "id.orig_h else peer", "relation": "client else user else role"}
	cfg, err := config.Load(func(key string) (string, bool) { v, ok := properties[key]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	var spec record.Spec
	f, err := New(cfg.Fields, &spec)
	if err != nil {
		t.Fatal(err)
	}
	x, err := record.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ fields, want string }{
		{"peer=10.0.0.1 id.resp_h=10.0.0.2 user=root", "10.0.0.1 root 10.0.0.2"},
		{"id.orig_h=- peer=10.0.0.1 id.resp_h=10.0.0.2 client=- user=root", "10.0.0.1 root 10.0.0.2"},
		{"id.orig_h=- peer=10.0.0.1 id.resp_h=10.0.0.2 client=- user=(empty) role=ops", "10.0.0.1 ops 10.0.0.2"},
		{"id.orig_h=- peer=10.0.0.1 id.resp_h=10.0.0.2 client=- user=-", "10.0.0.1 - 10.0.0.2"},
		{"id.orig_h=- peer=- id.resp_h=10.0.0.2 client=x", "missing"},
	} {
		pairs := strings.Fields(c.fields)
		event := msgp.AppendMapHeader(record.AppendHead(nil, time.Unix(1, 0)), uint32(len(pairs)))
		for _, p := range pairs {
			key, value, _ := strings.Cut(p, "=")
			event = msgp.AppendString(msgp.AppendString(event, key), value)
		}
		w := x.NewWalker()
		w.Reset(event)
		w.Next()
		got := "missing"
		if s, verdict := f.Find(new(Buffer), nil, w.Event().Values); verdict == Found {
			got = string(s.Source) + " " + string(s.Relation) + " " + string(s.Destination)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.fields, got, c.want)
		}
	}
}

// A joined name takes no more room than the graph keeps of it, and is the same name to the graph.
func TestLongNamesAreJoinedAsTheGraphKeepsThem(t *testing.T) {
	x := strings.Repeat("x", graphbuf.MaxName)
	b := new(Buffer)
	for _, parts := range [][]string{
		{x[:100], x[:graphbuf.MaxName-101]}, {x[:100], x[:graphbuf.MaxName-100]}, {x, "y"}, {"y", x}, {x[:239], "y"}, {x[:238], x}, {x[:237], x},
		{strings.Repeat(x, 4096), "true"}, {"a", strings.Repeat(x, 4096), "b"}, {strings.Repeat(x, 4096), "false"}, {"u", "h"},
	} {
		g, err := graphbuf.New(graphbuf.Config{MaxNodes: 5, MaxRelations: 2, MaxEdges: 4})
		if err != nil {
			t.Fatal(err)
		}
		got := b.joined(&b.source, bytesOf(parts), &hostname.Form{})
		whole := []byte(strings.Join(parts, "|"))
		if len(whole) > graphbuf.MaxName {
			whole = got // shortened part by part, so that each stands in its place
		}
		refs := make([]graphbuf.Ref, 1)
		g.Observe([]graphbuf.Event{{Source: whole, Relation: []byte("r"), Destination: []byte("d"), Time: 1}}, refs)
		g.Look([]graphbuf.Event{{Source: got, Relation: []byte("r"), Destination: []byte("d"), Time: 1}}, refs)
		if refs[0].Counts.SRD != 1 || len(got) > graphbuf.MaxName || cap(b.source) > 2*graphbuf.MaxName {
			t.Errorf("%.20q of %d bytes, in a buffer of %d; seen %d times under the whole name", got, len(got), cap(b.source), refs[0].Counts.SRD)
		}
	}
}

func bytesOf(parts []string) (values [][]byte) {
	for _, p := range parts {
		values = append(values, []byte(p))
	}
	return values
}

// Whatever a part holds, and however long it is, the others stand in their places and are whole, and names that differ in
// it differ.
func TestAPartDoesNotHideAnother(t *testing.T) {
	x := strings.Repeat("x", 1000)
	b := new(Buffer)
	seen := map[string]bool{}
	for _, parts := range [][]string{
		{"a|b", "203.0.113.7"}, {"|", "203.0.113.7"}, {"a|203.0.113.8", "203.0.113.7"},
		{x, "203.0.113.7"}, {x + "y", "203.0.113.7"}, {x[:250], "203.0.113.7"}, {x[:249] + "|", "203.0.113.7"}, {x[:256], "203.0.113.7"}, {x[:244] + "y", "203.0.113.7"},
	} {
		got := string(b.joined(&b.source, bytesOf(parts), &hostname.Form{}))
		user, address, _ := strings.Cut(got, "|")
		if address != "203.0.113.7" || len(got) > graphbuf.MaxName || len(parts[0]) > graphbuf.MaxName && len(got) < graphbuf.MaxName || seen[got] ||
			user != strings.ReplaceAll(parts[0], "|", "!") && !strings.HasPrefix(user, x[:200]) {
			t.Errorf("%.30q makes %s", parts, got)
		}
		seen[got] = true
	}
	var many []string
	for i := range maxParts {
		many = append(many, x[:i*20]+"|")
	}
	for _, form := range []*hostname.Form{nil, {}} {
		got := string(b.joined(&b.source, bytesOf(many), form))
		if each := strings.Split(got, "|"); len(each) != maxParts || len(got) > graphbuf.MaxName || each[0] != "!" {
			t.Errorf("%s", got)
		}
	}
}

func TestJoiningAllocatesNothing(t *testing.T) {
	b := new(Buffer)
	values := [][]byte{[]byte(strings.Repeat("x", 1000)), []byte("true")}
	b.joined(&b.source, values, &hostname.Form{})
	if n := testing.AllocsPerRun(100, func() { b.joined(&b.source, values, &hostname.Form{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A name of one value that is too long is the one that the graph keeps, so that lists and pages know it.
func TestLongNames(t *testing.T) {
	cfg, err := config.Load(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(cfg.Fields, new(record.Spec))
	if err != nil {
		t.Fatal(err)
	}
	var long [3][]byte
	for i := range long {
		long[i] = []byte(strings.Repeat(string(rune('a'+i)), 300))
	}
	var b Buffer
	var streams Streams
	values := make([][]byte, f.Values())
	copy(values, long[:])
	s, verdict := f.Find(&b, of(f, &streams, ""), values)
	if verdict != Found {
		t.Fatal(verdict)
	}
	for i, got := range [][]byte{s.Source, s.Destination, s.Relation} {
		if want := graphbuf.AppendName(nil, long[i]); string(got) != string(want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

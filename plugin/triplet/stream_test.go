package triplet

import (
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
)

func newFinder(t testing.TB, properties map[string]string) *Finder {
	t.Helper()
	cfg, err := config.Load(func(key string) (string, bool) { v, ok := properties[key]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(cfg.Fields, new(record.Spec))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// find lets a line pass.
func find(f *Finder, b *Buffer, s *Stream, line string) (Session, Verdict) {
	values := make([][]byte, f.Values())
	values[f.line] = []byte(line)
	return f.Find(b, s, values)
}

// A condition holds for rows as for records.
func TestConditionsOnRows(t *testing.T) {
	f := newFinder(t, map[string]string{"only": "auth_success=T"})
	var s Stream
	b := new(Buffer)
	for line, want := range map[string]Verdict{
		"#fields\tid.orig_h\tid.resp_h\tauth_success": Skipped,
	} {
		if _, verdict := find(f, b, &s, line); verdict != want {
			t.Errorf("%q: %d", line, verdict)
		}
	}
	for line, want := range map[string]Verdict{"a\tb\tT": Found, "a\tb\tF": Skipped, "a\tb\t-": Skipped, "a\t-\tT": Missing, "a\tb": Missing, "": Missing} {
		if _, verdict := find(f, b, &s, line); verdict != want {
			t.Errorf("%q: %d, want %d", line, verdict, want)
		}
	}
}

// Rows have between their columns what the header says, also behind a restart and in a file whose header came before it.
func TestSeparators(t *testing.T) {
	f := newFinder(t, nil)
	var streams Streams
	b := new(Buffer)
	pass := func(streams *Streams, lines ...string) (s Session, v Verdict) {
		for _, line := range lines {
			s, v = find(f, b, f.Of(streams, []byte("tag")), line)
		}
		return s, v
	}
	wantSession := func(s Session, v Verdict, source, relation string) {
		t.Helper()
		if v != Found || string(s.Source) != source || string(s.Relation) != relation {
			t.Errorf("%d %q %q, want %q %q", v, s.Source, s.Relation, source, relation)
		}
	}
	saved := func() string {
		t.Helper()
		json, err := streams.Save()
		if err != nil {
			t.Fatal(err)
		}
		return string(json)
	}
	s, v := pass(&streams, `#separator \x7c`, "#fields|id.orig_h|id.resp_h|client", `a|b|x\x7cy`)
	wantSession(s, v, "a", "x|y")
	if _, v := pass(&streams, "a\tb\tc"); v != Missing {
		t.Errorf("a row with tabs: %d", v)
	}
	var again Streams
	if err := f.Restore(&again, []byte(saved())); err != nil {
		t.Fatal(err)
	}
	s, v = pass(&again, "c|d|ssh")
	wantSession(s, v, "c", "ssh")
	s, v = pass(&again, "#fields|id.resp_h|id.orig_h|client", "d|e|ssh")
	wantSession(s, v, "e", "ssh")
	s, v = pass(&streams, `#separator \x09`, "#separator ", "#fields\tid.orig_h\tid.resp_h\tclient", "a\tb\tc|d")
	wantSession(s, v, "a", "c|d")
	if got, want := saved(), `{"tag":["id.orig_h","id.resp_h","client"]}`; got != want { // as ever
		t.Errorf("saved %s, want %s", got, want)
	}
}

// A header that a version without types has saved serves on, and what one with types saves is no secret to it.
func TestSavedHeaders(t *testing.T) {
	f := newFinder(t, map[string]string{"relation": "client|auth_success|tags"})
	for saved, want := range map[string]string{
		// As saved before there were types; a boolean of Zeek's ssh.log is known without.
		`{"tag":["id.orig_h","id.resp_h","client","auth_success","tags"]}`:                              "a b x|true|s;t",
		`{"tag":{"Columns":["id.orig_h","id.resp_h","client","auth_success","tags"],"Separator":"\t"}}`: "a b x|true|s;t",
		`{"tag":{"Columns":["id.orig_h","id.resp_h","client","auth_success","tags"],"Separator":"\t",` +
			`"Types":["string","string","string","bool","set[string]"],"SetSeparator":";","Empty":"","Unset":"x"}}`: "a b -|true|s",
	} {
		var streams Streams
		if err := f.Restore(&streams, []byte(saved)); err != nil {
			t.Errorf("%s: %v", saved, err)
			continue
		}
		s, v := find(f, new(Buffer), f.Of(&streams, []byte("tag")), "a\tb\tx\tT\ts;t")
		if got := string(s.Source) + " " + string(s.Destination) + " " + string(s.Relation); v != Found || got != want {
			t.Errorf("%s: %d %s, want %s", saved, v, got, want)
		}
	}
	var streams Streams
	err := f.Restore(&streams, []byte(`{"tag":{"Columns":["a","b"],"Separator":"\t","Types":["bool"]}}`))
	if want := "1 types of 2 columns"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	for _, line := range []string{"#fields\tid.orig_h\tauth_success", "#types\taddr\tbool"} {
		find(f, new(Buffer), f.Of(&streams, []byte("tag")), line)
	}
	got, err := streams.Save()
	if want := `{"tag":{"Columns":["id.orig_h","auth_success"],"Separator":"\t","Types":["string","bool"],"SetSeparator":",","Empty":"(empty)","Unset":"-"}}`; string(got) != want || err != nil {
		t.Errorf("saved %s, want %s: %v", got, want, err)
	}
}

// A header that begins while rows of another file still come leaves these as they are, until its columns are known.
func TestRowsWithinAnothersHeader(t *testing.T) {
	f := newFinder(t, nil)
	b := new(Buffer)
	var s Stream
	for _, c := range []struct {
		line string
		want Verdict
	}{
		{"#fields\tid.orig_h\tid.resp_h", Skipped}, {"a\tb", Found}, {`#separator \x7c`, Skipped}, {"#unset_field|a", Skipped}, {"a\tb", Found}, {"a|b", Missing},
		{"#types|addr", Skipped}, {"a\tb", Found}, {"#fields|id.resp_h|id.orig_h", Skipped}, {"b|c", Found}, {"a|c", Missing}, {"a\tb", Missing},
	} {
		if _, verdict := find(f, b, &s, c.line); verdict != c.want {
			t.Errorf("%q: %d, want %d", c.line, verdict, c.want)
		}
	}
}

// Tags are made of file names, which are without end.
func TestStreamsAreBounded(t *testing.T) {
	f := newFinder(t, nil)
	var streams Streams
	for i := range 2 * mostStreams {
		f.Of(&streams, []byte(strings.Repeat("x", i%97)+string(rune('a'+i%26))+strings.Repeat("y", i/97)))
	}
	if n := len(streams.byTag); n > mostStreams {
		t.Errorf("%d streams", n)
	}
	if newFinder(t, map[string]string{"preset": "ecs"}).Of(&streams, []byte("x")) != nil {
		t.Error("a preset without rows remembers streams")
	}
}

// FuzzRow lets any header and any row pass: names come from the row, or are what its escapes stand for.
func FuzzRow(f *testing.F) {
	f.Add("#fields\tts\tid.orig_h\tid.resp_h\tclient", "1.5\ta\tb\tx\\x09y\\\\")
	f.Add("#fields\tid.orig_h\tid.orig_h\tid.resp_h", "a\tb\t::ffff:1.2.3.4\r\n")
	f.Add("#fields\t", "")
	f.Add("#unset_field\t?\n#fields\tid.orig_h\tid.resp_h\tclient\tts\n#types\tset[addr]\tcount\tdouble\tinterval", "?,::1\t007\t1e20\t1.5")
	f.Add("#fields\tid.resp_h\tid.orig_h\tts\tts", "\\x\t\\x4\t-\t(empty)")
	finder := newFinder(f, nil)
	f.Fuzz(func(t *testing.T, header, line string) {
		var s Stream
		b := new(Buffer)
		for line := range strings.Lines(header) {
			find(finder, b, &s, line)
		}
		session, verdict := find(finder, b, &s, line)
		if verdict != Found {
			return
		}
		if len(session.Source) == 0 || len(session.Destination) == 0 || len(session.Relation) == 0 || session.Time < 0 ||
			len(session.Source)+len(session.Destination)+len(session.Relation) > len(line)+128 { // a number may be written shorter than it is rendered
			t.Fatalf("%q of %q: %+v", line, header, session)
		}
	})
}

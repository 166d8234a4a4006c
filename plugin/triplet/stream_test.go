package triplet

import (
	"fmt"
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

// of is Of to pass on.
func of(f *Finder, s *Streams, tag string) *Rows {
	r := f.Of(s, []byte(tag))
	return &r
}

// find lets a line pass.
func find(f *Finder, b *Buffer, r *Rows, line string) (Session, Verdict) {
	values := make([][]byte, f.Values())
	values[f.line] = []byte(line)
	return f.Find(b, r, values)
}

// A condition holds for rows as for records.
func TestConditionsOnRows(t *testing.T) {
	f := newFinder(t, map[string]string{"only": "auth_success=T"})
	var streams Streams
	b := new(Buffer)
	for line, want := range map[string]Verdict{
		"#fields\tid.orig_h\tid.resp_h\tauth_success": Skipped,
	} {
		if _, verdict := find(f, b, of(f, &streams, ""), line); verdict != want {
			t.Errorf("%q: %d", line, verdict)
		}
	}
	for line, want := range map[string]Verdict{"a\tb\tT": Found, "a\tb\tF": Skipped, "a\tb\t-": Skipped, "a\t-\tT": Missing, "a\tb": Missing, "": Missing} {
		if _, verdict := find(f, b, of(f, &streams, ""), line); verdict != want {
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
			s, v = find(f, b, of(f, streams, "tag"), line)
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

// A tag may be made of a file's name, which need not be UTF-8: rows under it are read after a restart, too.
func TestTagsOfAnyBytesAreSaved(t *testing.T) {
	f := newFinder(t, nil)
	tags := []string{"ssh", "ssh.caf\xe9", "ssh.caf\xe8", "größe", "", "\x00odd", "\x00", "\xff\x00"}
	var streams, again Streams
	for i, tag := range tags {
		find(f, new(Buffer), of(f, &streams, tag), fmt.Sprintf("#fields\tid.orig_h\tid.resp_h\tclient\tx%d", i))
	}
	b, err := streams.Save()
	if err == nil {
		err = f.Restore(&again, b)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, tag := range tags {
		rows := of(f, &again, tag)
		if l := rows.layout(); l == nil || l.header.Columns[3].Name != fmt.Sprint("x", i) {
			t.Errorf("the columns of tag %q: %+v", tag, l)
		}
	}
	if len(again.byTag) != len(tags) {
		t.Errorf("%d tags, want %d", len(again.byTag), len(tags))
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
		s, v := find(f, new(Buffer), of(f, &streams, "tag"), "a\tb\tx\tT\ts;t")
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
		find(f, new(Buffer), of(f, &streams, "tag"), line)
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
	var streams Streams
	for _, c := range []struct {
		line string
		want Verdict
	}{
		{"#fields\tid.orig_h\tid.resp_h", Skipped}, {"a\tb", Found}, {`#separator \x7c`, Skipped}, {"#unset_field|a", Skipped}, {"a\tb", Found}, {"a|b", Missing},
		{"#types|addr", Skipped}, {"a\tb", Found}, {"#fields|id.resp_h|id.orig_h", Skipped}, {"b|c", Found}, {"a|c", Missing}, {"a\tb", Missing},
	} {
		if _, verdict := find(f, b, of(f, &streams, ""), c.line); verdict != c.want {
			t.Errorf("%q: %d, want %d", c.line, verdict, c.want)
		}
	}
}

// Tags are made of file names, which are without end: the one that was not used for longest is forgotten. Tags without a
// header take no place.
func TestStreamsAreBounded(t *testing.T) {
	f := newFinder(t, nil)
	var streams Streams
	pass := func(tag, line string) Verdict {
		_, v := find(f, new(Buffer), of(f, &streams, tag), line)
		return v
	}
	const header = "#fields\tid.orig_h\tid.resp_h"
	for i := range 3 * mostStreams {
		pass(fmt.Sprint("text", i), "a line of text")
		pass(fmt.Sprint("comment", i), "# a comment")
	}
	pass("first", header)
	for i := range 2 * mostStreams {
		tag := fmt.Sprint("tag", i)
		if pass(tag, header); pass(tag, "a\tb") != Found {
			t.Fatalf("the row under tag %d is not read", i)
		}
		if pass("first", "a\tb") != Found {
			t.Fatalf("the tag that is always used is forgotten after %d others", i+1)
		}
	}
	if n := len(streams.byTag); n != mostStreams {
		t.Errorf("%d streams, want %d", n, mostStreams)
	}
	if pass("tag0", "a\tb") != Missing {
		t.Error("the oldest is not forgotten")
	}
	ecs := newFinder(t, map[string]string{"preset": "ecs"}).Of(&streams, []byte("tag1999"))
	if ecs.layout() != nil {
		t.Error("a preset without rows remembers streams")
	}
}

// A line as long as a file is no header.
func TestLongHeaders(t *testing.T) {
	f := newFinder(t, nil)
	var streams Streams
	for _, line := range []string{"#fields\tid.orig_h\tid.resp_h" + strings.Repeat("\tx", longestHeader), "#fields\tid.orig_h\tid.resp_h" + strings.Repeat("\tx", 2000)} {
		rows := of(f, &streams, "")
		if _, v := find(f, new(Buffer), rows, line); v != Skipped {
			t.Errorf("a header of %d bytes: %d", len(line), v)
		}
		if again := of(f, &streams, ""); again.layout() != nil {
			t.Errorf("a header of %d bytes is read", len(line))
		}
	}
}

// Whoever saves knows when there is something new.
func TestFreshColumns(t *testing.T) {
	f := newFinder(t, nil)
	var streams, again Streams
	save := func() []byte {
		t.Helper()
		b, err := streams.Save()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	pass := func(line string, want bool) {
		t.Helper()
		find(f, new(Buffer), of(f, &streams, "tag"), line)
		if streams.Fresh() != want {
			t.Errorf("%q: fresh %v, want %v", line, streams.Fresh(), want)
		}
	}
	pass("a\tb", false)
	pass(`#separator \xff`, false)
	pass("#fields\xffid.orig_h\xffid.resp_h", true)
	b := save()
	pass("a\xffb", false)
	if err := f.Restore(&again, b); err != nil {
		t.Fatal(err)
	}
	if s, v := find(f, new(Buffer), of(f, &again, "tag"), "a\xffb"); v != Found || string(s.Destination) != "b" {
		t.Errorf("a separator that is no UTF-8, after a restart: %d %q", v, s.Destination)
	}
	if again.Fresh() {
		t.Error("what was restored is to be saved")
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
		var streams Streams
		b := new(Buffer)
		for line := range strings.Lines(header) {
			find(finder, b, of(finder, &streams, ""), line)
		}
		session, verdict := find(finder, b, of(finder, &streams, ""), line)
		if verdict != Found {
			return
		}
		if len(session.Source) == 0 || len(session.Destination) == 0 || len(session.Relation) == 0 || session.Time < 0 ||
			len(session.Source)+len(session.Destination)+len(session.Relation) > len(line)+128 { // a number may be written shorter than it is rendered
			t.Fatalf("%q of %q: %+v", line, header, session)
		}
	})
}

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
	f.Add("#fields\tid.resp_h\tid.orig_h\tts\tts", "\\x\t\\x4\t-\t(empty)")
	finder := newFinder(f, nil)
	f.Fuzz(func(t *testing.T, header, line string) {
		var s Stream
		b := new(Buffer)
		find(finder, b, &s, header)
		session, verdict := find(finder, b, &s, line)
		if verdict != Found {
			return
		}
		if len(session.Source) == 0 || len(session.Destination) == 0 || len(session.Relation) == 0 || session.Time < 0 ||
			len(session.Source)+len(session.Destination)+len(session.Relation) > len(line)+64 {
			t.Fatalf("%q of %q: %+v", line, header, session)
		}
	})
}

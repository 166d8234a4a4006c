package allow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/hostname"
)

// plain are names that are not joined, written as with all presets but custom.
var plain = Naming{Source: 1, Destination: 1, Relation: 1, Form: hostname.Form{CutPort: true, Fold: true}}

func list(t testing.TB, naming Naming, lines ...string) *Table {
	t.Helper()
	table, err := Read(strings.NewReader("source,relation,destination,from,until,verdict\n"+strings.Join(lines, "\n")), naming)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// match returns the number of the line, 0 for none.
func match(t *Table, v Verdict, source, relation, destination string, when int64) int {
	if l := t.Find(v, []byte(source), []byte(relation), []byte(destination), when); l != nil {
		return l.Number
	}
	return 0
}

func TestFind(t *testing.T) {
	table := list(t, plain,
		"10.1.2.0/24,*,db-1",
		"10.1.2.3,*,db-1",
		"10.1.0.0/16,SSH-2.0-Go,*",
		"*,*,Build.Example.ORG.:22",
		"2001:DB8::/32,*,::ffff:192.0.2.7",
		"[2001:db8::7]:22,ansible,*",
		"10.0.0.0/8,*,10.0.0.0/8",
		"role/web,*,a",
		"123456789012,*,1.5",
		"2026-03-31,*,10-4-5-6.example.org",
	)
	for _, c := range []struct {
		source, relation, destination string
		want                          int
	}{
		{"10.1.2.3", "x", "db-1", 3},
		{"10.1.2.4", "x", "db-1", 2},
		{"10.1.3.4", "x", "db-1", 0},
		{"10.1.3.4", "SSH-2.0-Go", "db-1", 4},
		{"10.1.2.3", "SSH-2.0-Go", "db-9", 4}, // the way through the exact source ends, and one through its network does not
		{"anybody", "x", "build.example.org", 5},
		{"2001:db8:1::9", "x", "192.0.2.7", 6},
		{"2001:db9::9", "x", "192.0.2.7", 0},
		{"2001:db8::7", "ansible", "z", 7},
		{"10.200.0.1", "x", "10.9.9.9", 8},
		{"10.200.0.1", "x", "11.9.9.9", 0},
		{"role/web", "", "a", 9},
		{"123456789012", "", "1.5", 10},
		{"2026-03-31", "", "10-4-5-6.example.org", 11},
		{"", "", "", 0},
		{"*", "*", "*", 0},
	} {
		if n := match(table, Allowed, c.source, c.relation, c.destination, 0); n != c.want {
			t.Errorf("%s %s %s: line %d, want %d", c.source, c.relation, c.destination, n, c.want)
		}
		if n := match(table, Bad, c.source, c.relation, c.destination, 0); n != 0 {
			t.Errorf("%s is bad by line %d", c.source, n)
		}
	}
	if (*Table)(nil).Has(Bad) || match(list(t, plain), Allowed, "a", "b", "c", 0) != 0 {
		t.Error("an empty list matches")
	}
}

// TestJoined: names that are joined match part by part. A part that holds a separator, as a user may, is matched by
// nothing but *, so that nobody writes another's part into a name.
func TestJoined(t *testing.T) {
	table := list(t, Naming{Source: 2, Destination: 1, Relation: 2, Form: hostname.Form{CutPort: true}},
		"root|10.0.0.0/8,*,db",
		"*|10.9.9.9,go|T,*",
		"*,*|F,web",
		"Bob|HOST:22,*|*,x",
	)
	for _, c := range []struct {
		source, relation, destination string
		want                          int
	}{
		{"root|10.1.1.1", "go|T", "db", 2},
		{"bob|10.1.1.1", "go|T", "db", 0},
		{"bob|10.9.9.9", "go|T", "db", 3},
		{"bob|10.9.9.9", "go|F", "db", 0},
		{"a|b|c", "go|F", "web", 4},
		{"x|10.9.9.9|y", "go|T", "db", 0},
		{"root|10.1.1.1|10.2.2.2", "go|T", "db", 0},
		{"root", "go|T", "db", 0},
		{"Bob|HOST", "q|w", "x", 5},
		{"bob|host", "q|w", "x", 0},
	} {
		if n := match(table, Allowed, c.source, c.relation, c.destination, 0); n != c.want {
			t.Errorf("%s %s %s: line %d, want %d", c.source, c.relation, c.destination, n, c.want)
		}
	}
}

// TestJoinedBad: of a name whose parts cannot be told apart any may be the one that is bad.
func TestJoinedBad(t *testing.T) {
	table := list(t, Naming{Source: 2, Destination: 1, Relation: 2},
		"*|203.0.113.0/24,*,*,,,bad",
		"eve|10.0.0.7,*,db,,,bad",
		"*,go|F,web,,,bad",
	)
	for _, c := range []struct {
		source, relation, destination string
		want                          int
	}{
		{"a|203.0.113.7", "r|s", "x", 2},
		{"a|b|203.0.113.7", "r|s", "x", 2},
		{"a|203.0.113.7|b", "r|s", "x", 2},
		{"203.0.113.7", "r|s", "x", 2},
		{"203.0.113.7|a", "r|s", "x", 0},
		{"x|eve|10.0.0.7", "r|s", "db", 3},
		{"x|eve|10.0.0.8", "r|s", "db", 0},
		{"a|b", "go|a|F", "web", 4},
		{"a|b|c|", "go|a", "web", 0},
	} {
		if n := match(table, Bad, c.source, c.relation, c.destination, 0); n != c.want {
			t.Errorf("%s %s %s: line %d, want %d", c.source, c.relation, c.destination, n, c.want)
		}
	}
}

// TestTimes: a line holds from its beginning to its end; a date is a whole day. Of lines for the same sessions any that
// holds counts.
func TestTimes(t *testing.T) {
	table := list(t, plain,
		"a,*,b,,2026-03-31,",
		"a,*,b,2026-05-01,2026-05-01T11:00:00+02:00,",
		"a,*,b,2026-05-02,,",
		"a,*,c,,2026-03-31,bad",
		"a,*,c,,2026-03-30,allow",
	)
	for when, want := range map[string]int{
		"2026-03-31T23:59:59Z": 2, "2026-04-01T00:00:00Z": 0, "2026-04-30T23:59:59Z": 0, "2026-05-01T00:00:00Z": 3,
		"2026-05-01T08:59:59Z": 3, "2026-05-01T09:00:00Z": 0, "2026-05-02T00:00:00Z": 4, "2100-01-01T00:00:00Z": 4,
	} {
		if n := match(table, Allowed, "a", "r", "b", at(when)); n != want {
			t.Errorf("%s: line %d, want %d", when, n, want)
		}
	}
	l := table.Lines()[0]
	if end := at("2026-04-01T00:00:00Z"); l.Expired(end-1) || !l.Expired(end) || FormatTime(l.Until) != "2026-04-01T00:00:00Z" || FormatTime(l.From) != "" {
		t.Errorf("%+v", l)
	}
	if match(table, Bad, "a", "r", "c", at("2026-03-31T12:00:00Z")) != 5 || match(table, Allowed, "a", "r", "c", at("2026-03-30T12:00:00Z")) != 6 {
		t.Error("verdicts get mixed up")
	}
}

// The years that the message names are allowed up to their last day.
func TestTheLastYear(t *testing.T) {
	table := list(t, plain, "a,*,b,2000-01-01,2200-12-31,")
	if end := at("2201-01-01T00:00:00Z"); match(table, Allowed, "a", "r", "b", end-1) != 2 || match(table, Allowed, "a", "r", "b", end) != 0 {
		t.Errorf("%+v", table.Lines()[0])
	}
	for _, text := range []string{"2201-01-01", "1999-12-31"} {
		if _, ok := parseTime(text, true); ok {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestErrors(t *testing.T) {
	const h = "source,relation,destination,from,until,note,verdict\n"
	for text, want := range map[string]string{
		"":                                         ":1: empty, want a line that names the columns, such as source,relation,destination,from,until,note,verdict",
		"# only this\n":                            ":1: empty, want a line that names the columns, such as source,relation,destination,from,until,note,verdict",
		"source,target\n":                          `:1: column 2 is named "target", want source, relation, destination, from, until, note, verdict`,
		"# list\nsource,Source\n":                  ":2: column source stands twice, want each once",
		"source,relation\n":                        ":1: no column is named destination, want source and destination at least, and of source, relation, destination, from, until, note, verdict what is needed",
		h + "a,*,b,,,,,x\n":                        ":2: 8 columns, want at most the 7 that the first line names; a text with a comma in it goes in double quotes",
		h + "# x\n\na\n":                           `:4: relation = "": want a name, or * for any`,
		h + "a,*\n":                                `:2: destination = "": want a name, or * for any`,
		h + ",*,b\n":                               `:2: source = "": want a name, or * for any`,
		h + "web-*,*,b\n":                          `:2: source = "web-*": * within a name, want a whole name, * alone for any, or a network such as 10.1.2.0/24`,
		h + "10.1.2.3/24,*,b\n":                    `:2: source = "10.1.2.3/24": bits are set behind the prefix, want 10.1.2.0/24`,
		h + "10.1.2.0/33,*,b\n":                    `:2: source = "10.1.2.0/33": no network, want an address and a length such as 10.1.2.0/24 or 2001:db8::/32`,
		h + "a,*,::ffff:1.2.3.0/120":               `:2: destination = "::ffff:1.2.3.0/120": an IPv4 network as IPv6, want it as IPv4, such as 10.1.2.0/24`,
		h + "a,*,b,,31.3.2026\n":                   `:2: until = "31.3.2026": want a date such as 2027-03-31 or a time such as 2027-03-31T11:00:00Z, of the years 2000 to 2200, or nothing`,
		h + "a,*,b,3000-01-01\n":                   `:2: from = "3000-01-01": want a date such as 2027-03-31 or a time such as 2027-03-31T11:00:00Z, of the years 2000 to 2200, or nothing`,
		h + "a,*,b,2026-01-02,2026-01-01\n":        `:2: until = "2026-01-01": not after from = "2026-01-02", want a later time`,
		h + "a,*,b,,,,good\n":                      `:2: verdict = "good": want allow (or nothing) for no alert, or bad for always one`,
		h + "*,*,*\n":                              ":2: *,*,* is every session, want a source, a relation or a destination, or until, the end of it",
		h + "*,*,*,,2026-01-01,,bad":               ":2: *,*,* is every session, want a source, a relation or a destination",
		h + "a,*,b\nA,*,b\n":                       ":3: the same stands in line 2 already, want each once",
		h + "a\x01,*,b\n":                          `:2: source = "a\x01": a control character or no UTF-8, want plain text`,
		h + "a,*,b,,,\xff\n":                       `:2: note = "\xff": a control character or no UTF-8, want plain text`,
		h + "a,*,\"b\n":                            `:2: extraneous or missing " in quoted-field, want fields with commas between, those with a comma or a quote in double quotes`,
		h + "a,*," + strings.Repeat("b", 257):      ":2: destination = \"" + strings.Repeat("b", 40) + "...\": 257 bytes, want at most 256",
		h + "a,*,b,,," + strings.Repeat("n", 1025): ":2: note of 1025 bytes, want at most 1024",
	} {
		if _, err := Read(strings.NewReader(text), plain); err == nil || err.Error() != want {
			t.Errorf("%.60q: %v\nwant %s", text, err, want)
		}
	}
	for _, name := range []string{"10.4.200.300", "10.4.200.300/24", "10.4.200.5-9", "10.4.200.5-10.4.200.9", "10.4.200", "10.4.200/24", "10.4/16", "10.4.200.300:22", "2001:db8:::/32", "1:2::3::4/64"} {
		want := fmt.Sprintf(`:2: source = %q: numbers like those of an address, but no address and no network, want an address, or a network such as 10.1.2.0/24 or 2001:db8::/32`, name)
		if _, err := Read(strings.NewReader(h+name+",*,b\n"), plain); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	joined := Naming{Source: 2, Destination: 1, Relation: 3}
	for text, want := range map[string]string{
		"10.0.0.1,*,b": `:2: source = "10.0.0.1": 1 parts, but names in the records are joined of 2: want as many with | between, such as *|NAME, or * for any`,
		"*,a|b,c":      `:2: relation = "a|b": 2 parts, but names in the records are joined of 3: want as many with | between, such as *|*|NAME, or * for any`,
		"a|,*,c":       `:2: source = "a|": an empty part, want a name, - for none, or * for any`,
		"*|*,*|*|*,*":  ":2: *,*,* is every session, want a source, a relation or a destination, or until, the end of it",
	} {
		if _, err := Read(strings.NewReader(h+text), joined); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
	var many strings.Builder
	many.WriteString(h)
	for i := range maxLines + 1 {
		fmt.Fprintf(&many, "h%d,*,b\n", i)
	}
	if _, err := Read(strings.NewReader(many.String()), plain); err == nil || !strings.Contains(err.Error(), "at most 10000") {
		t.Errorf("%v", err)
	}
}

// TestWide: a line that allows whoever names a client is warned of, and no other.
func TestWide(t *testing.T) {
	for line, want := range map[string]string{
		"*,ssh,*":           "*,ssh,* silences everybody who comes so, an intruder too: name the network of the sources, such as 10.1.2.0/24",
		"*,*,*,,2027-01-01": "*,*,* silences everybody who comes so, an intruder too: name the network of the sources, such as 10.1.2.0/24",
		"*,ssh,*,,,bad":     "", "a,ssh,*": "", "*,ssh,a": "", "10.0.0.0/8,ssh,*": "",
	} {
		if got := list(t, plain, line).Lines()[0].Wide(); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if list(t, Naming{Source: 2, Destination: 1, Relation: 1}, "*|*,ssh,*").Lines()[0].Wide() == "" {
		t.Error("of any user on any host nothing is said")
	}
}

// large is a list of many lines of every kind.
func large(t testing.TB) *Table {
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("10.%d.%d.7,*,db-%d", i/250, i%250, i), fmt.Sprintf("10.%d.%d.0/24,SSH-2.0-Go,10.0.0.0/%d", i/250, i%250, 8), fmt.Sprintf("*,client-%d,srv", i))
	}
	return list(t, plain, lines...)
}

var lookups = []struct{ source, relation, destination string }{
	{"10.3.4.7", "x", "db-754"}, {"10.3.4.9", "SSH-2.0-Go", "10.7.7.7"}, {"2001:db8::1", "client-9", "srv"}, {"host-without-a-line", "x", "y"}, {"10.3.4.9", "x", "y"},
}

func TestFindDoesNotAllocate(t *testing.T) {
	table := large(t)
	found := 0
	for _, c := range lookups {
		s, r, d := []byte(c.source), []byte(c.relation), []byte(c.destination)
		if n := testing.AllocsPerRun(100, func() {
			if l := table.Find(Allowed, s, r, d, 1); l != nil {
				l.Hit()
				found++
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", c, n)
		}
	}
	if found == 0 {
		t.Error("nothing was found")
	}
}

func BenchmarkFind(b *testing.B) {
	table := large(b)
	for _, c := range lookups {
		s, r, d := []byte(c.source), []byte(c.relation), []byte(c.destination)
		b.Run(c.source+"_"+c.relation, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Find(Allowed, s, r, d, 1)
			}
		})
	}
}

// FuzzRead: bytes of any kind are a list or one line of an error, and every line of a list is found by names that it
// stands for.
func FuzzRead(f *testing.F) {
	f.Add("source,relation,destination,from,until,note,verdict\n10.0.0.0/8,*,b,2026-01-01,2027-01-01,x,bad\n# c\na|b,r,::/0\n")
	f.Add("\xef\xbb\xbfdestination,source\r\n[::1]:22,\"A.\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, naming := range []Naming{plain, {Source: 2, Destination: 1, Relation: 2}} {
			table, err := Read(strings.NewReader(text), naming)
			if err != nil {
				if line := err.Error(); !strings.HasPrefix(line, ":") || strings.ContainsAny(line, "\n\r\x1b") {
					t.Fatalf("%q", line)
				}
				continue
			}
			for _, l := range table.Lines() {
				if strings.ContainsAny(l.Source+l.Relation+l.Destination, "*/") {
					continue
				}
				if table.Find(l.Verdict, []byte(l.Source), []byte(l.Relation), []byte(l.Destination), max(l.From, 1)) == nil {
					t.Fatalf("%+v is not found by its own names", l)
				}
			}
		}
	})
}

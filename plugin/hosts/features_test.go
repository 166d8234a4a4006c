package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/hostname"
)

func load(t *testing.T, text string, prefixes bool) *Features {
	t.Helper()
	f, err := Load(write(t, text), prefixes, hostname.Form{CutPort: true, Fold: true}, 2)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shared is how many features two hosts have in common.
func shared(f *Features, a, b string) (n int) {
	of := f.Append(nil, []byte(b))
	for _, x := range f.Append(nil, []byte(a)) {
		if slices.Contains(of, x) {
			n++
		}
	}
	return n
}

func TestNothingAskedFor(t *testing.T) {
	if f, err := Load("", false, hostname.Form{}, 1); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
}

func TestPrefixes(t *testing.T) {
	f, err := Load("", true, hostname.Form{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"10.1.2.3", "10.1.2.200", 2},
		{"10.1.2.3", "10.1.9.3", 1},
		{"10.1.2.3", "10.2.2.3", 0},
		{"10.1.2.3", "::ffff:10.1.2.4", 2}, // the same network, as IPv6 sockets write it
		{"2001:db8:1:2::3", "2001:db8:1:2:ffff::", 2},
		{"2001:db8:1:2::3", "2001:db8:1:3::3", 1},
		{"2001:db8:1:2::3", "2001:db8:2:2::3", 0},
		{"fe80::1%eth0", "fe80::2%eth1", 2}, // the zone is the machine's own word
		{"alice|10.1.2.3", "bob|10.1.2.9", 2},
		{"alice", "alice", 0},
		{"web-7f3a9c", "web-a01b22", 1}, // a stem
		{"web-7f3a9c", "web-7f3a9c", 1},
		{"web-7f3a9c", "db-7f3a9c", 0},
		{"runner-xkcdq", "runner-bzpvw", 1},
		{"db01", "db02", 1},
		{"db01.fra.example.com", "db02.fra.example.com", 2},
		{"db01.fra.example.com", "app7.fra.example.com", 1},
		{"db01.fra.example.com", "db01.ber.example.com", 1},
		{"root|db01", "db02", 1},
		{"web-1-2", "web-3", 1},
		{"ip-10-1-2-3", "ip-10-1-2-4", 1},
		{"web-", "web-1", 0}, // a stem is not all of a name
		{"42", "43", 0},
		{"n1", "n2", 0},
		{"42.7", "43.7", 0},
		{"web", "web1", 0},
		{".example.com", "a.example.com", 1},
		{"", "", 0},
		{"10.1.2", "10.1.2", 0},
		{"10.1.2.3.4", "10.1.2.3", 0},
		{strings.Repeat("1", 100), strings.Repeat("1", 100), 0},
	} {
		if n := shared(f, c.a, c.b); n != c.want {
			t.Errorf("%q and %q have %d networks in common, want %d", c.a, c.b, n, c.want)
		}
	}
	if k := f.Kinds(); len(k) != 2 {
		t.Errorf("kinds %q", k)
	}
}

func TestFile(t *testing.T) {
	f := load(t, "\xef\xbb\xbfhost, role ,site\n10.0.0.1,build, \"Berlin, 2nd floor\"\n10.0.0.2,build,Paris\r\nweb-1,web,Paris\nempty,,\n", true)
	if k := f.Kinds(); !slices.Equal(k[:2], []string{"role", "site"}) || len(k) != 4 {
		t.Errorf("kinds %q", k)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"10.0.0.1", "10.0.0.2", 3}, // role and both networks
		{"10.0.0.2", "web-1", 1},    // site
		{"10.0.0.1", "web-1", 0},
		{"root|web-1", "10.0.0.2", 1},
		{"empty", "empty", 0},
		{"WEB-1", "web-1", 0},
	} {
		if n := shared(f, c.a, c.b); n != c.want {
			t.Errorf("%q and %q have %d features in common, want %d", c.a, c.b, n, c.want)
		}
	}
	for host, want := range map[string]bool{"10.0.0.1": true, "web-1": true, "root|web-1": true, "web-2": false, "10.0.0.3": false, "empty": false} {
		if f.Known([]byte(host)) != want {
			t.Errorf("%q is known: %v", host, !want)
		}
	}
	if len(f.byHost) != 4 {
		t.Errorf("%d hosts, want 4", len(f.byHost))
	}
}

// A joined name has features of each of its parts: as many as are foretold, and no more.
func TestMost(t *testing.T) {
	const text = "host,role,site\nalice-1,admin,\nweb-1.example.com,web,Paris\nalice-1|web-1.example.com,odd,\n"
	for _, c := range []struct {
		text     string
		prefixes bool
		parts    int
		host     string
		want     int
	}{
		{"", true, 1, "web-1.example.com", 2},
		{"", true, 2, "web-1.a|web-2.b", 4},
		{text, false, 1, "web-1.example.com", 3}, // a row of two names counts, should one come
		{text, true, 2, "alice-1|web-1.example.com", 9},
	} {
		path := ""
		if c.text != "" {
			path = write(t, c.text)
		}
		f, err := Load(path, c.prefixes, hostname.Form{}, c.parts)
		if err != nil {
			t.Fatal(err)
		}
		if has := len(f.Append(nil, []byte(c.host))); f.Most() != c.want || has > c.want || has < c.want-2 {
			t.Errorf("%s has %d features, foretold %d, want %d", c.host, has, f.Most(), c.want)
		}
	}
}

// Two rows that stand for one host under other names are no pair of which one is taken without a word.
func TestRowsOfOneHost(t *testing.T) {
	for text, want := range map[string]string{
		"host,role\nWEB-1,a\nWeb-1,b\n":                             ":3: host \"Web-1\" is \"web-1\", as \"WEB-1\" in line 2 is, and the two rows differ: want one, or a row of that very name",
		"host,role\n2001:DB8::1,a\n\n2001:db8:0::1,b\n":             ":4: host \"2001:db8:0::1\" is \"2001:db8::1\", as \"2001:DB8::1\" in line 2 is, and the two rows differ: want one, or a row of that very name",
		"host,role\ndb:22,a\ndb:23,b\n":                             ":3: host \"db:23\" is \"db\", as \"db:22\" in line 2 is, and the two rows differ: want one, or a row of that very name",
		"host,role\nAnn|10.0.0.1:22,a\nAnn|10.0.0.1:23,b\n":         ":3: host \"Ann|10.0.0.1:23\" is \"Ann|10.0.0.1\", as \"Ann|10.0.0.1:22\" in line 2 is, and the two rows differ: want one, or a row of that very name",
		"host,role\nWEB-1,a\nWeb-1,b\nweb-1,c\n":                    "", // that row decides
		"host,role\nWEB-1,a\nWeb-1,a\n":                             "", // and here nothing is to be decided
		"host,role\nAnn|10.0.0.1,a\nann|10.0.0.1,b\n":               "", // users may be of any case
		"host,role\n10.0.0.1,a\n::ffff:10.0.0.1,b\nweb-1,c\nx.,d\n": "",
	} {
		path := write(t, text)
		_, err := Load(path, false, hostname.Form{CutPort: true, Fold: true}, 2)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != path+want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestSameValueOfOtherKinds: a site "1" is no rack "1".
func TestSameValueOfOtherKinds(t *testing.T) {
	f := load(t, "host,site,rack\na,1,2\nb,2,1\n", false)
	if n := shared(f, "a", "b"); n != 0 {
		t.Errorf("%d features in common", n)
	}
}

// TestNumbers: a column of many numbers is cut into parts of about the same size, one of few is names.
func TestNumbers(t *testing.T) {
	text := "host,cores,rank\n"
	for i := range 80 {
		text += fmt.Sprintf("h%d,%d,%d.5\n", i, 1<<(i%4), i)
	}
	f := load(t, text, false)
	if n := shared(f, "h0", "h4"); n != 2 { // cores 1, the first eighth
		t.Errorf("near hosts have %d features in common, want both", n)
	}
	if n := shared(f, "h0", "h76"); n != 1 {
		t.Errorf("far hosts have %d features in common, want the cores", n)
	}
	parts := map[uint64]int{}
	for i := range 80 {
		parts[f.Append(nil, fmt.Appendf(nil, "h%d", i))[1]]++
	}
	if len(parts) != bins {
		t.Errorf("%d parts, want %d", len(parts), bins)
	}
	for _, n := range parts {
		if n < 8 || n > 12 {
			t.Errorf("a part of %d of 80 hosts", n)
		}
	}
	if f := load(t, text+"odd,x,x\n", false); shared(f, "h0", "h4") != 1 {
		t.Error("a column with a word in it is cut like numbers")
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                               ":1: empty, want a line that names the columns, the first of them that of the hosts",
		"host\na\n":                      ":1: 1 columns, want 2 to 15 with commas between: the host, then its features",
		"host\trole\na\tb\n":             ":1: 1 columns, want 2 to 15 with commas between: the host, then its features",
		strings.Repeat("a,", 15) + "b\n": ":1: 16 columns, want 2 to 15 with commas between: the host, then its features",
		"host,\na,b\n":                   ":1: column 2 is named \"\", want a name of its own",
		"\n\nhost\na\n":                  ":3: 1 columns, want 2 to 15 with commas between: the host, then its features",
		"\nhost,\na,b\n":                 ":2: column 2 is named \"\", want a name of its own",
		"\nhost,role\na,b,c\n":           ":3: another number of columns than in line 2, want as many",
		"host,role,role\na,b,c\n":        ":1: column 3 is named \"role\", want a name of its own",
		"host,role\na,b,c\n":             ":2: another number of columns than in line 1, want as many",
		"host,role\n\na,b\n ,c\n":        ":4: a row without a host, want its name or address in the first column",
		"host,role\na,b\nb,c\na,d\n":     ":4: host \"a\" stands in line 2 already, want one row for each",
		"host,role\na,\"b\n":             ":2: extraneous or missing \" in quoted-field, want fields with commas between, those with a comma or a quote in double quotes",
		"host,role\na,b\"c\n":            ":2: bare \" in non-quoted-field, want fields with commas between, those with a comma or a quote in double quotes",
		"host,role\n\"\x1b[2J\n" + strings.Repeat("x", 99) + "\",b\n\"\x1b[2J\n" + strings.Repeat("x", 99) + "\",b\n": ":4: host \"\\x1b[2J\\n" + strings.Repeat("x", 35) + "...\" stands in line 2 already, want one row for each",
	} {
		path := write(t, text)
		if _, err := Load(path, false, hostname.Form{}, 1); err == nil || err.Error() != path+want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.csv"), false, hostname.Form{}, 1); err == nil || !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(t.TempDir(), false, hostname.Form{}, 1); err == nil || !strings.Contains(err.Error(), "want a CSV file") {
		t.Errorf("a directory: %v", err)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	f := load(t, "host,role\nweb-1,web\n", true)
	dst := make([]uint64, 0, 16)
	for _, host := range []string{"web-1", "10.1.2.3", "2001:db8::1", "user|10.1.2.3", "no-address"} {
		name := []byte(host)
		if n := testing.AllocsPerRun(100, func() { dst = f.Append(dst[:0], name) }); n != 0 {
			t.Errorf("%s: %v allocations", host, n)
		}
	}
}

// FuzzFeatures: a file of any bytes is read or refused in one line, and no host has more features than
// there are kinds for each part of its name.
func FuzzFeatures(f *testing.F) {
	f.Add("host,role,site\n10.0.0.1,build,\"a, b\"\nweb,,x\n", "10.0.0.1|web")
	f.Add("host,n\na,1\nb,2\nc,3\nd,4\ne,5\nf,6\ng,7\nh,8\ni,9e300\nj,-Inf\nk,NaN\n", "k")
	f.Add("host,x\n\"a\nb\",\"\"\"\"\n", "::ffff:1.2.3.4%z")
	f.Fuzz(func(t *testing.T, text, host string) {
		table, err := read(strings.NewReader(text))
		if err != nil {
			if line := err.Error(); !strings.HasPrefix(line, ":") || strings.ContainsAny(line, "\n\r\x1b") {
				t.Fatalf("%q", line)
			}
			return
		}
		x := &Features{prefixes: true}
		x.columns = table.columns
		x.byHost, x.values = table.features(hostname.Form{})
		most := len(x.Kinds()) * (2 + strings.Count(host, "|"))
		features := x.Append(nil, []byte(host))
		if len(features) > most {
			t.Fatalf("%d features of %q, %d kinds", len(features), host, len(x.Kinds()))
		}
		for _, feature := range features {
			if x.Name([]byte(host), feature) == "" {
				t.Fatalf("a feature of %q has no name", host)
			}
		}
		for _, row := range table.rows {
			if n := len(x.byHost[row[0]]); n > len(table.columns) {
				t.Fatalf("%d features of %d columns", n, len(table.columns))
			}
		}
	})
}

func TestName(t *testing.T) {
	text := "host,role,cores\ndb01.fra.example.com,build,\n"
	for i := range 80 {
		text += fmt.Sprintf("h%d,,%d\n", i, i)
	}
	f := load(t, text, true)
	for host, want := range map[string][]string{
		"10.1.2.3":             {"10.1.2.0/24", "10.1.0.0/16"},
		"2001:db8:1:2::3":      {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"fe80::1%eth0":         {"fe80::/64", "fe80::/48"},
		"alice|10.1.2.3":       {"10.1.2.0/24", "10.1.0.0/16"},
		"web-7f3a9c":           {"web-*"},
		"db01.fra.example.com": {"role=build", "db*", "*.fra.example.com"},
		"h0":                   {"cores<=10"},
		"h11":                  {"10<cores<=20"},
		"h79":                  {"cores>70"},
		"bob|h79":              {"cores>70"},
		"42":                   nil,
	} {
		var names []string
		for _, feature := range f.Append(nil, []byte(host)) {
			names = append(names, f.Name([]byte(host), feature))
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q", host, names, want)
		}
	}
	host := []byte("10.1.2.3")
	other := f.Append(nil, []byte("10.9.9.9"))[0]
	if name := f.Name(host, other); name != "" {
		t.Errorf("a feature of another host is called %q", name)
	}
	own := f.Append(nil, host)[0]
	if n := testing.AllocsPerRun(100, func() { f.Name(host, own) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for i := range 3 * maxNamed {
		host := fmt.Appendf(nil, "10.%d.%d.1", i/256, i%256)
		f.Name(host, f.Append(nil, host)[0])
	}
	if n := len(f.named.texts); n > maxNamed {
		t.Errorf("%d names are kept", n)
	}
}

// Whatever spelling of a host the file and the records have in common, the host has its features under the one name that
// the graph gives it. A row of that very name goes before one of another spelling.
func TestOtherSpellings(t *testing.T) {
	f := load(t, "host,role\n2001:DB8::1,a\nWeb1.Example.com.,b\n::ffff:192.0.2.1,c\nDb2,d\ndb2,e\nAnn|10.0.0.1:22,f\n", false)
	for name, want := range map[string]string{
		"2001:db8::1": "2001:DB8::1", "web1.example.com": "Web1.Example.com.", "192.0.2.1": "::ffff:192.0.2.1", "Ann|10.0.0.1": "Ann|10.0.0.1:22", "ann|Web1.Example.com.": "Web1.Example.com.",
	} {
		if shared(f, name, want) != 1 {
			t.Errorf("%s and %s have nothing in common", name, want)
		}
	}
	if shared(f, "Db2", "db2") != 0 || len(f.Append(nil, []byte("db2"))) != 1 {
		t.Error("db2 has the features of Db2")
	}
}

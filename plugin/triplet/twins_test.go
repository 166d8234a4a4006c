package triplet

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/logfile"
	"flb-filter-rgcn/plugin/record"
)

// twins are a finder of rows as they stand in a record, and one of the records that the offline tool makes of the same
// rows.
type twins struct {
	live, offline *Finder
	extractor     *record.Extractor
}

func newTwins(t testing.TB, properties map[string]string) *twins {
	t.Helper()
	cfg, err := config.Load(func(key string) (string, bool) { v, ok := properties[key]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	w := &twins{live: newFinder(t, properties)}
	var spec record.Spec
	if w.offline, err = New(cfg.Fields, &spec); err != nil {
		t.Fatal(err)
	}
	if w.extractor, err = record.Compile(spec); err != nil {
		t.Fatal(err)
	}
	return w
}

// told is what a finder says of a row, in words.
func told(s Session, v Verdict) string {
	switch v {
	case Missing:
		return "missing"
	case Skipped:
		return "skipped"
	}
	text := fmt.Sprintf("%q %q %q at %d", s.Source, s.Relation, s.Destination, s.Time)
	if s.Unread {
		text += ", unread"
	}
	return text
}

// rows are what the live finder says of the rows of a log.
func (w *twins) rows(r *Rows, log string) (out []string) {
	b := new(Buffer)
	for line := range strings.Lines(log) {
		if session, verdict := find(w.live, b, r, line); line[0] != '#' {
			out = append(out, told(session, verdict))
		}
	}
	return out
}

// records are what the offline finder says of them. A row that is none is a record without anything.
func (w *twins) records(t testing.TB, log string) (out []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := logfile.Open(path, logfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	walker, b := w.extractor.NewWalker(), new(Buffer)
	for {
		event, err := r.AppendRecord(nil)
		var bad *logfile.LineError
		if errors.As(err, &bad) {
			if line := strings.Split(log, "\n")[bad.Line-1]; line[0] != '#' {
				out = append(out, told(Session{}, Missing))
			}
			continue
		}
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		walker.Reset(event)
		if !walker.Next() {
			t.Fatalf("no event in % x", event)
		}
		e := walker.Event()
		session, verdict := w.offline.Find(b, nil, e.Values)
		if verdict == Found && e.Timed {
			session.Time = e.Time
		}
		session.Unread = e.Unread
		out = append(out, told(session, verdict))
	}
}

// check compares the two, also where the live one has its header from before a restart.
func (w *twins) check(t testing.TB, header, rows string) []string {
	t.Helper()
	want := w.records(t, header+rows)
	var streams, again Streams
	w.rows(of(w.live, &streams, "tag"), header)
	saved, err := streams.Save()
	if err == nil {
		err = w.live.Restore(&again, saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Streams{"live": &streams, "after a restart": &again} {
		got := w.rows(of(w.live, s, "tag"), rows)
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, offline %d", name, len(got), len(want))
		}
		for i, row := range strings.Split(rows, "\n")[:len(got)] {
			if got[i] != want[i] {
				t.Fatalf("%s: row %q below %q: %s, offline %s", name, row, header, got[i], want[i])
			}
		}
	}
	return want
}

const sshHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssh\n" +
	"#fields\tts\tid.orig_h\tid.resp_h\tauth_success\tclient\trole\tuser\ttags\tn\n" +
	"#types\ttime\taddr\taddr\tbool\tstring\tstring\tstring\tset[string]\tcount\n"

const (
	first  = "1.5\t10.0.0.1\t10.0.0.2\tT\tSSH-2.0-x\t-\tbob\ta,b\t7\n"
	second = "2.5\t10.0.0.3\t10.0.0.4\tF\tSSH-2.0-y\tops\teve\t(empty)\t-\n"
)

// What the settings name counts wherever they name it, and as what it is.
func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, property, value string
		want                  string // of the two rows
	}{
		// A column that serves several settings.
		{"only by the destination", "only", "id.resp_h=10.0.0.2", "10.0.0.1 SSH-2.0-x 10.0.0.2; skipped"},
		{"not by the destination", "only", "id.resp_h!=10.0.0.2", "skipped; 10.0.0.3 SSH-2.0-y 10.0.0.4"},
		{"only by the relation", "only", "client=SSH-2.0-x", "10.0.0.1 SSH-2.0-x 10.0.0.2; skipped"},
		{"the relation in the source", "source", "id.orig_h,client", "10.0.0.1|SSH-2.0-x SSH-2.0-x 10.0.0.2; 10.0.0.3|SSH-2.0-y SSH-2.0-y 10.0.0.4"},
		{"the time in the relation", "relation", "ts", "10.0.0.1 1.5 10.0.0.2; 10.0.0.3 2.5 10.0.0.4"},
		// Types.
		{"a boolean in a name", "relation", "client|auth_success", "10.0.0.1 SSH-2.0-x|true 10.0.0.2; 10.0.0.3 SSH-2.0-y|false 10.0.0.4"},
		{"a boolean as JSON has it", "only", "auth_success=true", "10.0.0.1 SSH-2.0-x 10.0.0.2; skipped"},
		{"a boolean as rows have it", "only", "auth_success=T", "10.0.0.1 SSH-2.0-x 10.0.0.2; skipped"},
		{"a list", "relation", "tags", "10.0.0.1 a 10.0.0.2; 10.0.0.3 - 10.0.0.4"},
		{"a number", "relation", "n", "10.0.0.1 7 10.0.0.2; 10.0.0.3 - 10.0.0.4"},
		// Alternatives.
		{"the first with content", "source", "role else user", "bob SSH-2.0-x 10.0.0.2; ops SSH-2.0-y 10.0.0.4"},
		{"the first that is a column", "source", "nobody else user", "bob SSH-2.0-x 10.0.0.2; eve SSH-2.0-y 10.0.0.4"},
		{"an empty list, else", "relation", "tags else user", "10.0.0.1 a 10.0.0.2; 10.0.0.3 eve 10.0.0.4"},
		{"a record accessor", "source", "$user", "bob SSH-2.0-x 10.0.0.2; eve SSH-2.0-y 10.0.0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTwins(t, map[string]string{c.property: c.value})
			got := strings.Join(w.check(t, sshHeader, first+second), "; ")
			got = strings.NewReplacer(`"`, "", " at 1500000000", "", " at 2500000000", "").Replace(got)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Whatever settings, header and cells: a row is the session that the offline tool makes of it.
func TestRowsAreRecords(t *testing.T) {
	columns := []struct{ name, is string }{
		{"ts", "time"}, {"uid", "string"}, {"id.orig_h", "addr"}, {"id.orig_p", "port"}, {"id.resp_h", "addr"}, {"auth_success", "bool"},
		{"delta", "int"}, {"ratio", "double"}, {"proto", "enum"}, {"client", "string"}, {"tags", "set[string]"}, {"ports", "vector[port]"},
		{"role", "string"}, {"user", "string"}, {"user", "string"}, {"ok", "bool"}, {"message", "string"}, {"seen", "interval"},
	}
	// S stands for the separator in a set, E for an empty text, U for no value.
	texts := []string{"x", "U", "E", "", "a b", `x\x7cy`, `\\`, `\x4`, `end\`, "T", "true", "-", "(empty)", "U U", `\x2d`, "\xff", "Host.Example."}
	cells := map[string][]string{
		"string": texts, "enum": texts,
		"time":        {"1700000000.123456", "1700000000", "1e9", "U", "XXXXXXXXXX.XXXXXX", "-1.0", "2026-03-02T08:00:00Z", "99999999999.5", "1700000000.1234567"},
		"interval":    {"0.000001", "1.50", "-2", "U", ".5", "inf", "NaN", "1e400", "1e20", "1e21", "0x1p4", "+", "infx"},
		"addr":        {"192.0.2.1", "2001:DB8:0::1", "::ffff:192.0.2.7", "U", "E", "host"},
		"port":        {"22", "007", "0", "U", "x", "-1", "+5", "18446744073709551615", "18446744073709551616"},
		"int":         {"-3", "+3", "-0", "00", "U", "-9223372036854775808", "-9223372036854775809", "9223372036854775808", "+9223372036854775808", "1.5", "-", "+"},
		"bool":        {"T", "F", "U", "maybe", "E", "TT", ""},
		"double":      {"0.5", "2.0", "1e-7", "U", "abc"},
		"set[string]": {"x,y", "xSy", "USx", "ESx", "U", "E", "", "S", "USU", `x\x2cySz`, "x"},
	}
	cells["vector[port]"] = append(cells["set[string]"], "22S23")
	headers := []struct{ separator, escaped, set, empty, unset string }{
		{"\t", `\x09`, ",", "(empty)", "-"}, {"|", `\x7c`, ";", "{}", "?"}, {"\t", `\x09`, "", "", "-"}, {", ", `\x2c\x20`, "::", "(none)", ""},
	}
	settings := []map[string]string{
		nil,
		{"relation": "client|auth_success|tags|ports"},
		{"source": "role else user else uid", "relation": "ok else auth_success", "time": "seen,ts"},
		{"source": "id.orig_h,delta,ratio", "destination": "ports else tags else id.resp_h", "relation": "$seen,$id['orig_h']"},
		{"source": "user", "destination": "user", "relation": "user", "only": "user!=x,auth_success!=F"},
		{"source": "tags", "destination": "message else proto", "only": "ok=true|maybe"},
		{"only": "id.orig_p=22|7,tags!=x"},
		{"relation": "ts", "time": "delta,ratio,uid,ts", "cut_ports": "off"},
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for _, h := range headers {
		for _, typed := range []bool{true, false} {
			order := random.Perm(len(columns))
			pick := func(of func(i int) string) string {
				var all []string
				for _, i := range order {
					all = append(all, of(i))
				}
				return strings.Join(all, h.separator) + "\n"
			}
			header := "#separator " + h.escaped + "\n" + strings.Join([]string{"#set_separator", h.set}, h.separator) + "\n" +
				"#empty_field" + h.separator + h.empty + "\n#unset_field" + h.separator + h.unset + "\n#path" + h.separator + "x\n" +
				"#fields" + h.separator + pick(func(i int) string { return columns[i].name })
			if typed {
				header += "#types" + h.separator + pick(func(i int) string { return columns[i].is })
			}
			spelled := strings.NewReplacer("S", h.set, "E", h.empty, "U", h.unset)
			var rows strings.Builder
			for range 150 {
				rows.WriteString(pick(func(i int) string {
					some := cells[columns[i].is]
					cell := some[random.IntN(len(some))]
					if strings.HasPrefix(columns[i].name, "id.") && random.IntN(2) == 0 {
						cell = some[0] // so that most rows are sessions
					}
					return spelled.Replace(cell)
				}))
			}
			rows.WriteString("too" + h.separator + "few\n")
			for _, properties := range settings {
				for _, told := range newTwins(t, properties).check(t, header, rows.String()) {
					if strings.HasPrefix(told, `"`) {
						found++
					}
				}
			}
		}
	}
	if all := 150 * len(headers) * 2 * len(settings); found < all/4 {
		t.Errorf("%d sessions in %d rows: the rest says little", found, all)
	}
}

// FuzzRowIsRecord is TestRowsAreRecords for any types and any row of eight columns.
func FuzzRowIsRecord(f *testing.F) {
	f.Add("time\taddr\taddr\tstring\tbool\tset[string]\tdouble\tint", "1.5\ta\tb\tSSH\\x09x\tT\tx,y\t1e3\t-3")
	f.Add("string\tcount\tvector[addr]\tinterval\tbool\tset[string]\tdouble\tint", "1.5\t007\t-,::1\t0.50\tmaybe\t(empty)\tinf\t+3")
	f.Add("", "-\ta\tb\t-\tF\t-\t-\t-\r")
	all := []*twins{
		newTwins(f, nil),
		newTwins(f, map[string]string{"source": "id.orig_h|n", "relation": "client|auth_success|x", "destination": "tags else id.resp_h", "only": "client!=T"}),
	}
	f.Fuzz(func(t *testing.T, types, row string) {
		if strings.Contains(types+row, "\n") || strings.TrimSpace(row) == "" || row[0] == '#' || len(row) > longestRow {
			t.Skip()
		}
		header := "#fields\tts\tid.orig_h\tid.resp_h\tclient\tauth_success\ttags\tx\tn\n#types\t" + types + "\n"
		for _, w := range all {
			w.check(t, header, row+"\n")
		}
	})
}

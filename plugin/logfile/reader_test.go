package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// TestHostBytes compares with what Fluent Bit 5.1.1 itself made of the same
// files with tail and a json or regex parser (testdata/*.msgpack). Only the
// time in the header differs.
func TestHostBytes(t *testing.T) {
	for _, c := range []struct {
		file    string
		columns string
	}{
		{"host.ndjson", ""},
		{"host.tsv", "ts,uid,id_orig_h,-,id_resp_h"},
	} {
		opt := testOptions()
		if c.columns != "" {
			opt.Columns = strings.Split(c.columns, ",")
		}
		got := readGood(t, "testdata/"+c.file, opt)
		want, err := os.ReadFile("testdata/" + c.file + ".msgpack")
		if err != nil {
			t.Fatal(err)
		}
		for i, event := range got {
			rest, err := msgp.Skip(want)
			if err != nil {
				t.Fatalf("%s: the host made %d events, we %d", c.file, i, len(got))
			}
			hosts := want[:len(want)-len(rest)]
			want = rest
			// 92 92 d7 00, then 8 bytes of time
			if !bytes.Equal(event[:4], hosts[:4]) || !bytes.Equal(event[12:], hosts[12:]) {
				t.Errorf("%s: event %d:\n got % x\nwant % x", c.file, i+1, event, hosts)
			}
		}
		if len(want) > 0 {
			t.Errorf("%s: the host made more than our %d events", c.file, len(got))
		}
	}
}

func TestHeader(t *testing.T) {
	event := readGood(t, write(t, "a", "{}\n"), testOptions())[0]
	want := []byte("\x92\x92\xd7\x00\x65\x53\xf1\x00\x07\x5b\xcd\x15\xdf\x00\x00\x00\x00\xdf\x00\x00\x00\x00")
	if !bytes.Equal(event, want) {
		t.Errorf("got % x, want % x", event, want)
	}
}

func TestColumns(t *testing.T) {
	columns := strings.Split(samples.Columns, ",")
	file := samples.SessionsPath(t)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	events := readGood(t, file, testOptions(columns...))
	if len(events) != samples.Rows || len(lines) != len(events) {
		t.Fatalf("%d events from %d lines, want %d", len(events), len(lines), samples.Rows)
	}
	for i, event := range events {
		got := fields(t, event)
		if len(got) != len(columns) {
			t.Fatalf("line %d: %d fields, want %d", i+1, len(got), len(columns))
		}
		values := strings.Split(lines[i], "\t")
		for c, name := range columns {
			if got[name] != values[c] {
				t.Fatalf("line %d: %s = %v, want %q", i+1, name, got[name], values[c])
			}
		}
	}

	r := open(t, file, testOptions("ts", "-", "_", "", "id.resp_h"))
	event, err := r.AppendRecord(nil)
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Split(lines[0], "\t")
	if got, want := toJSON(t, event), `{"ts":"`+values[0]+`","id.resp_h":"`+values[4]+`"}`+"\n"; got != want {
		t.Errorf("skipped columns: got %s, want %s", got, want)
	}
}

func TestZeekTwins(t *testing.T) {
	var json, tsv [][]byte
	jsonLogs, tsvLogs := zeekLogs(t)
	for i, sessions := range []int{16, 22}[:len(jsonLogs)] {
		j, z := readGood(t, jsonLogs[i], testOptions()), readGood(t, tsvLogs[i], testOptions())
		if len(j) != sessions || len(z) != sessions {
			t.Fatalf("%s: %d and %d events, want %d each", jsonLogs[i], len(j), len(z), sessions)
		}
		json, tsv = append(json, j...), append(tsv, z...)
	}
	for i := range json {
		j, z := fields(t, json[i]), fields(t, tsv[i])
		// The JSON has the time as text, and two fields of its own.
		when, err := time.Parse(time.RFC3339Nano, j["ts"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if sec := float64(when.UnixMicro()) / 1e6; z["ts"] != sec {
			t.Errorf("event %d: ts %v, want %v", i+1, z["ts"], sec)
		}
		for _, own := range []string{"ts", "_path", "_write_ts"} {
			delete(j, own)
		}
		delete(z, "ts")
		if got, want := fmt.Sprint(z), fmt.Sprint(j); got != want {
			t.Errorf("event %d:\ntsv  %s\njson %s", i+1, got, want)
		}
	}
}

// TestOtherColumns: a time that is none, and columns in another order.
func TestOtherColumns(t *testing.T) {
	events := readGood(t, samples.OwnPath(t, samples.OwnOtherColumns), testOptions())
	if len(events) != 16 {
		t.Fatalf("%d events, want 16", len(events))
	}
	want := `{"ts":"XXXXXXXXXX.XXXXXX","uid":"CiZ1uM8dSt4BfC7yRh","id.resp_h":"198.51.100.12","id.resp_p":22,"id.orig_h":"203.0.113.5",` +
		`"id.orig_p":42118,"version":2,"auth_success":false,"auth_attempts":6,"direction":"INBOUND","client":"SSH-2.0-libssh_0.10.6",` +
		`"server":"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3","cipher_alg":"chacha20-poly1305@openssh.com","mac_alg":"umac-64-etm@openssh.com",` +
		`"compression_alg":"none","kex_alg":"curve25519-sha256","host_key_alg":"ssh-ed25519",` +
		`"host_key_fingerprint":"SHA256:5dc802b9e6317f440a93ee5b16a0f728"}` + "\n"
	if got := toJSON(t, events[7]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestZeekBasic(t *testing.T) {
	events := readGood(t, samples.Path(t, samples.ZeekTSVNoType), testOptions())
	if len(events) != 22 {
		t.Fatalf("%d events, want 22", len(events))
	}
	want := `{"ts":"XXXXXXXXXX.XXXXXX","uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"192.168.1.79","id.orig_p":51880,` +
		`"id.resp_h":"131.159.21.1","id.resp_p":22,"version":2,"auth_attempts":0,"direction":"OUTBOUND",` +
		`"client":"SSH-2.0-OpenSSH_5.9","server":"SSH-2.0-OpenSSH_5.8","cipher_alg":"aes128-ctr","mac_alg":"hmac-md5",` +
		`"compression_alg":"zlib@openssh.com","kex_alg":"ecdh-sha2-nistp256","host_key_alg":"ecdsa-sha2-nistp256",` +
		`"host_key_fingerprint":"SHA256:7jxvLCM56/Ox9xUroSjhu5kuqWLYA9Dz"}` + "\n"
	if got := toJSON(t, events[0]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestZeekTypes(t *testing.T) {
	const head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tx\n"
	check := func(fields, types, row, want string) {
		t.Helper()
		path := write(t, "x.log", head+"#fields\t"+fields+"\n#types\t"+types+"\n"+row+"\n#close\tnow\n")
		events := readGood(t, path, testOptions())
		if len(events) != 1 {
			t.Fatalf("%d events, want 1", len(events))
		}
		if got := strings.TrimSpace(toJSON(t, events[0])); got != want {
			t.Errorf("%s: got %s, want %s", row, got, want)
		}
	}
	check("a\tb\tc", "count\tint\tport", "18446744073709551615\t-3\t22", `{"a":18446744073709551615,"b":-3,"c":22}`)
	check("a\tb\tc", "double\tinterval\ttime", "2\t0.000001\t1331901011.840000", `{"a":2.0,"b":0.000001,"c":1331901011.84}`)
	check("a\tb\tc", "bool\tbool\tbool", "T\tF\tmaybe", `{"a":true,"b":false,"c":"maybe"}`)
	check("a\tb\tc", "set[string]\tvector[count]\tset[addr]", "x,y\\x2cz\t1,-\t(empty)", `{"a":["x","y,z"],"b":["1",null],"c":[]}`)
	check("a\tb\tc", "string\taddr\tenum", "(empty)\t-\t", `{"a":"","c":""}`)
	check("a\tb", "string\tstring", `\x23 \xc3\xa9 \\x41 \x4`+"\t"+`end\`, `{"a":"# é \\x41 \\x4","b":"end\\"}`)
	check("a\tb", "count\tcount", "1.5\t99999999999999999999", `{"a":"1.5","b":"99999999999999999999"}`)
}

func TestZeekOtherSeparatorAndNewHeader(t *testing.T) {
	events := readGood(t, write(t, "x", "#separator \\x7c\n#unset_field|?\n#fields|a|b\n1|?\n#fields|c\n2\n"), testOptions())
	if got := toJSON(t, events[0]) + toJSON(t, events[1]); got != "{\"a\":\"1\"}\n{\"c\":\"2\"}\n" {
		t.Errorf("got %s", got)
	}
}

func TestOpenErrors(t *testing.T) {
	check := func(content string, opt Options, want ...string) {
		t.Helper()
		path := write(t, "some.log", content)
		r, err := Open(path, opt)
		if err == nil {
			r.Close()
			t.Fatalf("%.20q: opened, want an error", content)
		}
		for _, w := range append(want, path) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%.20q: error %q does not tell %q", content, err, w)
			}
		}
	}
	check("\n1331901011.84\tx\n", testOptions(), "line 2 begins with \"1\"", "-columns")
	check("[1,2]\n", testOptions(), "begins with \"[\"")
	check("Oct  1 00:00:01 web sshd[7]: Server listening on 0.0.0.0 port 22.\nOct  1 00:00:02 web sshd[7]: Accepted password for a from 198.51.100.1 port 1 ssh2\n", testOptions(),
		"line 1 begins with \"O\"", "Preset openssh understands them (-preset openssh)")
	check("Oct  1 00:00:01 web cron[7]: Accepted password for a from 198.51.100.1 port 1 ssh2\n", testOptions(), columnHelp)
	check("a\tb\n", testOptions("a", "b", "a"), `column "a" is named twice`)
	check("a\tb\n", testOptions("-", "_"), "every column of -columns is skipped")
	check("\x1f\x8bnot gzip", testOptions(), "gzip data of the file are damaged")
	check(gzipped(t, "{}\n")[:5], testOptions(), "cut off within its gzip data")
	if _, err := Open("no/such.log", testOptions()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func TestLineErrors(t *testing.T) {
	check := func(content string, opt Options, wantEvents int, want ...string) {
		t.Helper()
		path := write(t, "some.log", content)
		events, bad := readAll(t, open(t, path, opt))
		if len(events) != wantEvents || len(bad) != len(want) {
			t.Fatalf("%.40q: %d events and errors %v, want %d and %d", content, len(events), bad, wantEvents, len(want))
		}
		for i, w := range want {
			if got := bad[i].Error(); got != path+":"+w {
				t.Errorf("%.40q: error %q, want FILE:%s", content, got, w)
			}
		}
	}
	check("{}\n\n nope\n{\"a\":1}\n[1]\n", testOptions(), 2,
		`3: not a JSON object: begins with "nope"`, `5: not a JSON object: begins with "[1]"`)
	check("{\"a\":1\n", testOptions(), 0, "1: byte 7: expected ',' or '}' after a value, found the end of the line")
	check("{\"a\":1} x\n", testOptions(), 0, `1: byte 9: expected the end of the line after the object, found "x"`)
	check("{\"a\" 1}\n{a:1}\n", testOptions(), 0,
		`1: byte 6: expected ':' after a key, found "1}"`, `2: byte 2: expected a quoted key, found "a:1}"`)
	check("{\"a\":tru}\n{\"a\":[1,]}\n{\"a\":[1 2]}\n", testOptions(), 0,
		`1: byte 6: expected a JSON value, found "tru}"`, `2: byte 9: expected a JSON value, found "]}"`,
		`3: byte 9: expected ',' or ']' after an element, found "2]}"`)
	check("{\"a\":01}\n{\"a\":1.}\n{\"a\":1e}\n{\"a\":-}\n", testOptions(), 0,
		`1: byte 7: expected ',' or '}' after a value, found "1}"`, `2: byte 8: expected a digit after '.', found "}"`,
		`3: byte 8: expected a digit in the exponent, found "}"`, `4: byte 7: expected a digit, found "}"`)
	check("{\"a\":1e999}\n", testOptions(), 0, `1: number "1e999" does not fit a 64-bit float (at most 1.7976931348623157e+308)`)
	check("{\"a\":\"b\n{\"a\":\"b\\\n{\"a\":\"\\\"\n", testOptions(), 0,
		"1: string without its closing quote", "2: string without its closing quote", "3: string without its closing quote")
	check("{\"a\":\"\\q\"}\n{\"a\":\"\\u12\"}\n", testOptions(), 0,
		`1: byte 7: unknown escape "\\q\"}": allowed are \" \\ \/ \b \f \n \r \t \uXXXX`,
		`2: byte 7: unknown escape "\\u12\"}": allowed are \" \\ \/ \b \f \n \r \t \uXXXX`)
	check("{\"a\":\"\\q1234zz\"}\n", testOptions(), 0, `1: byte 7: unknown escape "\\q1234zz": allowed are \" \\ \/ \b \f \n \r \t \uXXXX`)
	check(strings.Repeat("\n", 100_000)+"x\ty\nz\n", testOptions("x", "y"), 1, "100002: 1 columns, want 2")
	check("{\"a\":"+strings.Repeat("[", maxDepth)+"\n", testOptions(), 0, "1: nested deeper than the 512 levels allowed")
	check("a\tb\nc\nd\te\tf\n", testOptions("x", "y"), 2, "2: 1 columns, want 2")
	check("# no header\na\tb\n", testOptions(), 0, "2: a row before any #fields line: "+columnHelp)
	check("#fields\ta\tb\n#types\tcount\n1\t2\n1\n1\t2\t3\n", testOptions(), 1,
		"2: 1 #types for 2 #fields: want one for each", "4: 1 columns, want 2", "5: 3 columns, want 2")
	check("#separator \n", testOptions(), 0, `1: #separator is empty: want the bytes between two columns, as in #separator \x09`)
}

func TestLongLines(t *testing.T) {
	fits := `{"a":"` + strings.Repeat("x", maxLine-8) + `"}`
	path := write(t, "long", fits+"\n"+fits+" \n"+fits+"\r\n{}")
	events, bad := readAll(t, open(t, path, testOptions()))
	if len(events) != 3 || len(events[0]) < maxLine || len(bad) != 1 {
		t.Fatalf("%d events, errors %v; want 3 and one", len(events), bad)
	}
	if want := path + ":2: line longer than the 16 MiB allowed"; bad[0].Error() != want {
		t.Errorf("got %v, want %s", bad[0], want)
	}
}

func TestDamagedGzip(t *testing.T) {
	whole := gzipped(t, strings.Repeat("{\"a\":\"bbbbbbbbbbbb\"}\n", 50))
	path := write(t, "cut.gz", whole[:len(whole)-6])
	r := open(t, path, testOptions())
	n := 0
	for {
		_, err := r.AppendRecord(nil)
		if err == nil {
			n++
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), path+":51: ") {
			t.Errorf("got %v, want an unexpected end at line 51", err)
		}
		break
	}
	if n != 50 {
		t.Errorf("%d events before the damage, want 50", n)
	}
}

// What is wrong with a compressed file is said in words, and what lies before it is read.
func TestWhatIsWrongWithGzip(t *testing.T) {
	whole := gzipped(t, strings.Repeat("{\"a\":\"bbbbbbbbbbbb\"}\n", 50))
	damaged := []byte(whole)
	damaged[len(damaged)-7] ^= 1 // of the checksum
	for name, c := range map[string]struct{ content, want string }{
		"cut off":                        {whole[:len(whole)-6], "51: the compressed file is cut off within its gzip data, want the whole file"},
		"cut off in the second":          {whole + whole[:20], "51: the compressed file is cut off within its gzip data, want the whole file"},
		"with a longer text behind":      {whole + "no gzip, but text", "51: behind the gzip data the file has bytes that are no gzip: want nothing there, or more gzip data"},
		"with less than a header behind": {whole + "\n", "51: behind the gzip data the file has bytes that are no gzip"},
		"damaged":                        {string(damaged), "51: the gzip data of the file are damaged, want a whole file: gzip: invalid checksum"},
		"damaged within":                 {whole[:10] + "\xff\xff" + whole[12:], "gzip data of the file are damaged, want a whole file: flate: corrupt input"},
	} {
		path := write(t, "x.gz", c.content)
		n := 0
		r, err := Open(path, testOptions())
		for err == nil {
			if _, err = r.AppendRecord(nil); err == nil {
				n++
			}
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.HasPrefix(c.want, "51:") && n != 50 {
			t.Errorf("%s: %d events, %v, want %s", name, n, err, c.want)
		}
	}
}

// What is no text is told as what it is, however the file is read; what may be a log in some encoding is none of it.
func TestOtherContent(t *testing.T) {
	const line = "Oct  1 00:00:02 web sshd[7]: Accepted password for a from 198.51.100.1 port 1 ssh2\n"
	wide := func(text string, high, low int) string {
		b := make([]byte, 2*len(text))
		for i := range len(text) {
			b[2*i+low], b[2*i+high] = text[i], 0
		}
		return string(b)
	}
	random := make([]byte, 4096)
	for i, rng := 0, rand.New(rand.NewPCG(1, 2)); i < len(random); i++ {
		random[i] = byte(rng.Uint32())
	}
	for _, c := range []struct{ content, want string }{
		{"\xff\xfe" + wide(line, 1, 0), "UTF-16 text, want UTF-8: convert it (iconv -f UTF-16 -t UTF-8)"},
		{"\xfe\xff" + wide(line, 0, 1), "UTF-16 text, want UTF-8: convert it (iconv -f UTF-16 -t UTF-8)"},
		{wide(`{"a":"bbbbbbbbbbbbbbbbbb"}`, 1, 0), "UTF-16 text, want UTF-8: convert it (iconv -f UTF-16LE -t UTF-8)"},
		{wide(line, 0, 1), "(iconv -f UTF-16BE -t UTF-8)"},
		{gzipped(t, "\xff\xfe"+wide(line, 1, 0)), "UTF-16 text, want UTF-8"},
		{"\x28\xb5\x2f\xfd" + line, "compressed by zstd, want text or gzip: decompress it first (zstd -dc)"},
		{"BZh91AY&SY" + line, "compressed by bzip2"},
		{"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + string(random), "no text: name a log"},
		{"x" + string(random), "no text: name a log"},
	} {
		for _, opt := range []Options{{}, {Lines: true}, {Text: true}, testOptions("a", "b")} {
			var content *ContentError
			if r, err := Open(write(t, "x", c.content), opt); err == nil || !errors.As(err, &content) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.20q, %+v: %v, want %s", c.content, opt, err, c.want)
				if err == nil {
					r.Close()
				}
			}
		}
	}
	for _, content := range []string{line, "BZh" + line, strings.Repeat("\x00", 3000) + line, "\x1b[1m\xcf\xf0\xe8\xe2\xe5\xf2 " + line, "a\x00\x01", strings.Repeat("\xc4\xe3\xba\xc3", 20) + "\n"} {
		if events := readGood(t, write(t, "x", content), Options{Lines: true}); len(events) != 1 {
			t.Errorf("%.20q: %d events", content, len(events))
		}
	}
}

// TestSameContentAnyForm: plain, gzipped, with a byte order mark, CRLF, blank
// lines around and no last line end are one log.
func TestSameContentAnyForm(t *testing.T) {
	const plain = "{\"a\":1}\n{\"a\":2}\n"
	want := readGood(t, write(t, "plain", plain), testOptions())
	for _, form := range []string{
		gzipped(t, plain), gzipped(t, plain[:8]) + gzipped(t, plain[8:]), "\ufeff" + plain,
		strings.ReplaceAll(plain, "\n", "\r\n"), "\n \n\t" + strings.ReplaceAll(plain, "\n", "\n\n"), strings.TrimSpace(plain),
	} {
		got := readGood(t, write(t, "form", form), testOptions("ignored"))
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%q: got %q, want %q", form, got, want)
		}
	}
	if got := readGood(t, write(t, "empty", "\n\n"), testOptions()); len(got) != 0 {
		t.Errorf("blank file: got %q", got)
	}
}

func TestStandardInput(t *testing.T) {
	read, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	if _, err := feed.WriteString("{\"a\":1}\nbad\n"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	r := open(t, "-", testOptions())
	events, bad := readAll(t, r)
	if len(events) != 1 || len(bad) != 1 || !strings.HasPrefix(bad[0].Error(), "standard input:2: ") {
		t.Errorf("%d events, errors %v", len(events), bad)
	}
	if n, total := r.Progress(); n != 12 || total != 0 {
		t.Errorf("progress %d of %d, want 12 of unknown", n, total)
	}
}

func TestProgress(t *testing.T) {
	file := write(t, "zeek.gz", gzipped(t, string(samples.Own(t, samples.OwnZeekJSON))))
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, file, testOptions())
	readAll(t, r)
	if read, total := r.Progress(); read != info.Size() || total != info.Size() {
		t.Errorf("progress %d of %d at the end, want %d of as many", read, total, info.Size())
	}
}

// TestAppends: what the caller had before stays, with an event and with an error.
func TestAppends(t *testing.T) {
	r := open(t, write(t, "a", "{\"a\":1}\n{\"a\":\n"), testOptions())
	dst, err := r.AppendRecord([]byte("keep"))
	if err != nil || !bytes.HasPrefix(dst, []byte("keep\x92")) {
		t.Fatalf("got %q, %v", dst, err)
	}
	one := string(dst)
	if dst, err = r.AppendRecord(dst); err == nil || string(dst) != one {
		t.Errorf("after a bad line: %q, %v; want %q and an error", dst, err, one)
	}
	if dst, err = r.AppendRecord(dst); err != io.EOF || string(dst) != one {
		t.Errorf("at the end: %q, %v", dst, err)
	}
}

// With Text every file is lines, as tail without a parser reads it.
func TestText(t *testing.T) {
	for _, content := range []string{"{\"a\":1}\n", "#fields\ta\n", "x y\n"} {
		for _, form := range []string{"\n" + content, gzipped(t, content)} {
			events := readGood(t, write(t, "log", form), Options{Text: true})
			if len(events) != 1 {
				t.Fatalf("%q: %d events", content, len(events))
			}
			if got := fields(t, events[0]); len(got) != 1 || got["log"] != strings.TrimSuffix(content, "\n") {
				t.Errorf("%q: %v", content, got)
			}
		}
	}
}

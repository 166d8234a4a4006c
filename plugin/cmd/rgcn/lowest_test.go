package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"flb-filter-rgcn/build/samples"
)

// TestLowest: the table is what sorting all the records gives.
func TestLowest(t *testing.T) {
	for name, n := range map[string]int{"fewer than have a low score": 10, "more": 100} {
		t.Run(name, func(t *testing.T) { testLowest(t, n) })
	}
}

func testLowest(t *testing.T, n int) {
	file := filepath.Join(t.TempDir(), "out")
	stdout, _ := mustRun(t, withSmall("replay", "-columns", columns, "-set", "train_interval=6h", "-set", "explain=on",
		"-set", "relation=client,status", "-lowest", strconv.Itoa(n), "-o", file, samples.SessionsPath(t))...)

	type want struct {
		line  map[string]any
		score float64
		count int
	}
	byTriplet := map[string]*want{}
	var all []*want
	for _, line := range lines(t, read(t, file)) {
		m := decode(t, line)
		score, ok := m["score"].(float64)
		if !ok {
			continue
		}
		key := fmt.Sprint(m["id.orig_h"], " ", m["client"], "|", m["status"], " ", m["id.resp_h"])
		w := byTriplet[key]
		if w == nil {
			w = &want{line: m, score: score}
			byTriplet[key] = w
			all = append(all, w)
		}
		w.count++
		low, before := m["low_score"] == true, w.line["low_score"] == true
		if low && !before || low == before && score < w.score {
			w.line, w.score = m, score
		}
	}
	isHigh := func(w *want) int {
		if w.line["low_score"] == true {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b *want) int { return cmp.Or(isHigh(a)-isHigh(b), cmp.Compare(a.score, b.score)) })

	gap := regexp.MustCompile("  +")
	stdout, evidence, _ := strings.Cut(stdout, "\nEVIDENCE\n")
	stdout, notes, _ := strings.Cut(stdout, "\n\n")
	table := strings.Split(stdout, "\n")
	lows := 0
	for lows < len(all) && isHigh(all[lows]) == 0 {
		lows++
	}
	below := fmt.Sprintf("%d of %d distinct triplets with a low score; rgcn lowest -n %d shows all\n", n, lows, lows)
	if n == 100 {
		below = fmt.Sprintf("Rows with a low score: %d of %d. No other triplet has one.\n", lows, n)
		if lows > 0 && all[lows-1].score > all[lows].score {
			below += footnote
		}
	}
	if lows <= 10 || lows >= 100 || notes != below {
		t.Errorf("below the table %q, want %q, of %d", notes, below, lows)
	}
	if got := gap.Split(table[0], -1); !slices.Equal(got, []string{"SCORE", "LOW", "REASON", "TIME", "SOURCE", "RELATION", "DESTINATION", "COUNT"}) || len(table) != n+1 {
		t.Fatalf("header %q of %d lines, want %d", got, len(table), n+1)
	}
	for i, w := range all[:n] {
		ts, err := strconv.ParseFloat(w.line["ts"].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			fmt.Sprintf("%.6f", w.score), fmt.Sprint(w.line["low_score"]), fmt.Sprint(w.line["score_reason"]),
			time.Unix(int64(ts), 0).UTC().Format(time.DateTime), fmt.Sprint(w.line["id.orig_h"]),
			fmt.Sprint(w.line["client"], "|", w.line["status"]), fmt.Sprint(w.line["id.resp_h"]), strconv.Itoa(w.count),
		}
		if got := gap.Split(table[i+1], -1); !slices.Equal(got, want) {
			t.Errorf("row %d: got %q, want %q", i, got, want)
		}
		place := fmt.Sprintf("%d. %s -> %s: ", i+1, want[4], want[6])
		if told := strings.Contains("\n"+evidence, "\n"+place); told != (w.line["low_score"] == true) {
			t.Errorf("row %d: evidence is told: %v", i, told)
		}
	}
}

// TestLowestPlaces: the table is written to standard error if the records are written to standard output, else to
// standard output.
func TestLowestPlaces(t *testing.T) {
	in := write(t, "in", `{"id.orig_h":"a","id.resp_h":"b"}`+"\n")
	const none = noScoreYet + "\n"
	for _, args := range [][]string{{in}, {"-o", "-", in}} {
		stdout, stderr := mustRun(t, append([]string{"replay", "-q", "-lowest", "3"}, args...)...)
		if stderr != none || !strings.HasPrefix(stdout, `{"id.orig_h":"a",`) {
			t.Errorf("%q: output %q, %q", args, stdout, stderr)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	if stdout, stderr := mustRun(t, "replay", "-q", "-lowest", "3", "-o", out, in); stdout != none || stderr != "" {
		t.Errorf("with -o: output %q, %q", stdout, stderr)
	}
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"", "192.168.28.254", "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3", "\x1b[2J\a", "a\tb\nc", "\xff\xfe", "привет", strings.Repeat("x", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cell(s)
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }) || len([]rune(got)) > 60 {
			t.Errorf("%q: got %q", s, got)
		}
	})
}

func TestLowestOfEnrichedRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scored.ndjson")
	var b strings.Builder
	for i := range 50 {
		fmt.Fprintf(&b, `{"ts":%d.5,"id.orig_h":"h%d","id.resp_h":"s","client":"c","score":0.%02d,"low_score":%v,"label":"kind%d"}`+"\n", 1600000000+i, i%25, 75-i, i > 40, i)
	}
	b.WriteString(`{"ts":1600000000,"id.orig_h":"z","id.resp_h":"s","client":"c","score":0.1,"low_score":true,"label":"last","score_pair_days":1,` +
		`"score_source_destinations":2,"score_destination_sources":3,"score_source_relations":["Go","x"],"score_peers":["p1","p2",7,"p3","p4"]}` + "\n")
	b.WriteString(`{"message":"no score"}` + "\n" + `{"id.orig_h":"x","id.resp_h":"y","score":null,"low_score":false}` + "\n")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := execute(context.Background(), []string{"lowest", "-n", "2", path}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	want := "SCORE     LOW   TIME                 SOURCE  RELATION  DESTINATION  COUNT  LABEL\n" +
		"0.100000  true  2020-09-13 12:26:40  z       c         s            1      last\n" +
		"0.260000  true  2020-09-13 12:27:29  h24     c         s            2      kind49\n" +
		"\n2 of 10 distinct triplets with a low score; rgcn lowest -n 10 shows all\n" +
		"\nEVIDENCE\n1. z -> s: never met before; source: 2 other destinations, mostly by Go, x; destination: 3 other sources, of which p1, p2, p3 are most like this one\n"
	if out.String() != want {
		t.Errorf("\n%s\nwant\n%s", out.String(), want)
	}
}

// TestLowestOrder: low scores come before lower ones that are not low, and lines below the table say how many rows are
// low, and why a score may be low beside a lower one that is not.
func TestLowestOrder(t *testing.T) {
	const inversion = "LOW is as of its TIME"
	for _, c := range []struct {
		low   [3]bool // of scores that rise
		n     string
		order string
		notes []string
		odd   bool // inversion is told
	}{
		{[3]bool{true, true, false}, "10", "s0 s1 s2", []string{"\nRows with a low score: 2 of 3. No other triplet has one.\n"}, false},
		{[3]bool{}, "10", "s0 s1 s2", []string{"\nNo record has a low score.\n"}, false},
		{[3]bool{true, false, true}, "10", "s0 s2 s1", []string{"\nRows with a low score: 2 of 3", inversion}, true},
		{[3]bool{false, true, true}, "2", "s1 s2", nil, false},
		{[3]bool{false, true, true}, "1", "s1", []string{"\n1 of 2 distinct triplets with a low score; rgcn lowest -n 2 shows all\n"}, false},
		{[3]bool{true, true, true}, "3", "s0 s1 s2", nil, false},
	} {
		text := ""
		for i, low := range c.low {
			text += fmt.Sprintf(`{"ts":"%d","id.orig_h":"s%d","id.resp_h":"d","client":"c","score":0.00%d,"low_score":%v}`+"\n", 1_700_000_000+i, i, i+1, low)
		}
		out, _ := mustRun(t, "lowest", "-n", c.n, write(t, "scored", text))
		has(t, out, c.notes...)
		table, notes, _ := strings.Cut(out, "\n\n")
		var order []string
		for _, line := range strings.Split(strings.TrimSpace(table), "\n")[1:] {
			order = append(order, strings.Fields(line)[4])
		}
		if got := strings.Join(order, " "); got != c.order || strings.Contains(notes, inversion) != c.odd || c.notes == nil && notes != "" {
			t.Errorf("%v -n %s: %s", c.low, c.n, out)
		}
	}
}

// TestLowestPrefersLow: a triplet that had a low score once is shown at that, though it had a lower one that was not low.
func TestLowestPrefersLow(t *testing.T) {
	const record = `{"ts":"1700000000","id.orig_h":"s","id.resp_h":"d","client":"c","score":%s,"low_score":%v}` + "\n"
	for _, order := range []string{fmt.Sprintf(record+record, "0.001", false, "0.02", true), fmt.Sprintf(record+record, "0.02", true, "0.001", false)} {
		out, _ := mustRun(t, "lowest", write(t, "scored", order))
		has(t, out, "0.020000  true", "  2\n")
		if strings.Contains(out, "0.001") {
			t.Error(out)
		}
	}
}

// Settings that a command does not read are refused, not ignored.
func TestSettingsThatAreNotRead(t *testing.T) {
	in := write(t, "scored.ndjson", `{"id.orig_h":"a","id.resp_h":"b","score":0.5,"low_score":false}`+"\n")
	for _, args := range [][]string{
		{"lowest", "-set", "state_dir=" + t.TempDir(), in}, {"lowest", "-set", "train_steps=5", in},
		{"report", "-set", "metrics_listen=127.0.0.1:1", in},
	} {
		if _, stderr, status := rgcn(args...); status != exitUsage || !strings.Contains(stderr, " does not read ") {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
	for _, command := range []string{"lowest", "report", "allow"} {
		if help, _ := mustRun(t, command, "-h"); strings.Contains(help, "\n  -state") {
			t.Errorf("%s: its help has a flag that it refuses:\n%s", command, help)
		}
	}
	mustRun(t, "lowest", "-set", "score=score", "-set", "explain=on", "-preset", "zeek", in)
}

// TestLowestSources: source alerts with the most points first, the latest first where records have no points.
func TestLowestSources(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "scored")
	text := ""
	for i, alert := range []string{`,"source_alert":true,"score_source_risk":2.5,"score_source_triplets":3`, ``, `,"source_alert":true,"score_source_risk":7,"score_source_triplets":4`,
		`,"source_alert":true`, `,"source_alert":true`, `,"score_source_risk":99,"score_source_triplets":9`} {
		text += fmt.Sprintf(`{"ts":"%d","id.orig_h":"s%d","id.resp_h":"d","client":"c","score":0.1,"low_score":false%s,"score_reason":"rare"}`+"\n", 1_700_000_000+i, i, alert)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var table, notes string
	sources := func(args ...string) (got []string) {
		out, _ := mustRun(t, append(append([]string{"lowest", "-sources"}, args...), file)...)
		table, notes, _ = strings.Cut(out, "\n\n")
		for _, l := range strings.Split(strings.TrimSpace(table), "\n") {
			got = append(got, strings.Join(strings.Fields(l)[:3], " "))
		}
		return got
	}
	if got, want := sources(), []string{"POINTS TRIPLETS SOURCE", "7 4 s2", "2.5 3 s0", "- - s4", "- - s3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !strings.HasPrefix(notes, "POINTS and TRIPLETS need Explain On") {
		t.Errorf("below the table %q", notes)
	}
	if got, want := sources("-n", "1"), []string{"POINTS TRIPLETS SOURCE", "7 4 s2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if want := "1 of 4 source alerts; rgcn lowest -sources -n 4 shows all\n"; notes != want {
		t.Errorf("below the table %q, want %q", notes, want)
	}
	if err := os.WriteFile(file, []byte(text+`{"ts":"1700000009","id.orig_h":"s9","id.resp_h":"d","score":0.1,"low_score":true,"source_alert":true,"score_source_risk":9,`+
		`"score_source_triplets":3,"score_source_reached_by":"s2"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := mustRun(t, "lowest", "-sources", "-n", "2", file)
	for i, want := range []string{"POINTS TRIPLETS SOURCE REACHED BY TIME", "9 3 s9 s2 2023-11-14", "7 4 s2 - 2023-11-14"} {
		if got := strings.Join(strings.Fields(lines(t, out)[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := os.WriteFile(file, []byte(`{"ts":"1","id.orig_h":"s","id.resp_h":"d","score":0.1,"low_score":false}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := mustRun(t, "lowest", "-sources", file); out != "no source is reported\n" {
		t.Errorf("%q", out)
	}
}

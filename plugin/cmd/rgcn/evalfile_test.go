package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/model/simulate"
)

// ownFlags name the fields of the records below.
var ownFlags = []string{"-preset", "custom", "-set", "source=source", "-set", "destination=destination", "-set", "relation=relation", "-set", "time=ts", "-seeds", "1"}

// evalRows runs eval with -json and returns its rows as T.
func evalRows[T any](t *testing.T, args ...string) (rows T) {
	t.Helper()
	code, out, errs := runEval(t, append(append([]string{"-json"}, args...), small...)...)
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil {
		t.Fatalf("%v: exit %d, %v: %s", args, code, err, errs)
	}
	return rows
}

// ndjson makes records of lines "source destination hours more", where more is further JSON for the record.
func ndjson(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		p := strings.SplitN(line, " ", 4)
		var hours float64
		fmt.Sscan(p[2], &hours)
		fmt.Fprintf(&b, `{"ts":%.3f,"source":%q,"relation":"-","destination":%q%s}`+"\n", 1_600_000_000+3600*hours, p[0], p[1], p[3])
	}
	return b.String()
}

// usual are three days with 72 sessions a day among 24 clients and 12 servers, the same ones every day but for a few.
func usual() (lines []string) {
	for i := range 3 * 72 {
		day, n := i/72, i%72
		lines = append(lines, fmt.Sprintf("c%d s%d %.2f ,\"kind\":\"\",\"label\":0", n%24, (n%24)/2+(n/24+day)%3, float64(24*day)+float64(n)/4))
	}
	return lines
}

// By the rule that flags what was never seen: on day 2 the attacks are one pair that was seen and two that were not;
// the benign records are 72 that were seen on days 0 and 1 and one that was not. What is neither does not count.
func TestEvalByDay(t *testing.T) {
	file := write(t, "labelled", ndjson(append(usual(),
		`c0 s0 66 ,"kind":"r2l","label":1`, `c0 x 66.1 ,"kind":"r2l","label":1`, `c1 x 66.2 ,"kind":"u2r","label":1`,
		`c2 x 66.3 ,"kind":"","label":0`, `c3 x 66.4 ,"kind":"odd","label":1`, `c4 x 66.5 ,"kind":"dos","label":1`, `c4 x 66.6 ,"kind":"","label":0`)...))
	of := func(args ...string) map[string]eval.Row {
		rows := map[string]eval.Row{}
		for _, r := range evalRows[[]eval.Row](t, append(append(args, ownFlags...), "-by-day", "-from-day", "2", file)...) {
			rows[r.Method] = r
		}
		return rows
	}
	rows := of("-attack-if", "kind=r2l|u2r", "-benign-if", "label=0")
	if len(rows) != 6 {
		t.Errorf("%d methods", len(rows))
	}
	// Seen before: 72 and, of c4 x, the last: 73 of 74. An attack that was not ties with the one, and wins 73; one that
	// was ties with 73.
	want := (2*(73+0.5) + 73.0/2) / (3 * 74)
	if got := rows["never-seen rule"].AUC.Mean; !isNear(got, want) {
		t.Errorf("AUC %v, want %v", got, want)
	}
	if got := rows["never-seen rule"].Alerts.Mean; got != 3 {
		t.Errorf("%v alerts, want 3", got)
	}
	// Without the flood c4 x is new; with the label all that is not 0 is an attack.
	want = (2*(72+2.0/2) + 72.0/2) / (3 * 74)
	if got := of("-methods", "never-seen", "-attack-if", "kind=r2l|u2r", "-benign-if", "label=0", "-drop-if", "kind=dos")["never-seen rule"].AUC.Mean; !isNear(got, want) {
		t.Errorf("AUC without the flood %v, want %v", got, want)
	}
	want = (4*(73+1.0/2) + 73.0/2) / (5 * 74)
	if got := of("-methods", "never-seen")["never-seen rule"].AUC.Mean; !isNear(got, want) {
		t.Errorf("AUC by the label %v, want %v", got, want)
	}
	if rows := of("-methods", "sort,never-seen", "-ablations", "-train-every", "6h"); len(rows) < 8 {
		t.Errorf("%d rows with ablations", len(rows))
	}
}

// Times of 1970 and of 2262 among the records: eval takes as long as for any other as many.
func TestEvalOfFarTimes(t *testing.T) {
	for _, hours := range []string{"-444444.4", "2115179.2"} {
		file := write(t, "far", ndjson(append(usual(), `c0 x 66 ,"label":1`, `c1 s1 `+hours+` ,"label":0`)...))
		for _, args := range [][]string{{"-by-day", "-from-day", "2"}, {"-parts", "3"}} {
			rows := evalRows[[]eval.Row](t, append(append(args, ownFlags...), "-methods", "sort,r-gcn", file)...)
			if len(rows) != 2 {
				t.Errorf("%s h, %q: %+v", hours, args, rows)
			}
		}
	}
}

// One record with a wrong time before all others counts as a day, not as thousands, and is told.
func TestEvalByDayWithAWrongTime(t *testing.T) {
	lines := append(usual(), `c0 x 66 ,"label":1`, `c1 s1 66.1 ,"label":0`)
	of := func(lines []string) (float64, string) {
		code, out, errs := runEval(t, append(append([]string{"-json", "-by-day", "-methods", "never-seen"}, ownFlags...), write(t, "log", ndjson(lines...)))...)
		var rows []eval.Row
		if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil {
			t.Fatalf("exit %d, %v: %s", code, err, errs)
		}
		return rows[0].AUC.Mean, errs
	}
	_, errs := of(lines)
	has(t, errs, "judged: 146 sessions, 1 of them attacks, in 2 days of 1 run")
	got, errs := of(append(lines, `c0 s0 -444444.4 ,"label":0`))
	has(t, errs, "the records span 18522 days, of which only 5 have any: is a time wrong?", "judged: 171 sessions")
	if got < 0.9 {
		t.Errorf("AUC %v with a record of 1970", got)
	}
}

// A table of made-up figures is worse than none.
func TestEvalOfNothing(t *testing.T) {
	attacks := func(label string) (lines []string) {
		for _, line := range usual() {
			lines = append(lines, strings.Replace(line, `"label":0`, `"label":`+label, 1))
		}
		return lines
	}
	early := append(usual(), `c0 x 1 ,"label":1`)
	for _, c := range []struct {
		lines []string
		args  []string
		want  string
	}{
		{attacks(`"odd"`), []string{"-parts", "3"}, "all of the 130 sessions that are judged are attacks: say which are benign"},
		{early, []string{"-parts", "3"}, "none of the 131 sessions that are judged is an attack"},
		{append(usual(), `c0 x 66 ,"label":1`), []string{"-by-day", "-set", "train_min_edges=5000"}, "came before the first training: the log has too few distinct triplets to learn from (train.min_edges = 5000)"},
		{usual(), []string{"-by-day", "-from-day", "0"}, "-from-day 0: want 1 or more"},
	} {
		args := slices.Concat(c.args, ownFlags, []string{"-methods", "sort", write(t, "log", ndjson(c.lines...))})
		if code, out, errs := runEval(t, args...); code == 0 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %q: %s; want %q", c.args, code, out, errs, c.want)
		}
	}
	// Labels of benign sessions come in all letters.
	for _, label := range []string{`"BENIGN"`, `"False"`, `"normal"`, `"0"`} {
		lines := append(attacks(label), `c0 x 66 ,"label":1`)
		evalRows[[]eval.Row](t, append(append([]string{"-parts", "3", "-methods", "sort"}, ownFlags...), write(t, "log", ndjson(lines...)))...)
	}
	// A condition takes what Only does.
	lines := append(usual(), `c0 x 66 ,"label":1`, `c0 y 66 ,"label":1,"ok":false`)
	of := func(drop string) float64 {
		file := write(t, "log", ndjson(lines...))
		return evalRows[[]eval.Row](t, append(append([]string{"-parts", "3", "-methods", "never-seen", "-drop-if", drop}, ownFlags...), file)...)[0].Alerts.Mean
	}
	if a, b := of("ok=F"), of("ok=false"); a != b || a == of("ok=x") {
		t.Errorf("%v alerts without ok=F, %v without ok=false, %v with both", a, b, of("ok=x"))
	}
}

func isNear(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

// Pairs of day 3: two that were seen, one that is new, and as many made-up ones, of which the rule knows one.
func linkFiles(t *testing.T) (events, test string) {
	t.Helper()
	return write(t, "events", ndjson(usual()...)), write(t, "test", ndjson(
		`c0 s0 75 ,"label":0,"seed":0,"new":0`, `c1 s1 75 ,"label":0,"seed":0,"new":0`, `c1 s9 75 ,"label":0,"seed":0,"new":1`,
		`s0 c0 75 ,"label":1,"seed":0,"new":1`, `s1 c1 75 ,"label":1,"seed":0,"new":1`, `c2 s2 75 ,"label":1,"seed":0,"new":0`))
}

func TestEvalLinks(t *testing.T) {
	events, test := linkFiles(t)
	rule := func(args ...string) eval.LinkRow {
		t.Helper()
		for _, r := range evalRows[[]eval.LinkRow](t, append(append(args, ownFlags...), "-links", test, events)...) {
			if r.Method == "never-seen rule" {
				return r
			}
		}
		t.Fatal("no rule")
		return eval.LinkRow{}
	}
	// 1 1 0 against 0 0 1: a seen pair wins two and ties with one, a new one ties with two.
	r := rule()
	if want := (2*(2+0.5) + 2*0.5) / 9; !isNear(r.AUC.Mean, want) {
		t.Errorf("AUC %v, want %v", r.AUC.Mean, want)
	}
	if want := (2 * 0.5) / 3; !isNear(r.NewAUC.Mean, want) {
		t.Errorf("AUC of new pairs %v, want %v", r.NewAUC.Mean, want)
	}
	// In both directions .5 .5 0 against .5 .5 .5.
	if r, want := rule("-undirected", "-methods", "never-seen"), (6*0.5)/9.0; !isNear(r.AUC.Mean, want) {
		t.Errorf("undirected AUC %v, want %v", r.AUC.Mean, want)
	}
	code, out, errs := runEval(t, append(append([]string{"-links", test, events}, ownFlags...), small...)...)
	if code != 0 {
		t.Fatal(errs)
	}
	has(t, out, "NEW PAIRS: AUC %", "sort by counts", "reference objective")
}

func TestEvalLinksRefuses(t *testing.T) {
	events, _ := linkFiles(t)
	for _, c := range []struct{ test, want string }{
		{`c0 s0 75 ,"label":2`, "want 0 for a true pair"},
		{`c0 s0 75 ,"label":0,"snapshot":3`, "some records have a snapshot"},
	} {
		code, _, errs := runEval(t, append([]string{"-links", write(t, "test", ndjson(c.test)), events}, ownFlags...)...)
		if code != exitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d: %s", c.test, code, errs)
		}
	}
	numbered := write(t, "events", ndjson(`a b 1 ,"snapshot":"x"`))
	if code, _, errs := runEval(t, append([]string{"-links", events, numbered}, ownFlags...)...); code != exitFailed || !strings.Contains(errs, "want an integer") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestEvalAll(t *testing.T) {
	dir := t.TempDir()
	events, test := linkFiles(t)
	for from, to := range map[string]string{events: "radoslaw.ndjson.gz", test: "radoslaw_test.ndjson.gz"} { // gzipped or not is seen by the content
		if err := os.Rename(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-all", "-data", dir, "-seeds", "2", "-methods", "r-gcn,never-seen,sort", "-train-every", "1d"}
	all := evalRows[struct {
		Worlds []eval.World
		Worst  *eval.Gap
	}](t, args...)
	names := simulate.Worlds()
	if n := len(names); len(all.Worlds) != n+1 || all.Worlds[0].Name != names[0] || all.Worlds[n].Name != "radoslaw" || all.Worst == nil || len(all.Worlds[0].Figures[0].Methods) != 3 {
		t.Errorf("%+v", all)
	}
	code, out, errs := runEval(t, append(args, "-set", "train_steps=5", "-set", "model_dim=8")...)
	if code != 0 {
		t.Fatal(errs)
	}
	has(t, out, "WORLD", "office", "recall@40", "radoslaw", "R-GCN IS", "worst: ", simulate.Worlds()[4])
	if code, _, errs := runEval(t, "-all", "-data", t.TempDir()); code != exitFailed || !strings.Contains(errs, "want enron10.ndjson.gz with enron10_test.ndjson.gz, ") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestEvalRefusesFlagsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-by-day"}, "-by-day wants a FILE"},
		{[]string{"-links", "x"}, "-links wants a FILE"},
		{[]string{"-all", "x"}, "-all reads no FILE"},
		{[]string{"-all", "-hosts", "50"}, "-hosts does not go with -all: it is for simulated days, attacks on the first simulated day, -resistance"},
		{[]string{"-parts", "3"}, "-parts does not go with simulated days"},
		{[]string{"-columns", "a,b"}, "-columns does not go with simulated days: it is for FILE, -by-day, -links"},
		{[]string{"-all", "-columns", "a,b"}, "-columns does not go with -all"},
		{[]string{"-sources", "-strict"}, "-strict does not go with -sources"},
		{[]string{"-state", "x", "-by-day", "y"}, "-state does not go with -by-day: eval begins with nothing"},
		{[]string{"-world", "flat", "-train-every", "6h"}, "-train-every does not go with attacks on the first simulated day"},
		{[]string{"-from-day", "3", "x"}, "-from-day does not go with FILE"},
		{[]string{"-by-day", "-from-day", "-1", "x"}, "-from-day -1: want 1 or more"},
		{[]string{"-undirected", "x"}, "-undirected does not go with FILE: it is for -links"},
		{[]string{"-data", "x"}, "-data does not go with simulated days"},
		{[]string{"-by-day", "-links", "x", "y"}, "-by-day does not go with -links"},
		{[]string{"-train-every", "1s"}, "at least 10m0s"},
		{[]string{"-train-every", "1s"}, "at most 36500d"},
		{[]string{"-train-every", "36501d"}, "at least 10m0s, at most 36500d"},
		{[]string{"-train-every", "soon"}, "such as 6h"},
		{[]string{"-attack-if", "x", "y"}, "want key=value"},
		{[]string{"-methods", "magic"}, "want some of r-gcn"},
		{[]string{"-step", "0", "-links", "x", "y"}, "1 or more"},
	} {
		if code, _, errs := runEval(t, c.args...); code != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, want %q in %s", c.args, code, c.want, errs)
		}
	}
	oneDay := write(t, "one", ndjson(`a b 1 ,"label":1`, `a b 2 ,"label":0`))
	if code, _, errs := runEval(t, append([]string{"-by-day", oneDay}, ownFlags...)...); code != exitFailed || !strings.Contains(errs, "days in the records: 1") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

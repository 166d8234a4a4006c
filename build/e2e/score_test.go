package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// TestTheNotebooksFile uses conf/fluent-bit.conf as a user does, with the parser for that file, while the file grows.
func TestTheNotebooksFile(t *testing.T) {
	t.Parallel()
	conf, err := os.ReadFile("../../conf/fluent-bit.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replaced := func(conf, old, new string) string {
		t.Helper()
		if strings.Count(conf, old) != 1 {
			t.Fatalf("conf/fluent-bit.conf has %q %d times", old, strings.Count(conf, old))
		}
		return strings.Replace(conf, old, new, 1)
	}
	parsers, err := os.ReadFile("../../conf/parsers.conf")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "parsers.conf", string(parsers))
	input := filepath.Join(dir, "ssh.log")
	plain := replaced(string(conf), "          zeek_json\n", "          zeek_tsv_2012\n")
	plain = replaced(plain, "${SSH_LOG:-/opt/zeek/logs/current/ssh.log}", input)
	const preset = "    Preset          zeek\n"
	enriched := replaced(plain, preset, preset+"    Train_Interval  1h\n    Train_Steps     50\n    Model_Dim       32\n")
	filterSection := strings.Index(plain, "\n[FILTER]")
	plain = plain[:filterSection] + plain[filterSection+strings.Index(plain[filterSection:], "\n[OUTPUT]"):]

	rows := strings.SplitAfter(sessions(t), "\n")
	const first = 3000
	write(t, dir, "ssh.log", strings.Join(rows[:first], ""))
	with := start(t, "-c", write(t, dir, "with.conf", enriched))
	with.untilLines(with.stdout, first)
	with.untilLogged("trained:", 1)
	extend(t, input, strings.Join(rows[first:], ""))
	without := start(t, "-c", write(t, dir, "without.conf", plain))
	with.untilLines(with.stdout, samples.Rows)
	without.untilLines(without.stdout, samples.Rows)
	with.stop()
	without.stop()

	records := lines(t, with.stdout)
	scores := compare(t, lines(t, without.stdout), records)
	if len(scores) != samples.Rows {
		t.Errorf("%d records", len(scores))
	}
	for i, record := range records { // compare checks the uid against the pipeline; this checks it against the file
		if uid := strings.Split(rows[i], "\t")[1]; !strings.Contains(record, `"uid":"`+uid+`"`) {
			t.Fatalf("record %d is not of %s: %s", i, uid, record)
		}
	}
	if n := count(scores, added); n != samples.Rows {
		t.Errorf("%d records have a score", n)
	}
	if scores[0] != "null" {
		t.Errorf("score %s before the first training", scores[0])
	}
	if n := count(scores[first:], numeric); n != samples.Rows-first {
		t.Errorf("%d numeric scores after the first training, want %d", n, samples.Rows-first)
	}
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(scores[first:])))); distinct < 100 {
		t.Errorf("%d different scores: nothing was learned", distinct)
	}
	with.wantLogged("closed: 7143 records, 7143 counted,")
}

// TestASecondRun: a second run scores with what the first one learned, and as the offline tool does with the same
// state.
func TestASecondRun(t *testing.T) {
	t.Parallel()
	state, offlineState, dir := learned(t), learned(t), t.TempDir()
	input, out, plain := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out"), filepath.Join(dir, "plain")
	p := start(t, "-c", pipeline(t, dir,
		tail("ssh", input, "zeek_tsv_2012"), filter("ssh", append([]string{"State_Dir", state, "Train_Interval", "0"}, quick...)...), toFile("ssh", out),
		tail("plain", input, "zeek_tsv_2012"), toFile("plain", plain)))
	p.untilLines(out, samples.Rows)
	p.untilLines(plain, samples.Rows)
	p.stop()
	p.wantLogged("1490 edges and the model of ")
	if strings.Contains(p.log(), "trained:") {
		t.Error("trained, with training switched off")
	}
	records := lines(t, out)
	if n := count(compare(t, lines(t, plain), records), numeric); n != samples.Rows {
		t.Errorf("%d numeric scores, want one from the first record on", n)
	}

	replayed := filepath.Join(dir, "replayed")
	args := []string{"replay", "-state", offlineState, "-columns", samples.Columns, "-set", "train_interval=0"}
	for i := 0; i < len(quick); i += 2 {
		args = append(args, "-set", strings.ToLower(quick[i])+"="+quick[i+1])
	}
	if said, err := exec.Command(offlineTool, append(args, "-o", replayed, input)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	offline := lines(t, replayed)
	if len(offline) != len(records) {
		t.Fatalf("%d records from the offline tool, %d from the host", len(offline), len(records))
	}
	for i := range records {
		_, score, low, _ := split(records[i])
		_, offlineScore, offlineLow, _ := split(offline[i])
		if number(t, score) != number(t, offlineScore) || low != offlineLow {
			t.Fatalf("record %d: score %s, low_score %s; offline %s, %s", i, score, low, offlineScore, offlineLow)
		}
	}
}

// TestOddRecords checks which fields are replaced and which records stay untouched, on records that no parser refuses.
func TestOddRecords(t *testing.T) {
	t.Parallel()
	const unlearned = `"score":null,"low_score":false}`
	cases := []struct{ in, out string }{
		{`{"id.orig_h":"a","id.resp_h":"b","client":"c"}`, `{"id.orig_h":"a","id.resp_h":"b","client":"c",` + unlearned},
		{`{"id":{"orig_h":"a","resp_h":"b"}}`, `{"id":{"orig_h":"a","resp_h":"b"},` + unlearned},
		// The fields of an earlier pass are replaced, wherever they stand and whatever they hold.
		{`{"score":0.5,"id.orig_h":"a","low_score":true,"id.resp_h":"b"}`, `{"id.orig_h":"a","id.resp_h":"b",` + unlearned},
		{`{"id.orig_h":"a","score":{"x":[1]},"id.resp_h":"b","low_score":"no"}`, `{"id.orig_h":"a","id.resp_h":"b",` + unlearned},
		{`{"id.orig_h":"a","id.resp_h":"b","other":{"score":1}}`, `{"id.orig_h":"a","id.resp_h":"b","other":{"score":1},` + unlearned},
		// A name may be a number, and of a list the first element counts; a name of another type is none.
		{`{"id.orig_h":7,"id.resp_h":true}`, `{"id.orig_h":7,"id.resp_h":true,` + unlearned},
		{`{"id.orig_h":["a","c"],"id.resp_h":"b"}`, `{"id.orig_h":["a","c"],"id.resp_h":"b",` + unlearned},
		{`{"id.orig_h":[],"id.resp_h":"b"}`, ``},
		{`{"id.orig_h":"a","id.resp_h":{"b":1}}`, ``},
		{`{"id.orig_h":null,"id.resp_h":"b"}`, ``},
		{`{"id.orig_h":"a","id.resp_h":""}`, ``},
		{`{"id.orig_h":"-","id.resp_h":"b"}`, ``},
		// Without source or destination a record is not ours, and its score field stays.
		{`{"id.orig_h":"a"}`, ``},
		{`{"message":"hello","score":0.5,"low_score":true}`, ``},
		{`{"a":1}`, ``},
		{`no json at all`, `{"log":"no json at all"}`},
		{`[1,2]`, `{"log":"[1,2]"}`},
	}
	dir := t.TempDir()
	var in strings.Builder
	for _, c := range cases {
		in.WriteString(c.in + "\n")
	}
	input, out, raw := write(t, dir, "ssh.log", in.String()), filepath.Join(dir, "out"), filepath.Join(dir, "raw")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"), filter("ssh"), toFile("ssh", out), toMsgpack("ssh", raw)))
	p.untilLines(out, len(cases))
	p.stop()
	for i, got := range lines(t, out) {
		want := cases[i].out
		if want == "" {
			want = cases[i].in
		}
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", cases[i].in, got, want)
		}
	}
	// Seven that were added, one in a map of a record, and those of a record that is left alone.
	if score, low := occurrences(raw, "score"), occurrences(raw, "low_score"); score != 9 || low != 8 {
		t.Errorf("%d times score and %d times low_score, want 9 and 8", score, low)
	}
	p.wantLogged("closed: 17 records, 7 counted, 0 scored, 0 with a low score, 10 without source or destination, 0 malformed")
}

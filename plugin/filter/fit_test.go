package filter

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// A stream that is not understood is said after a hundred records, with what was looked for, what is there and
// what would help; so is that it is understood again.
func TestMisfitIsSaid(t *testing.T) {
	inner := map[string]any{"id.orig_h": "198.51.100.1", "id.resp_h": "192.0.2.1", "client": "c"}
	for _, c := range []struct {
		name  string
		body  []any
		wants []string
	}{
		{"nothing known", []any{"a", 1, "b\x1b[31m", 2}, []string{
			"Looked for source id.orig_h else id_orig_h and destination id.resp_h else id_resp_h (preset zeek).",
			`has the keys "a", "b\x1b[31m".`, "Set Preset, or Source and Destination"}},
		{"another preset", []any{"source", map[string]any{"ip": "198.51.100.1"}, "destination", map[string]any{"ip": "192.0.2.1"}}, []string{"Preset ecs understands it."}},
		{"sshd's line", []any{"log", "Nov 30 06:39:00 web sshd[1]: Accepted password for a from 198.51.100.1 port 1 ssh2"}, []string{"Preset openssh understands it."}},
		{"under a key", []any{"stream", "stdout", "zeek", inner}, []string{`has the keys "stream", "zeek".`, `set Under zeek.`}},
		{"JSON in a text", []any{"log", `{"id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.1"}`}, []string{"Name parser, Key_Name log, Parser json, Reserve_Data On."}},
		{"a list of records", []any{"Records", []any{inner, inner}}, []string{`"Records" is a list of 2 records in one`}},
		{"a row without its header", []any{"log", "1\t2\t3\t4\t5\t6\t7"}, []string{"Read_from_Head On"}},
		{"many keys", func() (body []any) {
			for i := range 300 {
				body = append(body, fmt.Sprintf("key-%03d-%s", i, strings.Repeat("x", 100)), i)
			}
			return body
		}(), []string{`"key-000-` + strings.Repeat("x", 24) + `", `, "and 288 more."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := host()
			f := offline(t, h)
			event := appendEvent(nil, c.body...)
			for range 99 {
				f.Process(nil, event)
			}
			if h.log() != "" || f.Status().State != StateWaiting {
				t.Fatalf("too early: %s", h.log())
			}
			for range 300 {
				f.Process(nil, event)
			}
			if n := strings.Count(h.log(), "\n") + 1; n != 1 || len(h.log()) > 1024 {
				t.Errorf("%d lines: %s", n, h.log())
			}
			st := f.Status()
			for _, want := range append(c.wants, "0 of the last 100 records have a source and a destination") {
				if !strings.Contains(h.log(), want) || !strings.Contains(st.Problem, want) {
					t.Errorf("no %q in %s, or in the status: %s", want, h.log(), st.Problem)
				}
			}
			if st.State != StateDegraded {
				t.Errorf("state %s", st.State)
			}
			f.Process(nil, join(sessions(100))) // beside one of before
			f.Process(nil, join(sessions(100)))
			if st := f.Status(); st.State == StateDegraded || !strings.Contains(h.log(), "records are understood again: ") {
				t.Errorf("%+v\n%s", st, h.log())
			}
			for range 200 { // and it does not go back and forth in the log
				f.Process(nil, event)
			}
			if st := f.Status(); st.State != StateDegraded || !strings.Contains(st.Problem, c.wants[0]) {
				t.Errorf("degraded again, and the status says %s: %s", st.State, st.Problem)
			}
			if n := strings.Count(h.log(), "have a source and a destination, so"); n != 1 {
				t.Errorf("said %d times:\n%s", n, h.log())
			}
			many := func() {
				for range 8000 {
					f.Process(nil, event)
				}
			}
			many()
			if n := strings.Count(h.log(), "have a source and a destination, so"); n != 1 {
				t.Errorf("said %d times within an hour:\n%s", n, h.log())
			}
			untagged(f).warned = untagged(f).warned.Add(-fitPause)
			many()
			if n := strings.Count(h.log(), "have a source and a destination, so"); n != 2 {
				t.Errorf("said %d times after ten times as many:\n%s", n, h.log())
			}
		})
	}
}

// The attributes of OTLP lie in the metadata of an event, where no setting looks.
func TestMisfitWithMetadata(t *testing.T) {
	h := host()
	f := offline(t, h)
	event := appendEvent(nil, "message", "session")
	meta := bytes.Index(event, []byte{0x80}) // an empty map
	with, err := msgp.AppendMapStrIntf(nil, map[string]any{"otlp": map[string]any{"attributes": map[string]any{"src": "a", "dst": "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	event = slices.Concat(event[:meta], with, event[meta+1:])
	f.Process(nil, bytes.Repeat(event, fitPeriod))
	for _, want := range []string{`has the keys "message". It also has attributes of OTLP, which lie beside the record, where no setting looks, with the keys "dst", "src": copy`} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("no %q in %s", want, h.log())
		}
	}
}

// Of a record with thousands of objects no more than maxTried are looked into, while records wait; what cannot hold the
// fields does not count.
func TestOfAMisfitFewObjectsAreTried(t *testing.T) {
	f := offline(t, host())
	remedy := func(objects int) string {
		body := []any{"zeek", map[string]any{"id.orig_h": "198.51.100.1", "id.resp_h": "192.0.2.1"}}
		for i := range 1000 {
			body = append(body, fmt.Sprint("text", i), "session", fmt.Sprint("number", i), i)
		}
		for i := range objects {
			body = append(body, fmt.Sprint("object", i), map[string]any{})
		}
		why, _ := f.fit.explain(appendEvent(nil, body...))
		return why
	}
	if got := remedy(maxTried - 1); !strings.Contains(got, "set Under zeek") {
		t.Errorf("the last object that is tried is not understood: %s", got)
	}
	if got := remedy(8000); got != UsualRemedy {
		t.Errorf("all objects are tried: %s", got)
	}
}

// untagged is how the records without a tag fit.
func untagged(f *Instance) *tagFit { return f.fit.of(nil) }

// A misfit that begins anew is logged with its own reason, after a pause that grows; the log's last word on it is true
// again and again, but it does not go back and forth.
func TestAMisfitThatBeginsAnew(t *testing.T) {
	h := host()
	f := offline(t, h)
	pass := func(body ...any) {
		for range 200 {
			f.Process(nil, appendEvent(nil, body...))
		}
	}
	understood := func() {
		f.Process(nil, join(sessions(100)))
		f.Process(nil, join(sessions(100)))
	}
	last := func(want string) {
		t.Helper()
		lines := strings.Split(h.log(), "\n")
		if got := lines[len(lines)-1]; !strings.Contains(got, want) {
			t.Errorf("the log ends with %q, want %q", got, want)
		}
	}
	under := []any{"zeek", map[string]any{"id.orig_h": "198.51.100.1", "id.resp_h": "192.0.2.1"}}
	pass("src", "a")
	last(`has the keys "src"`)
	understood()
	last("records are understood again")
	f.fit.looked = f.fit.looked.Add(-fitLook)
	pass(under...)
	last("records are understood again")
	if st := f.Status(); st.State != StateDegraded || !strings.Contains(st.Problem, "set Under zeek") {
		t.Errorf("the status is that of another misfit: %s", st.Problem)
	}
	untagged(f).warned = untagged(f).warned.Add(-fitShortPause)
	pass(under...)
	last("set Under zeek")
	understood()
	last("records are understood again")
	untagged(f).warned = untagged(f).warned.Add(-fitShortPause) // the pause is twice as long now
	pass("src", "a")
	last("records are understood again")
	understood()
	untagged(f).warned = untagged(f).warned.Add(-fitShortPause)
	pass("src", "a")
	last(`has the keys "src"`)
	if n := strings.Count(h.log(), "\n") + 1; n != 5 {
		t.Errorf("%d lines:\n%s", n, h.log())
	}
}

// Each tag is judged by its own records: those of another neither hide a misfit nor end it.
func TestATagThatDoesNotFit(t *testing.T) {
	h := host()
	f := offline(t, h)
	foreign, usual := bytes.Repeat(appendEvent(nil, "src", "a"), 10), join(sessions(90))
	pass := func(chunk []byte, tag string, times int) {
		for range times {
			f.ProcessTagged(nil, chunk, []byte(tag))
		}
	}
	for range 20 {
		pass(usual, "ssh", 1)
		pass(foreign, "dns", 1)
	}
	const why = `tag "dns": 0 of the last 100 records have a source and a destination, so`
	st := f.Status()
	if strings.Count(h.log(), why) != 1 || strings.Contains(h.log(), "again") || strings.Contains(h.log(), `"ssh"`) ||
		st.State != StateDegraded || !strings.Contains(st.Problem, why) || len(st.Misfits) != 1 || !strings.HasPrefix(st.Misfits[0], why) || !strings.Contains(st.Misfits[0], `has the keys "src"`) {
		t.Errorf("%+v\n%s", st, h.log())
	}
	pass(foreign, "flow", 10)
	if st = f.Status(); len(st.Misfits) != 2 || !strings.HasPrefix(st.Problem, why) || !strings.HasSuffix(st.Problem, ` Nor are the records understood of tag "flow".`) {
		t.Errorf("%+v", st)
	}
	pass(usual, "dns", 2)
	if st = f.Status(); !strings.Contains(h.log(), `tag "dns": records are understood again: `) || len(st.Misfits) != 1 || !strings.HasPrefix(st.Misfits[0], `tag "flow": `) {
		t.Errorf("%+v\n%s", st, h.log())
	}
	f.fit.tags["flow"].last = time.Now().Add(-fitForget - time.Minute)
	if st = f.Status(); st.State == StateDegraded || st.Misfits != nil {
		t.Errorf("a tag that does not come any more: %+v", st)
	}
}

// Tags may be as many as their senders like: memory, the log and the status stay bounded, and a misfit is told all the same.
func TestManyTagsThatDoNotFit(t *testing.T) {
	h := host()
	f := offline(t, h)
	event := appendEvent(nil, "src", strings.Repeat("x", 2*keptSample))
	chunk := bytes.Repeat(event, fitPeriod)
	for i := range 2 * mostTags {
		f.ProcessTagged(nil, chunk, fmt.Appendf(nil, "tag.%03d", i))
	}
	st := f.Status()
	if n := strings.Count(h.log(), "so hardly any gets a score"); n != mostWarned || strings.Count(h.log(), "the records of more tags are not understood") != 1 {
		t.Errorf("%d warnings:\n%s", n, h.log())
	}
	if len(f.fit.tags) != mostTags || len(st.Misfits) != mostMisfits || !strings.HasSuffix(st.Problem, fmt.Sprintf(" and of %d more.", mostTags-1-mostNamed)) {
		t.Errorf("%d tags, %d in the status: %s", len(f.fit.tags), len(st.Misfits), st.Problem)
	}
	kept := 0
	for _, x := range f.fit.tags {
		kept += cap(x.sample)
	}
	if kept > mostTags*keptSample {
		t.Errorf("%d bytes of samples are kept", kept)
	}

	h = host()
	f = offline(t, h)
	for i := range mostTags + fitPeriod { // each with one record: those that left are judged together
		f.ProcessTagged(nil, event, fmt.Appendf(nil, "tag.%03d", i))
	}
	f.ProcessTagged(nil, event, bytes.Repeat([]byte("t"), maxTag+1))
	if want := "further tags: 0 of the last 101 records have a source and a destination"; !strings.Contains(h.log(), want) {
		t.Errorf("no %q in the log: %s", want, h.log())
	}
}

// Two calls may see that a period is full: it ends once.
func TestAPeriodEndsOnce(t *testing.T) {
	h := host()
	f := offline(t, h)
	if !f.fit.add(nil, fitPeriod, fitPeriod, nil) {
		t.Fatal("a full period is not full")
	}
	f.fit.endPeriod(nil, fitPeriod)
	f.fit.add(nil, 1, 0, appendEvent(nil, "a", 1))
	f.fit.endPeriod(nil, fitPeriod)
	if h.log() != "" || f.fit.problem() != "" {
		t.Errorf("judged by one record: %s", h.log())
	}
}

// A few records that are not understood are said too: after a while, and at the end.
func TestMisfitOfAFew(t *testing.T) {
	for wait, misfit := range map[time.Duration]bool{0: false, 2 * fitPatience: true} {
		f := offline(t, host())
		f.Process(nil, appendEvent(nil, "a", 1))
		if f.fit.endWaiting(time.Now().Add(wait)); (f.fit.problem() != "") != misfit {
			t.Errorf("one record, after %v: %q", wait, f.fit.problem())
		}
	}
	g := offline(t, host())
	g.ProcessTagged(nil, session(1, "a", "b", "c"), []byte("ssh"))
	g.fit.endPeriod([]byte("ssh"), 1)
	for i := range fitFew {
		if g.fit.endWaiting(time.Now().Add(2 * fitPatience)); g.fit.problem() != "" {
			t.Errorf("a tag that is understood is judged by %d records", i)
		}
		g.ProcessTagged(nil, appendEvent(nil, "a", 1), []byte("ssh"))
	}
	if g.fit.endWaiting(time.Now().Add(2 * fitPatience)); g.Status().State != StateDegraded {
		t.Errorf("%d records do not count", fitFew)
	}
	h := host()
	f := offline(t, h)
	f.Process(nil, appendEvent(nil, "a", 1))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(h.log(), `0 of the last 1 records have a source and a destination`) {
		t.Error(h.log())
	}
	// Records that the conditions leave out are meant to pass.
	h = host("only", "kind=ssh")
	f = offline(t, h)
	for range 500 {
		f.Process(nil, appendEvent(nil, "kind", "dns", "id.orig_h", "a", "id.resp_h", "b"))
	}
	// But not all of them, from the first one on: then the conditions are wrong.
	st := f.Status()
	if n := strings.Count(h.log(), "none of 100 records fulfils the conditions of Only (kind=ssh)"); n != 1 || st.State != StateDegraded ||
		!strings.Contains(st.Problem, "none of 500 records fulfils") || st.Records.Skipped != 500 || st.Records.Missing != 0 || st.Graph.Edges != 0 {
		t.Errorf("%+v\n%s", st, h.log())
	}
	f.Process(nil, appendEvent(nil, "kind", "ssh", "id.orig_h", "a", "id.resp_h", "b"))
	if st := f.Status(); st.State != StateWaiting || st.Records.Counted != 1 {
		t.Errorf("%+v", st)
	}
}

// A state directory tells of a misfit too, and what an instance that only looks has counted is its own.
func TestMisfitInTheStateDirectory(t *testing.T) {
	dir := t.TempDir()
	f := offline(t, host("state_dir", dir))
	for range 100 {
		f.Process(nil, appendEvent(nil, "a", 1))
	}
	f.store.refreshStatus(time.Now())
	looks, err := NewFrozen(host("state_dir", dir))
	if err != nil {
		t.Fatal(err)
	}
	if st := looks.Status(); st.State != StateDegraded || !strings.Contains(st.Problem, "has the keys") || st.Records.Missing != 100 {
		t.Errorf("%+v", st)
	}
	looks.Process(nil, session(1, "a", "b", "c"))
	if c := looks.Counts(); c.Total != 1 || c.Counted != 1 || c.Missing != 0 {
		t.Errorf("%+v", c)
	}
	looks.Close()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Records too large to look into are no reason to be silent.
func TestMisfitOfLargeRecords(t *testing.T) {
	h := host()
	f := offline(t, h)
	event := appendEvent(nil, "a", strings.Repeat("x", maxSample))
	for range 100 {
		f.Process(nil, event)
	}
	if st := f.Status(); st.State != StateDegraded || !strings.Contains(h.log(), "larger than 64 KiB, which is not looked into") {
		t.Errorf("%+v\n%s", st, h.log())
	}
}

// Whoever sees no score is told why.
func TestWaitingIsSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	f.Process(nil, join(sessions(12)))
	want := "no model yet: 12 of 50 distinct triplets needed before the first training (train.min_edges), or 8 once the sessions span a day; until then score is null"
	if st := f.Status(); st.State != StateWaiting || st.Problem != want {
		t.Errorf("%+v", st)
	}
	now := time.Now()
	f.trainer.logWaiting(now, f.path.counters.counted.Load())
	f.trainer.logWaiting(now.Add(patience-1), f.path.counters.counted.Load())
	if h.log() != "" {
		t.Errorf("too early: %s", h.log())
	}
	f.trainer.logWaiting(now.Add(patience), f.path.counters.counted.Load())
	f.trainer.logWaiting(now.Add(time.Hour), f.path.counters.counted.Load())
	if h.log() != want {
		t.Errorf("%q, want once %q", h.log(), want)
	}
	f.Process(nil, join(sessions(3000)))
	train(t, f)
	if st := f.Status(); st.State != StateScoring || st.Problem != "" {
		t.Errorf("%+v", st)
	}
}

// A model that cannot tell sessions apart flags none, and says so.
func TestAWeakModelFlagsNothing(t *testing.T) {
	h := host("train_min_edges", "10", "threshold_method", "quantile", "threshold_quantile", "0.5")
	f := offline(t, h)
	var events [][]byte
	for i := range 12 { // twelve triplets, each new when it comes: next to nothing is held out
		events = append(events, session(i, fmt.Sprint("h", i), fmt.Sprint("s", i%5), "c"))
	}
	f.Process(nil, join(events))
	train(t, f)
	out, _ := f.Process(nil, join(events))
	for _, d := range decode(t, out) {
		if d.body["low_score"] != false || d.body["score"] == nil {
			t.Fatalf("%v", d.body)
		}
	}
	chunk, room := join(events), make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(20, func() { f.Process(room, chunk) }); n > 1 && !poolsForget {
		t.Errorf("%v allocations for a chunk that a weak model scores", n)
	}
	st := f.Status()
	if !strings.Contains(h.log(), "scores are added but none counts as low: ") || st.State != StateWaiting || !strings.Contains(st.Problem, "held out") {
		t.Errorf("%+v\n%s", st, h.log())
	}
}

// A field of the user's own that the filter replaces is said once.
func TestOverwrittenFieldIsSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	for range 3 {
		f.Process(nil, appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "score", 7))
	}
	if n := strings.Count(h.log(), "set Score, Low_Score and Source_Alert to other names to keep theirs"); n != 1 {
		t.Errorf("%d times: %s", n, h.log())
	}
	h = host("score", "rgcn_score", "low_score", "rgcn_low")
	f = offline(t, h)
	out, _ := f.Process(nil, appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "score", 7))
	if d := decode(t, out)[0]; h.log() != "" || fmt.Sprint(d.body["score"]) != "7" {
		t.Errorf("%v\n%s", d.body, h.log())
	}
}

// A record that passes twice has all fields of the filter, and needs another Match, not other names.
func TestARecordThatPassesTwiceIsSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	once, _ := f.ProcessTagged(nil, session(1, "a", "b", "c"), []byte("ssh"))
	if h.log() != "" {
		t.Fatal(h.log())
	}
	for range 2 {
		f.ProcessTagged(nil, once, []byte("alert.ssh"))
	}
	log := h.log()
	for _, want := range []string{`records under the tag "alert.ssh" come with fields that this filter adds ("score", "low_score")`, "Most likely they pass this filter, or another rgcn, twice",
		"rewrite_tag", "set Match", "set Score, Low_Score and Source_Alert to other names to keep theirs"} {
		if strings.Count(log, want) != 1 {
			t.Errorf("no %q in %s", want, log)
		}
	}
}

// The warning names what the record has, and what helps.
func TestOverwrittenEvidenceIsSaid(t *testing.T) {
	h := host("explain", "on")
	f := offline(t, h)
	f.Process(nil, appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "score_peers", 7))
	if log := h.log(); !strings.Contains(log, `("score_peers"), which this filter replaces`) || !strings.Contains(log, "Field_Style ecs") || strings.Contains(log, "set Score") {
		t.Error(log)
	}
}

// Two logs of other columns under one tag are told of, once; a log with the same columns is not.
func TestLogsUnderOneTagAreSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	fields := func(columns ...string) []byte {
		return appendEvent(nil, "log", "#fields\t"+strings.Join(columns, "\t"))
	}
	types := appendEvent(nil, "log", "#types\ttime\taddr\taddr")
	one, other := join([][]byte{fields("ts", "id.orig_h", "id.resp_h"), types}), join([][]byte{fields("ts", "id.resp_h", "id.orig_h"), types})
	for range 3 {
		f.ProcessTagged(nil, one, []byte("ssh"))
		f.ProcessTagged(nil, other, []byte("ssh.other"))
	}
	if log := h.log(); log != "" {
		t.Error(log)
	}
	for range 3 {
		f.ProcessTagged(nil, other, []byte("ssh"))
		f.ProcessTagged(nil, one, []byte("ssh"))
	}
	if n := strings.Count(h.log(), `a header (#fields) under the tag "ssh" has other columns than the one before`); n != 1 {
		t.Errorf("%d times: %s", n, h.log())
	}
}

// Rows of Zeek's log are read by their own header, of each tag by its own, also when the header came before
// a restart.
func TestRowsByTheirHeader(t *testing.T) {
	dir := t.TempDir()
	h := host("state_dir", dir, "explain", "on")
	f := offline(t, h)
	line := func(columns ...string) []byte { return appendEvent(nil, "log", strings.Join(columns, "\t")) }
	header := [][]byte{
		line(`#separator \x09`), line("#fields", "ts", "uid", "id.orig_h", "extra", "id.resp_h", "client"),
		line("#types", "time", "string", "addr", "int", "addr", "string"),
	}
	row := line("1600000000.5", "C1", "198.51.100.1", "9", "::ffff:192.0.2.1", `SSH-2.0-A\x09B`)
	if _, modified := f.ProcessTagged(nil, row, []byte("one")); modified {
		t.Error("a row without a header was understood")
	}
	other := line("#fields", "id.resp_h", "id.orig_h")
	f.ProcessTagged(nil, other, []byte("two"))
	if out, modified := f.ProcessTagged(nil, join(append(header, row)), []byte("one")); !modified || len(decode(t, out)) != 4 {
		t.Fatalf("%v %q", modified, out)
	}
	f.ProcessTagged(nil, line("192.0.2.2", "198.51.100.2"), []byte("two"))
	f.ProcessTagged(nil, line("1600000001", "C2", "(empty)", "9", "192.0.2.1", "-"), []byte("one")) // no source
	f.ProcessTagged(nil, line("1600000001", "C2", "198.51.100.1"), []byte("one"))                   // cut short
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = offline(t, host("state_dir", dir))
	f.ProcessTagged(nil, line("1600000002.5", "C3", "198.51.100.1", "9", "192.0.2.1", `SSH-2.0-A\x09B`), []byte("one"))
	snap := f.graph.Snapshot()
	var got []string
	for _, e := range snap.Edges {
		got = append(got, fmt.Sprintf("%s %q %s %d", snap.Nodes[e.Source].Name, snap.Relations[e.Relation].Name, snap.Nodes[e.Destination].Name, e.Count))
		if e.Count == 2 && (e.First != 1600000000500000000 || e.Last != 1600000002500000000) {
			t.Errorf("from %d to %d", e.First, e.Last)
		}
	}
	want := []string{`198.51.100.1 "SSH-2.0-A\tB" 192.0.2.1 2`, `198.51.100.2 "-" 192.0.2.2 1`}
	if len(got) != 2 || got[0] != want[0] && got[1] != want[0] || got[0] != want[1] && got[1] != want[1] {
		t.Errorf("%q, want %q", got, want)
	}
}

// A state directory that cannot be used stops no pipeline, unless that is asked for.
func TestStateThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := host("state_dir", filepath.Join(file, "state"), "train_interval", "0")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	if out, modified := f.Process(nil, session(1, "a", "b", "c")); !modified || len(out) == 0 {
		t.Error("records are not processed")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{file, fmt.Sprintf("uid %d", os.Getuid()), "State_Required On"} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("no %q in %s", want, h.log())
		}
	}
	h.properties["state_required"] = "on"
	if _, err := New(h); err == nil {
		t.Error("state_required: started all the same")
	}
	// A directory that another filter has is a mistake in the settings, or a start too early: not worked around.
	dir := t.TempDir()
	first, err := New(host("state_dir", dir, "train_interval", "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := New(host("state_dir", dir)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second owner: %v", err)
	}
}

// Sessions that all have one time cannot be learned from, and the reason may be another field.
func TestALogOfOneMomentIsSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	var events [][]byte
	for i := range 60 {
		events = append(events, session(7, fmt.Sprint("h", i), "s", "c"))
	}
	f.Process(nil, join(events))
	if err := f.Train(t.Context(), time.Unix(2e9, 0), nil); err == nil || !strings.Contains(err.Error(), "all are of one moment, 2020-09-13T12:33:40Z") ||
		!strings.Contains(h.log(), "is that the right field for the time?") {
		t.Errorf("%v\n%s", err, h.log())
	}
}

// A field of source, destination or relation that no session has is said once. One that comes now and then is none.
func TestAPartThatNoSessionHasIsSaid(t *testing.T) {
	event := func(i int) []byte {
		if i%90 == 89 {
			return appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "rare", "r")
		}
		return appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c")
	}
	for relation, want := range map[string]string{
		"client": "", "client,rare": "", "clent": `"clent" (Relation)`, "client,us else er,rare,no": `"us else er" (Relation), "no" (Relation)`, "none else client": "",
	} {
		h := host("relation", relation)
		f := offline(t, h)
		for i := range 99 {
			f.Process(nil, event(i))
		}
		if strings.Contains(h.log(), "has a value in") {
			t.Errorf("%s: too early: %s", relation, h.log())
		}
		for i := range 300 {
			f.Process(nil, event(i))
		}
		text, times := "none of the first 100 sessions has a value in "+want+", so it tells none from another", 1
		if want == "" {
			text, times = "has a value in", 0
		}
		if n := strings.Count(h.log(), text); n != times {
			t.Errorf("%s: said %d times, want %d: %s", relation, n, times, h.log())
		}
	}
}

// A field for the time that no record has, or that holds none, is said once.
func TestTimesThatAreNotThereAreSaid(t *testing.T) {
	event := appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "ts", 1_600_000_000)
	for field, want := range map[string]int{"ts": 0, "nowhere": 1, "client": 1, "nowhere,ts": 0} {
		h := host("time", field)
		f := offline(t, h)
		for range 99 {
			f.Process(nil, event)
		}
		if h.log() != "" {
			t.Errorf("%s: too early: %s", field, h.log())
		}
		for range 300 {
			f.Process(nil, event)
		}
		if n := strings.Count(h.log(), "has a time that can be read in "+strings.ReplaceAll(field, ",", " or ")); n != want {
			t.Errorf("%s: said %d times, want %d: %s", field, n, want, h.log())
		}
	}
}

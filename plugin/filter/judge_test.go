package filter

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// listFile writes a list of judged sessions and returns its path.
func listFile(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "allow.csv")
	writeList(t, path, lines...)
	return path
}

func writeList(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("source,relation,destination,until,verdict\n"+strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Lines that allow whoever names a client are warned of when the list is read, those that are over are not.
func TestWideLinesAreWarnedOf(t *testing.T) {
	read := func(list string) string {
		h := host("allow", listFile(t, list))
		f, err := newInstance(h, forLive, machineClock())
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		return h.log()
	}
	log := read("a,x,*,,\n*,y,*,2020-01-01,\n*,x,*,,\n*,z,*,,\n*,x,b,,")
	if want := "allow.csv:4: *,x,* silences everybody who comes so, an intruder too: name the network of the sources, such as 10.1.2.0/24; 1 more like it"; !strings.Contains(log, want) {
		t.Errorf("%s\nwant %s", log, want)
	}
	if log := read("a,x,*,,\n*,x,*,,bad"); strings.Contains(log, "silences") {
		t.Error(log)
	}
}

// TestAllowed: what the list allows has the score that it would have, is learned, and is not low. What it calls bad is
// low whatever it scores, and leaves no trace in the graph.
func TestAllowed(t *testing.T) {
	plain := offline(t, host("explain", "on"))
	listed := offline(t, host("explain", "on", "allow", listFile(t,
		"stranger,*,server-0-1,,", "stranger,*,server-0-2,2020-09-17,", "host-3,*,server-0-1,,bad", "never,*,seen,,")))
	known := join(sessions(2000))
	for _, f := range []*Instance{plain, listed} {
		f.Process(nil, known)
	}
	// host-3's own server is no part of the graph.
	for _, e := range listed.graph.Snapshot().Edges {
		s := listed.graph.Snapshot()
		if s.Nodes[e.Source].Name == "host-3" && s.Nodes[e.Destination].Name == "server-0-1" {
			t.Fatal("a session that is bad was learned")
		}
	}
	if a, b := plain.Status().Graph.Edges, listed.Status().Graph.Edges; a != b+1 {
		t.Errorf("%d triplets with the list, %d without", b, a)
	}
	out, _ := listed.Process(nil, session(2001, "host-3", "server-0-1", "client-1"))
	if d := decode(t, out)[0].body; d["score"] != nil || d["low_score"] != true || d["score_reason"] != "denied" {
		t.Errorf("bad without a model: %v", d)
	}
	settle(t, listed.judge.alerts) // as after an upgrade that cannot read the model before
	out, _ = listed.Process(nil, session(2001, "host-3", "server-0-1", "client-1"))
	if n, is := decode(t, out)[0].body["score_lower_per_day"]; is {
		t.Errorf("%v triplets a day score lower than no score", n)
	}

	const bad = "bad,*,server-0-1,,bad" // which trainings take into account
	plain = offline(t, host("explain", "on", "allow", listFile(t, bad)))
	listed = offline(t, host("explain", "on", "allow", listFile(t,
		"stranger,*,server-0-1,,", "stranger,*,server-0-2,2020-09-17,", bad, "never,*,seen,,")))
	plain.Process(nil, known)
	listed.Process(nil, known)
	train(t, plain)
	train(t, listed)
	for i, c := range []struct {
		source, destination string
		reason              string
		low                 bool
	}{
		{"stranger", "server-0-1", "allowed", false},
		{"stranger", "server-0-2", "allowed", false}, // of September 2020, before the end of its line
		{"stranger", "server-0-3", "new_source", true},
		{"host-3", "server-0-1", "usual", false},
	} {
		r := session(3000+i, c.source, c.destination, "client-1")
		out, _ := listed.Process(nil, r)
		got := decode(t, out)[0].body
		out, _ = plain.Process(nil, r)
		want := decode(t, out)[0].body
		if got["score"] != want["score"] || got["low_score"] != c.low || got["score_reason"] != c.reason || c.reason == "allowed" && want["low_score"] != true {
			t.Errorf("%v: %v, without it %v", c, got, want)
		}
	}
	if a, b := plain.Status().Graph, listed.Status().Graph; a != b {
		t.Errorf("the graph with the list is %+v, without %+v", b, a)
	}
	before := listed.Status().Graph
	out, _ = listed.Process(nil, join([][]byte{
		session(3100, "host-3", "server-0-1", "client-1"), session(3101, "bad", "server-0-1", "client-1"), session(3102, "bad", "server-0-1", "client-1"),
		session(3103, "host-3", "server-0-1", "client-1"), session(3104, "bad", "server-0-1", "client-1"),
	}))
	var low []any
	for _, d := range decode(t, out) {
		low = append(low, d.body["low_score"])
		if d.body["low_score"] == true && (d.body["score_reason"] != "denied" || d.body["score"] == nil) {
			t.Errorf("%v", d.body)
		}
	}
	if !reflect.DeepEqual(low, []any{false, true, true, false, true}) || listed.Status().Graph != before {
		t.Errorf("low: %v; the graph was %+v and is %+v", low, before, listed.Status().Graph)
	}

	// After its end the line is inert, and the status says so.
	if s := listed.Allow(); s.Lines != 4 || s.Used != 3 || s.Expired != 0 {
		t.Errorf("%+v", s)
	}
	later := (time.Date(2020, 9, 18, 0, 0, 0, 0, time.UTC).Unix() - 1_600_000_000) / 60
	out, _ = listed.Process(nil, session(int(later)+1, "stranger", "server-0-2", "client-9"))
	if d := decode(t, out)[0].body; d["low_score"] != true || d["score_reason"] == "allowed" {
		t.Errorf("an expired line allows: %v", d)
	}
	s := listed.Status()
	if s.Records.Allowed != 2 || s.Records.Denied != 3 || s.Allow.Expired != 1 || s.Allow.TopLines[0].Hits != 3 || s.Allow.TopLines[0].Verdict != "bad" ||
		s.Allow.TopLines[3].Hits != 0 || s.Allow.TopLines[3].Line != 5 {
		t.Errorf("%+v %+v", s.Records, s.Allow)
	}
	for _, l := range s.Allow.TopLines {
		if l.Expired != (l.Line == 3) {
			t.Errorf("%+v", l)
		}
	}
}

// TestAllowedSpendsNothing: of a budget of alerts, what the list decides on takes no part, and moves no threshold.
func TestAllowedSpendsNothing(t *testing.T) {
	run := func(lists bool) (low, hits int, threshold float32) {
		list := []string{"stranger-2,*,*,,bad"} // which trainings take into account
		if lists {
			list = append(list, "stranger-1,*,*,,")
		}
		f := offline(t, host("threshold_method", "budget", "threshold_per_day", "5", "explain", "on", "allow", listFile(t, list...)))
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		for i := range 60 {
			if lists {
				for j := range 3 {
					out, _ := f.Process(nil, session(3000+i, fmt.Sprint("stranger-", j%2+1), fmt.Sprintf("nowhere-%d-%d", i, j), "client-9"))
					if r := decode(t, out)[0].body["score_reason"]; r == "allowed" || r == "denied" {
						hits++
					}
				}
			}
		}
		for i := range 20 {
			out, _ := f.Process(nil, session(3100+i, fmt.Sprint("other-", i), "server-0-1", "client-1"))
			if decode(t, out)[0].body["low_score"] == true {
				low++
			}
		}
		return low, hits, f.judge.alerts.Usual()
	}
	lowWith, hits, thresholdWith := run(true)
	low, _, threshold := run(false)
	if low == 0 || lowWith != low || thresholdWith != threshold || hits == 0 {
		t.Errorf("%d alerts at threshold %v with 180 sessions that the list decides on (%d hits), %d at %v without", lowWith, thresholdWith, hits, low, threshold)
	}
}

// TestListOfALiveFilter: the filter starts without a list that is not as it should be, and follows the file.
func TestListOfALiveFilter(t *testing.T) {
	path := listFile(t, "web-*,*,b,,")
	h := host("allow", path, "explain", "on")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	until := func(want string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !strings.Contains(h.log(), want); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not said: %s\n%s", want, h.log())
			}
		}
	}
	until("allow: " + path + `:2: source = "web-*": * within a name, want a whole name, * alone for any, or a network such as 10.1.2.0/24; the filter works, but without the list`)
	if s := f.Status().Allow; s.Problem == "" || s.Lines != 0 {
		t.Errorf("%+v", s)
	}
	if s := f.Status(); !strings.HasSuffix(s.Problem, "; the list of judged sessions is not in force: "+s.Allow.Problem) {
		t.Errorf("the problem is %q", s.Problem)
	}
	denied := func() bool {
		out, _ := f.Process(nil, session(1, "a", "b", "c"))
		return decode(t, out)[0].body["score_reason"] == "denied"
	}
	if denied() {
		t.Error("denied without a list")
	}
	writeList(t, path+".new", "a,*,b,,bad", "x,*,y,2021-01-01,")
	os.Rename(path+".new", path)
	until("allow: " + path + ": 2 lines, 1 of them expired")
	if !denied() || f.Status().Allow.Problem != "" || strings.Contains(f.Status().Problem, "list") {
		t.Errorf("%+v", f.Status().Allow)
	}
	writeList(t, path+".new", "a,*,b,,maybe")
	os.Rename(path+".new", path)
	until("allow: " + path + `:2: verdict = "maybe": want allow (or nothing) for no alert, or bad for always one; the list stays as it is`)
	if !denied() {
		t.Error("a bad line took the list away")
	}
	if s := f.Status(); !strings.HasSuffix(s.Problem, "; the list of judged sessions stays as it was: "+s.Allow.Problem) {
		t.Errorf("the problem is %q", s.Problem)
	}
	if n := strings.Count(h.log(), "the list stays as it is"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestListThatCannotBeRead(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.csv")
	if _, err := NewOffline(host("allow", none)); err == nil || !strings.Contains(err.Error(), `allow = "`+none+`": open `+none+": no such file") {
		t.Errorf("%v", err)
	}
	if err := Check(host("allow", none)); err != nil { // records come before alerts
		t.Errorf("%v", err)
	}
}

func TestListDoesNotAllocatePerRecord(t *testing.T) {
	if poolsForget {
		t.Skip("under the race detector pools forget what they hold")
	}
	f := offline(t, host("explain", "on", "threshold_method", "quantile", "threshold_quantile", "0.5", "allow", listFile(t, "*,SSH-2.0-Go,*,,bad", "0.0.0.0/0,*,*,,", "10.0.0.1,*,*,,bad")))
	chunk := join(notebook(t)[:1000])
	dst, _ := f.Process(nil, chunk)
	train(t, f)
	dst, _ = f.Process(dst[:0], chunk)
	if n := testing.AllocsPerRun(20, func() { f.Process(dst[:0], chunk) }); n > 2 {
		t.Errorf("%v allocations for a chunk of 1000 records", n)
	}
	if c := f.Counts(); c.Allowed == 0 {
		t.Errorf("the list decided on none: %+v", c)
	}
}

func BenchmarkProcessWithList(b *testing.B) {
	events := notebook(b)
	chunk := join(events)
	for _, lines := range [][]string{{}, {"192.168.0.0/16,x,10.0.0.0/8,,"}, {"192.168.0.0/16,x,10.0.0.0/8,,bad"}} {
		b.Run(fmt.Sprintf("%d lines %s", len(lines), strings.Join(lines, "")), func(b *testing.B) {
			f := offline(b, host("allow", listFile(b, lines...)))
			dst, _ := f.Process(nil, chunk)
			train(b, f)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = f.Process(dst[:0], chunk)
			}
			b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// TestBadIsNotTrainedOn: what a line calls bad after it was learned is left out of trainings, and serves as corrupted
// triplets in them.
func TestBadIsNotTrainedOn(t *testing.T) {
	f := offline(t, host("allow", listFile(t, "host-3,*,*,,bad", "*,client-0,server-0-1,2020-01-01,bad")))
	for i := range 2000 {
		f.graph.Observe([]graphbuf.Event{{Source: fmt.Appendf(nil, "host-%d", i%40), Relation: fmt.Appendf(nil, "client-%d", i/40%2), Destination: fmt.Appendf(nil, "server-0-%d", i%7), Time: int64(i) * 60e9}},
			make([]graphbuf.Ref, 1))
	}
	f.path.newest.Store(f.graph.Stats().Now)
	s := f.graph.Snapshot()
	all, left := len(s.Edges), 0
	name := func(e graphbuf.Edge) [3]string {
		return [3]string{s.Nodes[e.Source].Name, s.Relations[e.Relation].Name, s.Nodes[e.Destination].Name}
	}
	for _, e := range s.Edges {
		if n := name(e); n[0] != "host-3" && (n[1] != "client-0" || n[2] != "server-0-1") {
			left++
		}
	}
	f.allow.leaveOutBad(s)
	if len(s.Edges) != left || left == all {
		t.Errorf("%d of %d triplets are left, want %d", len(s.Edges), all, left)
	}
	// Times are of 1970, when the second line was in force.
	bad := f.allow.bad()
	if len(bad) != 2 || !bad[0].Source("host-3") || bad[0].Source("host-4") || bad[0].Destination != nil || !bad[1].Relation("client-0") {
		t.Errorf("%d bad kinds", len(bad))
	}
	train(t, f)
	if _, last := f.trainer.history.list(); last.Edges != len(s.Edges) {
		t.Errorf("a training on %d triplets, want %d", last.Edges, len(s.Edges))
	}
}

// To ask what the model says of links spends nothing, and tells what would be said of them.
func TestLinksSpendNothing(t *testing.T) {
	f := offline(t, host("threshold_per_day", "20"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	links, err := f.Links([]string{"host-1", "intruder"}, []string{"client-1", "strange-tool"}, []string{"server-0-1", "server-1-1"})
	if err != nil {
		t.Fatal(err)
	}
	saved := func() string {
		b, err := f.judge.alerts.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := saved()
	low := 0
	if err := links.Each(t.Context(), func(l Link) {
		if l.Low {
			low++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if low == 0 || low == links.Len() {
		t.Errorf("%d of %d links are low", low, links.Len())
	}
	if after := saved(); after != before {
		t.Errorf("the budget became\n%s, was\n%s", after, before)
	}
}

package filter

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// learned is a filter that was trained on the usual sessions.
func learned(t *testing.T, properties ...string) *Instance {
	t.Helper()
	f := offline(t, host(append([]string{"explain", "on"}, properties...)...))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	return f
}

// pass has one session pass and returns what comes out.
func pass(t *testing.T, f *Instance, i int, source, destination, client string) map[string]any {
	t.Helper()
	out, _ := f.Process(nil, session(i, source, destination, client))
	return decode(t, out)[0].body
}

// A source with many odd sessions is reported once, with what they add up to.
func TestASourceIsReportedOnce(t *testing.T) {
	f := learned(t)
	reports, risk, triplets := 0, 0.0, int64(0)
	for i := range 60 {
		d := pass(t, f, 2000+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool")
		if d["source_alert"] == true {
			reports++
		} else if _, there := d["source_alert"]; there {
			t.Fatalf("%v, want the field with an alert alone", d)
		}
		if r, ok := d["score_source_risk"].(float64); ok {
			if r < risk {
				t.Fatalf("the risk falls from %v to %v", risk, r)
			}
			risk, triplets = r, d["score_source_triplets"].(int64)
		}
		if u := pass(t, f, 2000+i, "host-3", "server-0-1", "client-1"); u["low_score"] == false && u["source_alert"] != nil {
			t.Fatalf("a usual session brings its source an alert: %v", u)
		}
	}
	if reports != 1 || risk <= 0 || triplets < 2 || triplets > 12 {
		t.Errorf("%d alerts, a risk of %v by %d triplets", reports, risk, triplets)
	}
	if n := f.Counts().Reported; n != uint64(reports) {
		t.Errorf("%d alerts are counted, want %d", n, reports)
	}
	// The day after it is reported again.
	for i := range 20 {
		if pass(t, f, 2000+24*60+60+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "stranger-tool")["source_alert"] == true {
			reports++
		}
	}
	if reports != 2 {
		t.Errorf("%d alerts in two days", reports)
	}
}

// What the list allows speaks against no source; one session that it calls bad is enough, even before there is a model.
func TestTheListAndSources(t *testing.T) {
	f := learned(t, "allow", listFile(t, "scanner,*,*,,", "bad,*,*,,bad"))
	for i := range 40 {
		if d := pass(t, f, 2000+i, "scanner", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool"); d["source_alert"] != nil || d["score_source_risk"] != nil {
			t.Fatalf("what is allowed: %v", d)
		}
	}
	fresh := offline(t, host("allow", listFile(t, "bad,*,*,,bad")))
	for _, f := range []*Instance{f, fresh} {
		for i := range 3 {
			if d := pass(t, f, 2100+i, "bad", "server-0-1", "client-1"); (d["source_alert"] == true) != (i == 0) {
				t.Errorf("session %d of a bad source: %v", i, d)
			}
		}
	}
}

// A scan from more addresses of a bad line than can be reported mutes no other source, and what is not reported is
// counted and logged.
func TestAScanFromBadAddressesMutesNobody(t *testing.T) {
	h := host("allow", listFile(t, "198.51.0.0/16,*,*,,bad"))
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	for scan := range 2 { // the first lot is reported, and then it is full
		for i := range 1500 {
			f.Process(nil, session(2000+scan, fmt.Sprintf("198.51.%d.%d", i/250, i%250), "server-0-1", "client-1"))
		}
	}
	c := f.Counts()
	if c.Reported != maxBadReports || c.Missed != 2*(1500-maxBadReports) {
		t.Errorf("%d reported and %d not, want %d and %d", c.Reported, c.Missed, maxBadReports, 2*(1500-maxBadReports))
	}
	if n := strings.Count(h.log(), "more than 1024 sources within 24 hours"); n != 1 {
		t.Errorf("said %d times, want once:\n%s", n, h.log())
	}
	for i := range 60 {
		f.Process(nil, session(2000+20*60+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool"))
	}
	if n := f.Counts().Reported - c.Reported; n != 1 {
		t.Errorf("the intruder of 20 hours later is reported %d times, want once", n)
	}
}

func TestNoSourcesAreReported(t *testing.T) {
	f := learned(t, "threshold_sources_per_day", "0")
	for i := range 60 {
		if d := pass(t, f, 2000+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool"); d["source_alert"] != nil || d["score_source_risk"] != nil {
			t.Fatalf("%v", d)
		}
	}
}

// A flood of strange sources is not reported one by one, and what was spent of the day is spent after a restart.
func TestSourcesKeepToTheirBudget(t *testing.T) {
	properties := []string{"threshold_sources_per_day", "3", "state_dir", filepath.Join(t.TempDir(), "state")}
	f := learned(t, properties...)
	reports := 0
	flood := func(from int) {
		for i := range 200 {
			if pass(t, f, 2000+from+i, fmt.Sprint("stranger-", from+i), "server-0-1", "client-1")["source_alert"] == true {
				reports++
			}
		}
	}
	flood(0)
	if reports == 0 || reports > 12 {
		t.Errorf("%d of 200 strange sources are reported, by a budget of 3", reports)
	}
	spent := reports
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = offline(t, host(properties...))
	defer f.Close()
	flood(200)
	if reports > spent+3 {
		t.Errorf("%d more after a restart, %d before", reports-spent, spent)
	}
}

// To report a source allocates nothing beside what new names take in the graph.
func TestReportingDoesNotAllocate(t *testing.T) {
	const runs = 20
	var chunks [][]byte // each with sources that were never reported
	for run := range runs + 1 {
		var events [][]byte
		for i := range 64 {
			events = append(events, session(2000+i, fmt.Sprint("intruder-", run, "-", i%5), fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool"))
		}
		chunks = append(chunks, join(events))
	}
	allocations := func(perDay string) (n float64, reported uint64) {
		f := learned(t, "threshold_sources_per_day", perDay)
		before, next, room := f.Counts().Reported, 0, make([]byte, 0, 1<<16)
		n = testing.AllocsPerRun(runs, func() { f.Process(room, chunks[next]); next++ })
		return n, f.Counts().Reported - before
	}
	without, _ := allocations("0")
	with, reported := allocations("1000")
	if with > without+1 && !poolsForget {
		t.Errorf("%v allocations for a chunk, %v where no source is reported", with, without)
	}
	if reported < runs {
		t.Errorf("%d sources were reported in %d chunks", reported, runs)
	}
}

// Where a source's sessions are as strange as they can be day by day, it goes on being reported: no score of a risk is
// 0.
func TestStrongSourcesDayByDay(t *testing.T) {
	f := learned(t)
	for day := range 9 {
		before := f.Counts().Reported
		var events [][]byte
		for i := range 320 {
			events = append(events, session(2000+day*24*60+i, fmt.Sprint("scanner-", day, "-", i/16), fmt.Sprintf("server-%d-%d", i%3, i%4), fmt.Sprint("tool-", i%16)))
		}
		f.Process(nil, join(events))
		if n := f.Counts().Reported - before; n == 0 || n > 20 {
			t.Errorf("day %d: %d of 20 strong sources are reported", day, n)
		}
	}
	if most := scoreOf(16 * 20); most < 0.001 {
		t.Errorf("the score of the highest risk is %v", most)
	}
}

// After a clock that was ahead is put right, and before anything was learned, a bad source is reported once.
func TestBadSourcesAndClocks(t *testing.T) {
	for name, learn := range map[string]bool{"nothing learned": false, "clock ahead": true} {
		t.Run(name, func(t *testing.T) {
			f := offline(t, host("allow", listFile(t, "bad,*,*,,bad")))
			if learn {
				f.Process(nil, session(10*24*60, "host-1", "server-0-1", "client-1"))
			}
			reports := 0
			for i := range 50 {
				if pass(t, f, i, "bad", "server-0-1", "client-1")["source_alert"] == true {
					reports++
				}
			}
			if reports != 1 {
				t.Errorf("%d reports, want one", reports)
			}
		})
	}
}

// A field of the user's own with the name of ours stays where there are no alerts about sources.
func TestOwnSourceAlert(t *testing.T) {
	own := appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "source_alert", "mine")
	for perDay, want := range map[string]any{"0": "mine", "10": nil} {
		h := host("threshold_sources_per_day", perDay)
		f := offline(t, h)
		out, _ := f.Process(nil, own)
		if got := decode(t, out)[0].body["source_alert"]; got != want || (want == nil) != strings.Contains(h.log(), "takes out where it has none") {
			t.Errorf("%v a day: %v, want %v\n%s", perDay, got, want, h.log())
		}
	}
}

// A log of a fraction of a second has millions of odd triplets a day.
func TestSourcesOfAShortLog(t *testing.T) {
	f := offline(t, host())
	var events [][]byte
	for i := range 3000 {
		ts := fmt.Sprintf("%.6f", 1_600_000_000+float64(i)/1e5)
		events = append(events, appendEvent(nil, "ts", ts, "id.orig_h", fmt.Sprint("host-", i%70), "id.resp_h", fmt.Sprint("server-", i%11), "client", fmt.Sprint("client-", i%3)))
	}
	f.Process(nil, join(events))
	train(t, f)
	if odd := f.judge.rarity.Load().Odd(); odd < 1e6 {
		t.Fatalf("%v odd triplets a day, want so many that none can be listed", odd)
	}
	pass(t, f, 0, "intruder", "server-1", "strange-tool")
}

// After a restart a source that was reported today is not reported again.
func TestASourceIsReportedOnceOverARestart(t *testing.T) {
	properties := []string{"state_dir", filepath.Join(t.TempDir(), "state")}
	f := learned(t, properties...)
	reports := 0
	for round := range 3 {
		for i := range 40 {
			if pass(t, f, 2000+40*round+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool")["source_alert"] == true {
				reports++
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f = offline(t, host(properties...))
	}
	f.Close()
	if reports != 1 {
		t.Errorf("%d alerts, want one", reports)
	}
}

// That a source was reported is known after a restart beyond midnight, too, whether the budget paid for it or a line of
// the list; the day after, the latter is reported again, and the graph knows the former.
func TestASourceIsReportedOnceOverARestartBeyondMidnight(t *testing.T) {
	properties := []string{"state_dir", filepath.Join(t.TempDir(), "state"), "allow", listFile(t, "bad,*,*,,bad")}
	f := learned(t, properties...)
	const midnight = 2000 + 134 // the first minute of a day
	for _, c := range []struct{ from, intruder, bad int }{{midnight - 60, 1, 1}, {midnight + 10, 0, 0}, {midnight + 600, 0, 0}, {midnight + 24*60 + 20, 0, 1}} {
		intruder, bad := 0, 0
		for i := range 40 {
			if pass(t, f, c.from+i, "intruder", fmt.Sprintf("server-%d-%d", i%3, i%4), "strange-tool")["source_alert"] == true {
				intruder++
			}
			if pass(t, f, c.from+i, "bad", "server-0-1", "client-1")["source_alert"] == true {
				bad++
			}
		}
		if intruder != c.intruder || bad != c.bad {
			t.Errorf("%d minutes from midnight: %d and %d alerts, want %d and %d", c.from-midnight, intruder, bad, c.intruder, c.bad)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f = offline(t, host(properties...))
	}
	f.Close()
}

// Odd sessions of a host that an odd session reached before count more, and name where that came from.
func TestAChainIsOneStory(t *testing.T) {
	first := func(f *Instance, i int, source, destination string) map[string]any {
		return pass(t, f, 2000+i, source, destination, "strange-tool")
	}
	apart, chain := learned(t, "threshold_per_day", "1000"), learned(t, "threshold_per_day", "1000")
	first(chain, 0, "intruder", "server-1-1")
	first(apart, 0, "intruder", "server-1-2")
	a, b := first(apart, 30, "server-1-1", "server-0-2"), first(chain, 30, "server-1-1", "server-0-2")
	if a["low_score"] != true || b["low_score"] != true {
		t.Fatalf("%v and %v, want low scores", a, b)
	}
	if a["score_source_reached_by"] != nil || b["score_source_reached_by"] != "intruder" {
		t.Errorf("reached by %v and %v, want nobody and the intruder", a["score_source_reached_by"], b["score_source_reached_by"])
	}
	if x, y := a["score_source_risk"].(float64), b["score_source_risk"].(float64); y <= x || y > 2*b["score_source_risk"].(float64) {
		t.Errorf("a risk of %v alone and %v in a chain", x, y)
	}
}

// A bad source is reported once, also where the graph has no time of its own yet.
func TestABadSourceIsReportedOnceBeforeAnyOther(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.csv")
	writeList(t, list, "bad,*,*,,bad")
	f, err := New(host("allow", list, "train_interval", "1h"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, source := range []string{"bad", "bad", "host-1", "bad", "bad"} {
		f.Process(nil, session(i, source, "server-0-1", "client-1"))
	}
	if c := f.Counts(); c.Denied != 4 || c.Reported != 1 {
		t.Errorf("%d denied, %d reported, want 4 and 1", c.Denied, c.Reported)
	}
}

package filter

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/report"
)

// What the page shows of single sessions: those with a low score, and those at which a source was reported. Before the
// first model there is one kind of them, that of the list, and they have no score.
func TestWatchedBeforeAModel(t *testing.T) {
	f := offline(t, host("metrics_listen", "127.0.0.1:2023", "allow", listFile(t, "bad,*,*,,bad")))
	f.Process(nil, join([][]byte{session(1, "a", "b", "c"), session(2, "bad", "b", "c"), session(3, "bad", "d", "c")}))
	w := f.Watched()
	if len(w.Recent) != 2 || len(w.Alerts) != 1 {
		t.Fatalf("%d low, %d alerts, want 2 and 1", len(w.Recent), len(w.Alerts))
	}
	for _, s := range append(w.Recent, w.Alerts...) {
		if s.Source != "bad" || !s.Low || !math.IsNaN(s.Score) || s.Reason != ReasonDenied {
			t.Errorf("%+v", s)
		}
	}
	if w.Recent[0].Destination != "d" || w.Alerts[0].Destination != "b" {
		t.Errorf("the newest is %+v, the first reported %+v", w.Recent[0], w.Alerts[0])
	}
	if w.Low != [report.Bins]uint64{} || w.Other != [report.Bins]uint64{} {
		t.Error("sessions without a score are in the histogram")
	}
}

// A machine without a battery starts in 1970.
func TestWatchedHours(t *testing.T) {
	for _, now := range []time.Time{time.Unix(1800, 0), time.Unix(14*24*3600-1, 0), time.Unix(1.8e9, 0)} {
		w := newWatch()
		var chunk tally
		chunk.add(0.5, false)
		w.merge(&chunk, now)
		got, _ := w.copy(now)
		if want := (Hour{Hour: now.Unix() / 3600, Scored: 1}); got.Hours[len(got.Hours)-1] != want {
			t.Errorf("%s: %+v, want %+v last", now, got.Hours, want)
		}
	}
}

func TestWatchIsBoundedAndDoesNotAllocate(t *testing.T) {
	w := newWatch()
	e := graphbuf.Event{Source: []byte(strings.Repeat("x", 2*graphbuf.MaxName)), Relation: []byte("r"), Destination: make([]byte, 0, 32), Time: 1}
	var of evidence.Evidence
	keep := func(i int) {
		e.Destination = fmt.Appendf(e.Destination[:0], "d%d", i)
		w.session(&e, decision{low: true, report: i%2 == 0, score: 0.1}, true, &of)
	}
	const n = report.MaxLows + 50
	for i := range n {
		keep(i)
	}
	got, _ := w.copy(time.Now())
	if len(got.Recent) != report.MaxLows || len(got.Alerts) != report.MaxAlerts {
		t.Fatalf("%d low, %d alerts, want %d and %d", len(got.Recent), len(got.Alerts), report.MaxLows, report.MaxAlerts)
	}
	for i, s := range got.Recent {
		if s.Destination != fmt.Sprint("d", n-1-i) || len(s.Source) != graphbuf.MaxName {
			t.Fatalf("the low score %d from the newest is %+v", i, s)
		}
	}
	if last := got.Alerts[report.MaxAlerts-1]; last.Destination != fmt.Sprint("d", n-2*report.MaxAlerts) {
		t.Errorf("the oldest alert is %+v", last)
	}
	if allocs := testing.AllocsPerRun(100, func() { w.session(&e, decision{low: true, report: true}, true, &of) }); allocs != 0 {
		t.Errorf("%v allocations a session", allocs)
	}
}

package risk

import (
	"fmt"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// maxReports is the room of the tests' reports.
const maxReports = 1024

func TestReportsOnceInAWindow(t *testing.T) {
	r := NewReports(maxReports)
	if e := event("a", "ssh", "x", 0); r.Has(e) || !r.Add(e) {
		t.Error("a source that was never reported")
	}
	if e := event("a", "ssh", "y", 2*time.Hour); !r.Has(e) || r.Add(e) {
		t.Error("a source that was")
	}
	if !r.Add(event("b", "ssh", "y", 2*time.Hour)) {
		t.Error("another source")
	}
	if e := event("a", "ssh", "y", Window); r.Has(e) || !r.Add(e) {
		t.Error("a source that was reported the day before")
	}
}

// Without a time, as before the first session that is learned.
func TestReportsWithoutATime(t *testing.T) {
	r, e := NewReports(maxReports), &graphbuf.Event{Source: []byte("a")}
	if !r.Add(e) || r.Add(e) {
		t.Error("not once")
	}
}

// After a clock's step back of days a source is still reported once.
func TestReportsAfterAStepBack(t *testing.T) {
	r := NewReports(maxReports)
	r.Has(event("other", "ssh", "x", 5*Window))
	for i := range 100 {
		if e := event("a", "ssh", "x", time.Duration(i)*time.Minute); r.Add(e) != (i == 0) {
			t.Fatalf("report %d", i)
		}
	}
}

// Of more sources than are remembered none is reported twice.
func TestReportsOfMany(t *testing.T) {
	r, reports := NewReports(maxReports), 0
	for i := range 20 * maxReports {
		if added, _ := r.AddIfRoom(event(fmt.Sprint("bad-", i%(maxReports+100)), "ssh", "x", time.Duration(i)*time.Millisecond)); added {
			reports++
		}
	}
	if reports != maxReports {
		t.Errorf("%d reports, want %d", reports, maxReports)
	}
	if added, full := r.AddIfRoom(event("late", "ssh", "x", time.Hour)); added || !full {
		t.Error("that there is no room is not said")
	}
	if added, full := r.AddIfRoom(event("bad-0", "ssh", "x", time.Hour)); added || full {
		t.Error("a source that was reported finds no room")
	}
	if added, full := r.AddIfRoom(event("next day", "ssh", "x", Window+time.Hour)); !added || full {
		t.Error("the next day has no room")
	}
}

// Beyond the room the oldest report gives way, and no source goes without one.
func TestReportsForgetTheOldest(t *testing.T) {
	r := NewReports(3)
	for i, source := range []string{"a", "b", "c", "d"} {
		if !r.Add(event(source, "ssh", "x", time.Duration(i)*time.Hour)) {
			t.Errorf("%s is not reported", source)
		}
	}
	for source, want := range map[string]bool{"a": false, "b": true, "c": true, "d": true} {
		if got := r.Has(event(source, "ssh", "x", 4*time.Hour)); got != want {
			t.Errorf("%s was reported: %v, want %v", source, got, want)
		}
	}
}

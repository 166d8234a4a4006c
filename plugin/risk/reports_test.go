package risk

import (
	"fmt"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

func TestReportsOnceInAWindow(t *testing.T) {
	r := NewReports()
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
	r, e := NewReports(), &graphbuf.Event{Source: []byte("a")}
	if !r.Add(e) || r.Add(e) {
		t.Error("not once")
	}
}

// After a clock's step back of days a source is still reported once.
func TestReportsAfterAStepBack(t *testing.T) {
	r := NewReports()
	r.Has(event("other", "ssh", "x", 5*Window))
	for i := range 100 {
		if e := event("a", "ssh", "x", time.Duration(i)*time.Minute); r.Add(e) != (i == 0) {
			t.Fatalf("report %d", i)
		}
	}
}

// Of more sources than are remembered none is reported twice.
func TestReportsOfMany(t *testing.T) {
	r, reports := NewReports(), 0
	for i := range 20 * maxReports {
		if r.Add(event(fmt.Sprint("bad-", i%(maxReports+100)), "ssh", "x", time.Duration(i)*time.Millisecond)) {
			reports++
		}
	}
	if reports != maxReports {
		t.Errorf("%d reports, want %d", reports, maxReports)
	}
	if !r.Add(event("next day", "ssh", "x", Window+time.Hour)) {
		t.Error("the next day has no room")
	}
}

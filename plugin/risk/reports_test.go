package risk

import (
	"encoding/json"
	"fmt"
	"strings"
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

// copyOf is what a restart makes of reports.
func copyOf(t *testing.T, r *Reports, room int) *Reports {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again := NewReports(room)
	if err := json.Unmarshal(b, again); err != nil {
		t.Fatal(err)
	}
	return again
}

func TestReportsAreSaved(t *testing.T) {
	r := NewReports(maxReports)
	long := strings.Repeat("x", 3*graphbuf.MaxName)
	for i, source := range []string{"a", long, "", "b"} {
		r.Add(event(source, "ssh", "x", time.Duration(i)*time.Hour))
	}
	r = copyOf(t, copyOf(t, r, maxReports), maxReports)
	for source, want := range map[string]bool{"a": false, long: true, long + "x": false, "": true, "b": true, "c": false} {
		if got := r.Has(event(source, "ssh", "x", Window)); got != want {
			t.Errorf("%.3q was reported: %v, want %v", source, got, want)
		}
	}
	// With less room those of the last reports are known.
	r = copyOf(t, r, 2)
	for source, want := range map[string]bool{long: false, "": true, "b": true} {
		if got := r.Has(event(source, "ssh", "x", 4*time.Hour)); got != want {
			t.Errorf("with less room, %.3q was reported: %v, want %v", source, got, want)
		}
	}
	if added, full := r.AddIfRoom(event("d", "ssh", "x", 4*time.Hour)); added || !full {
		t.Error("there is room for more")
	}
	if b, err := json.Marshal(NewReports(3)); err != nil || copyOf(t, NewReports(3), 3).Has(event("a", "ssh", "x", 0)) {
		t.Errorf("none: %s, %v", b, err)
	}
}

// What was reported by a clock that was far ahead keeps no source from being reported after a restart.
func TestSavedReportsOfAClockAhead(t *testing.T) {
	r := NewReports(maxReports)
	r.Add(event("near", "ssh", "x", Window))
	r.Add(event("far", "ssh", "x", 400*Window))
	r = copyOf(t, r, maxReports)
	if !r.Has(event("near", "ssh", "x", 0)) || r.Has(event("far", "ssh", "x", 0)) {
		t.Error("want what is near, and what is far ahead not")
	}
}

func TestDamagedReports(t *testing.T) {
	const secret = `"Secret":"AAAAAAAAAAAAAAAAAAAAAA=="`
	for text, good := range map[string]bool{
		`{` + secret + `,"Keys":[1],"At":[5]}`: true, `{` + secret + `}`: true,
		`{` + secret + `,"Keys":[1],"At":[]}`: false, `{` + secret + `,"Keys":[1],"At":[-5]}`: false, `{` + secret + `,"Keys":[-1],"At":[5]}`: false,
		`{"Secret":"","Keys":[1],"At":[5]}`: false, `{}`: false, `[]`: false, `{"Secret":"A`: false,
	} {
		r := NewReports(3)
		r.Add(event("a", "ssh", "x", 0))
		if err := json.Unmarshal([]byte(text), r); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		} else if !good && !r.Has(event("a", "ssh", "x", 0)) {
			t.Errorf("%s took away what was there", text)
		}
	}
}

// Nobody without the secret knows which names have one key, and to look for a name makes no garbage.
func TestKeysOfReports(t *testing.T) {
	a, b, source := NewReports(3), NewReports(3), []byte("host-1")
	if key := a.key(source); key == b.key(source) || key != a.key(source) {
		t.Error("keys are of the name alone, or change")
	}
	e := event("host-1", "ssh", "x", 0)
	if n := testing.AllocsPerRun(100, func() { a.Has(e); a.Add(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

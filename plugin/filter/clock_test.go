package filter

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	second = int64(time.Second)
	day    = 24 * int64(time.Hour)
	midday = (1_700_000_000 - 1_700_000_000%86400 + 12*3600) * second
)

// at is a session at a time.
func at(ns int64, s, d, c string) []byte {
	return appendEvent(nil, "ts", fmt.Sprintf("%d.5", ns/second), "id.orig_h", s, "id.resp_h", d, "client", c)
}

// world is the true time, and by how much the machine's clock is wrong.
type world struct{ now, wrong int64 }

func (w *world) read() (wall, passed int64) { return w.now + w.wrong, w.now - midday + day }

// live makes an instance as in a host that has the world's clock, without trainings in the background.
func (w *world) live(t testing.TB, h *testHost) *Instance {
	t.Helper()
	f, err := newInstance(h, forLive, w.read)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var wrongClocks = []struct {
	name string
	by   int64
}{
	{"hours back", -5 * day / 24}, {"9 days back", -9 * day}, {"40 days back", -40 * day}, {"a year back", -365 * day}, {"1970", day - midday},
	{"hours ahead", 5 * day / 24}, {"9 days ahead", 9 * day}, {"40 days ahead", 40 * day}, {"a year ahead", 365 * day}, {"2262", math.MaxInt64 - 2*day - midday},
}

// TestAWrongClockLosesNothing: 600 triplets of ten days, then a thousand records with a wrong time, by the machine's
// clock or by the sender's alone, then many of the right one. All triplets are held, with their right times, whatever
// the records touched, whether right ones came between, and whether the filter was started anew meanwhile; live, and in
// a log.
func TestAWrongClockLosesNothing(t *testing.T) {
	for _, wrong := range wrongClocks {
		for i := range 48 {
			same, between, live := i&1 > 0, i&2 > 0, i&4 > 0
			machine, restart := i&8 > 0, i/16 // none, in the wrong time, before it
			if machine && !live || testing.Short() && i%7 != 0 {
				continue
			}
			name := fmt.Sprintf("%s: the same touched %v, right ones between %v, live %v, the machine's clock %v, restart %d", wrong.name, same, between, live, machine, restart)
			w := &world{now: midday - 10*day}
			h := host("state_dir", t.TempDir())
			start := func() *Instance {
				if live {
					return w.live(t, h)
				}
				return offline(t, h)
			}
			f := start()
			again := func() {
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				f = start()
			}
			var chunk []byte
			for i := range 3000 {
				chunk = append(chunk, at(w.now, fmt.Sprint("h", i%60), fmt.Sprint("s", i%600/60), "c")...)
				if w.now += 10 * day / 3000; i%100 == 99 {
					f.Process(nil, chunk)
					chunk = chunk[:0]
				}
			}
			before := held(f, 'h')
			if machine {
				w.wrong = wrong.by
			}
			if restart == 2 {
				again()
			}
			letter := "x"
			if same {
				letter = "h"
			}
			for i := range 1000 {
				w.now += second
				chunk = append(chunk, at(w.now+wrong.by, fmt.Sprint(letter, i%60), fmt.Sprint("s", i%600/60), "c")...)
				if between {
					chunk = append(chunk, at(w.now, fmt.Sprint("h", i%50), "s1", "c")...)
				}
				if i%100 == 99 {
					f.Process(nil, chunk)
					chunk = chunk[:0]
				}
				if i == 500 && restart == 1 {
					again()
				}
			}
			if restart > 0 {
				again()
			}
			w.wrong = 0
			for i := range 5000 {
				w.now += second
				chunk = append(chunk, at(w.now, fmt.Sprint("n", i%60), fmt.Sprint("s", i%600/60), "c")...)
				if i%100 == 99 {
					f.Process(nil, chunk)
					chunk = chunk[:0]
				}
			}
			after := held(f, 'h')
			if len(before) != 600 || len(after) != 600 || len(held(f, 'n')) != 600 {
				t.Fatalf("%s: of %d triplets %d are left, %d of 600 came after", name, len(before), len(after), len(held(f, 'n')))
			}
			// A clock that is wrong by less than a leap is believed.
			slack := max(min(wrong.by, f.clock.leap), 1000*second) + second
			for k, e := range after {
				was := before[k]
				if e[1] < was[1] || e[1] > w.now+slack || e[0] > was[0] || e[0] < was[0]-f.clock.leap {
					t.Fatalf("%s: %s was seen from %v to %v, now from %v to %v; it is %v", name, k, date(was[0]), date(was[1]), date(e[0]), date(e[1]), date(w.now))
				}
			}
			if live {
				if n := f.clock.now(); n.own < w.now-1 || n.own > w.now+1 {
					t.Fatalf("%s: the filter's own time is %v, it is %v", name, date(n.own), date(w.now))
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// held are the times of the triplets whose source begins with a letter.
func held(f *Instance, letter byte) map[string][2]int64 {
	snap, out := f.graph.Snapshot(), map[string][2]int64{}
	for _, e := range snap.Edges {
		if name := snap.Nodes[e.Source].Name; name[0] == letter {
			out[name+" "+snap.Nodes[e.Destination].Name] = [2]int64{e.First, e.Last}
		}
	}
	return out
}

// TestTheFiltersOwnTime: what the machine's clock says, and what is believed of it.
func TestTheFiltersOwnTime(t *testing.T) {
	const leap = 7 * day
	for _, x := range []struct {
		name   string
		newest int64 // learned before, by the true time at the start
		// By how much the machine's clock is wrong from some hours on.
		wrong []int64
		hours []int64
		want  []int64 // by how much the filter's is, an hour before the next
		saved lastWritten
	}{
		{"right", -day, []int64{0}, []int64{0, 100}, []int64{0}, lastWritten{}},
		{"nothing learned", -midday, []int64{0, -9 * day, 0}, []int64{0, 10, 20, 30}, []int64{0, 0, 0}, lastWritten{}},
		{"no battery, then set", 0, []int64{-midday + day, 0}, []int64{0, 100, 200}, []int64{0, 0}, lastWritten{}},
		{"no battery, nothing learned", -midday, []int64{-midday + day, 0}, []int64{0, 100, 101}, []int64{-midday + day, 0}, lastWritten{}},
		{"2262, nothing learned", -midday, []int64{math.MaxInt64 - 2*midday, 0}, []int64{0, 10, 20}, []int64{earliest - midday, 0}, lastWritten{}},
		{"a year ahead for a while", 0, []int64{0, 365 * day, 0}, []int64{0, 10, 30, 40}, []int64{0, 0, 0}, lastWritten{}},
		{"a year ahead at the start", 0, []int64{365 * day, 0}, []int64{0, 20, 30}, []int64{0, 0}, lastWritten{}},
		{"a year ahead for days", 0, []int64{0, 365 * day, 0}, []int64{0, 10, 40, 100}, []int64{0, 365 * day, 365 * day}, lastWritten{}},
		{"2262 for days", 0, []int64{0, math.MaxInt64 - 2*midday}, []int64{0, 10, 100}, []int64{0, 0}, lastWritten{}},
		{"back for days", 0, []int64{0, -100 * day}, []int64{0, 10, 100}, []int64{0, 0}, lastWritten{}},
		{"twenty days not running", -20 * day, []int64{0}, []int64{0, 20}, []int64{-20 * day}, lastWritten{}},
		{"twenty days not running, a day later", -20 * day, []int64{0}, []int64{0, 30}, []int64{0}, lastWritten{}},
		{"another jump in between", 0, []int64{0, 365 * day, 765 * day}, []int64{0, 10, 30, 50}, []int64{0, 0, 0}, lastWritten{}},
		{"hours", 0, []int64{0, 5 * day / 24, -5 * day / 24}, []int64{0, 10, 20, 30}, []int64{0, 5 * day / 24, -5 * day / 24}, lastWritten{}},
		{"a log of twenty days ago was learned", -20 * day, []int64{0}, []int64{0, 20}, []int64{0}, lastWritten{midday - day, 0}},
		{"twenty days not running, and again a day", -20 * day, []int64{0}, []int64{0, 20}, []int64{-20 * day}, lastWritten{midday - day/24, midday - 2*day/24}},
		{"the same, hours later", -20 * day, []int64{0}, []int64{0, 24}, []int64{0}, lastWritten{midday - day/24, midday - 2*day/24}},
		{"twenty days not running, and again for days", -20 * day, []int64{0}, []int64{0, 2}, []int64{0}, lastWritten{midday - day, midday - 2*day}},
		{"a year ahead when it was saved", 0, []int64{365 * day}, []int64{0, 20}, []int64{0}, lastWritten{midday + 365*day, midday + 365*day}},
		{"a year ahead, and not when it was saved", 0, []int64{365 * day}, []int64{0, 20}, []int64{0}, lastWritten{midday, 0}},
		{"back when it was saved", 0, []int64{-100 * day}, []int64{0, 20}, []int64{0}, lastWritten{midday - 100*day, 0}},
	} {
		w := &world{now: midday, wrong: x.wrong[0]}
		c := clock{read: w.read, leap: leap}
		c.begin(midday+x.newest, x.saved)
		for i, wrong := range x.wrong {
			w.wrong = wrong
			for hour := x.hours[i]; hour < x.hours[i+1]; hour++ {
				w.now = midday + hour*day/24
				c.now()
			}
			if got := c.now().own - w.now; got != x.want[i] {
				t.Errorf("%s, step %d: the filter's time is wrong by %v, want %v", x.name, i, time.Duration(got), time.Duration(x.want[i]))
			}
		}
	}
}

// TestABacklogKeepsItsTimes: what was written while the filter did not run, for longer than a leap, counts for its own
// time, and so does what comes of now once the machine's clock is believed. What was learned before stays.
func TestABacklogKeepsItsTimes(t *testing.T) {
	w := &world{now: midday}
	h := host("state_dir", t.TempDir())
	f := w.live(t, h)
	for i := range 100 {
		f.Process(nil, at(w.now, fmt.Sprint("h", i), "s", "c"))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	down := w.now
	w.now += 20 * day
	f = w.live(t, h)
	for i := range 100 {
		f.Process(nil, at(down+int64(i)*day/10, fmt.Sprint("b", i), "s", "c"))
	}
	w.now += second
	f.clock.now()
	w.now += 25 * day / 24
	for i := range 100 {
		f.Process(nil, at(w.now, fmt.Sprint("n", i), "s", "c"))
	}
	if b := held(f, 'b'); b["b99 s"][0]/second != (down+99*day/10)/second || len(b) != 100 {
		t.Errorf("the last of %d of the backlog counts for %s, want %s", len(b), date(b["b99 s"][0]), date(down+99*day/10))
	}
	if n := held(f, 'n'); n["n99 s"][0]/second != w.now/second {
		t.Errorf("a record of now counts for %s, want %s", date(n["n99 s"][0]), date(w.now))
	}
	if n := len(held(f, 'h')); n != 100 {
		t.Errorf("%d of 100 triplets of before are left", n)
	}
	if st := f.Status(); st.Records.WrongTime != 0 || st.Graph.Evicted != 0 {
		t.Errorf("%+v, %+v", st.Records, st.Graph)
	}
}

// TestOldRecordsSpendNoBudget: old times between new ones do not turn the day of the budget, and neither do times
// ahead.
func TestOldRecordsSpendNoBudget(t *testing.T) {
	for _, x := range []struct {
		name string
		old  int   // records with a wrong time before each 100 right ones
		by   int64 // by how much it is wrong
		step int64 // from one to the next
	}{
		{"none", 0, 0, 0}, {"63 of three days ago", 63, -3 * day, 0}, {"64 of three days ago", 64, -3 * day, 0},
		{"80 of three days ago", 80, -3 * day, 0}, {"80 of yesterday", 80, -day, 0}, {"80 of a day ahead", 80, day - second, 0},
		{"80 of a year ahead", 80, 365 * day, day}, {"300 of ever later days", 300, -310 * day, day},
	} {
		w := &world{now: midday - 12*day}
		f := w.live(t, host("threshold_method", "budget", "threshold_per_day", "20", "train_steps", "100"))
		for i := range 6000 {
			f.Process(nil, at(w.now, fmt.Sprint("h", i%60), fmt.Sprint("s", (i%60)/20*4+i%600/60%4), fmt.Sprint("c", i%3)))
			w.now += 12 * day / 6000
		}
		train(t, f)
		n := 0
		for round := range 30 {
			var chunk []byte
			for i := range x.old {
				chunk = append(chunk, at(w.now+x.by+int64(i)*x.step, fmt.Sprint("z", n), fmt.Sprint("y", i), fmt.Sprint("odd", n))...)
				n++
			}
			f.Process(nil, chunk)
			chunk = nil
			for i := range 100 {
				chunk = append(chunk, at(w.now, fmt.Sprint("evil", round, "-", i), fmt.Sprint("s", i%12), fmt.Sprint("tool", round, i))...)
			}
			f.Process(nil, chunk)
			w.now += 60 * second
		}
		// The day is the first one: a quarter of the budget is to be had at once, as much again for what scores lowest.
		if low := f.Status().Records.LowScore; low < 5 || low > 11 {
			t.Errorf("%s: %d of %d records have a low score within half an hour, 10 and a twentieth of 20 are to be had", x.name, low, 30*(100+x.old))
		}
	}
}

// TestWrongTimesAreSaid: once, with how many records and which time, and that the machine's clock is doubted.
func TestWrongTimesAreSaid(t *testing.T) {
	w := &world{now: midday}
	h := host()
	f := w.live(t, h)
	f.Process(nil, at(w.now, "a", "s", "c"))
	for range 5 {
		f.times.log(false)
	}
	if log := h.log(); log != "" {
		t.Errorf("said without a reason: %s", log)
	}
	for range 7 {
		f.Process(nil, at(w.now-100*day, "b", "s", "c"))
		f.Process(nil, at(w.now+100*day, "b", "s", "c"))
	}
	for range 5 {
		f.times.log(false)
	}
	past, ahead := time.Unix(0, w.now-100*day).UTC().Format(time.DateOnly), time.Unix(0, w.now+100*day).UTC().Format(time.DateOnly)
	log := h.log()
	for _, want := range []string{"14 records with wrong or old times", "7 not believed, the last of them " + ahead, "7 long past, the last of them " + past} {
		if strings.Count(log, want) != 1 {
			t.Errorf("%q is not said once: %s", want, log)
		}
	}
	if n := f.Status().Records.WrongTime; n != 14 {
		t.Errorf("%d records counted, want 14", n)
	}
	w.wrong = -9 * day
	f.Process(nil, at(w.now-9*day, "c", "s", "c"))
	for range 5 {
		f.times.log(false)
	}
	w.wrong = 0
	f.times.log(false)
	log = h.log()
	for _, want := range []string{"clock: the machine's clock says " + time.Unix(0, w.now-9*day).UTC().Format(time.RFC3339), "agree again"} {
		if strings.Count(log, want) != 1 {
			t.Errorf("%q is not said once: %s", want, log)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if log := h.log(); strings.Count(log, "15 records with wrong or old times") != 1 {
		t.Errorf("said at the end: %s", log)
	}
}

// A log whose first records have wrong times, or none, is learned all the same. What is learned of a live stream is
// what is new, and those who look are told of the rest.
func TestALogThatBeginsWithAWrongTime(t *testing.T) {
	w := &world{now: midday}
	old := func(f *Instance, first int64) {
		var chunk []byte
		chunk = append(chunk, at(first, "x", "y", "z")...)
		for i := range 100 {
			chunk = append(chunk, at(w.now-100*day+int64(i)*second, fmt.Sprint("h", i%20), fmt.Sprint("s", i%7), "c")...)
		}
		f.Process(nil, chunk)
	}
	for _, first := range []int64{w.now, w.now - day, w.now + 400*day, 0} {
		f := offline(t, host())
		f.clock.read = func() (int64, int64) { return w.now, 0 }
		old(f, first)
		if n := f.Status().Graph.Edges; n != 101 {
			t.Errorf("begun at %d: %d triplets, want 101", first, n)
		}
	}
	// A sparse log with its newest record first begins with a right time.
	f := offline(t, host())
	f.clock.read = func() (int64, int64) { return w.now, 0 }
	var chunk []byte
	for i := range int64(100) {
		chunk = append(chunk, at(w.now-i*day/2, fmt.Sprint("h", i%20), fmt.Sprint("s", i%7), "c")...)
	}
	f.Process(nil, chunk)
	if st := f.graph.Stats(); st.Doubted != 0 || st.Now < w.now-second || st.Outside != 39 {
		t.Errorf("%+v", st)
	}

	h := host("train_min_edges", "50")
	f = w.live(t, h)
	old(f, w.now)
	st := f.Status()
	const want = "1 of 50 distinct triplets needed before the first training (train.min_edges); 100 sessions were not learned, as they lie more than graph.window = 30d before the newest, of "
	if st.Graph.Edges != 1 || !strings.Contains(st.Problem, want) {
		t.Errorf("%d triplets: %s", st.Graph.Edges, st.Problem)
	}
	f.Close()
	if log := h.log(); !strings.Contains(log, "but not learned where they are older than the window and their connection is not known: 100, and") || !strings.Contains(log, want) {
		t.Error(log)
	}
}

// TestTheClockAfterALogOfLongAgo: who learned an old log just before has a machine whose clock is right. What is over by
// that is counted as expired from the start on.
func TestTheClockAfterALogOfLongAgo(t *testing.T) {
	now := time.Now().UnixNano()
	h := host("state_dir", t.TempDir(), "allow", listFile(t, "pentester,*,*,"+time.Unix(0, now-9*day).UTC().Format(time.DateOnly)+","))
	f, err := NewOffline(h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		f.Process(nil, at(now-20*day+int64(i)*second, fmt.Sprint("h", i), "s", "c"))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f, err = newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := f.clock.now(); !n.agree || f.times.problem() != "" {
		t.Errorf("%+v, %q: the machine's clock is doubted", n, f.times.problem())
	}
	if !strings.Contains(h.log(), "1 lines, 1 of them expired") {
		t.Errorf("the list is not told of by the machine's time: %s", h.log())
	}
}

// TestADoubtedClockIsRemembered: in a filter that is restarted more often than once a day, too, a clock that stays ahead is
// believed after a day.
func TestADoubtedClockIsRemembered(t *testing.T) {
	w := &world{now: midday}
	dir := t.TempDir()
	h := host("state_dir", dir)
	f := w.live(t, h)
	f.Process(nil, at(w.now, "h", "s", "c"))
	for hour := 0; hour <= 26; hour += 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		saved := time.Unix(0, w.now) // as if the graph had been written by that clock
		if err := os.Chtimes(filepath.Join(dir, "graph"), saved, saved); err != nil {
			t.Fatal(err)
		}
		if w.now += 2 * day / 24; hour == 0 {
			w.now += 20 * day
		}
		f = w.live(t, h)
		if believed, want := f.clock.now().agree, hour >= 24; believed != want {
			t.Errorf("hour %d: believed %v, want %v", hour, believed, want)
		}
		if problem := f.times.problem(); (problem == "") != (hour >= 24) {
			t.Errorf("hour %d: %q", hour, problem)
		}
		f.Process(nil, at(w.now, "h", "s", "c"))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

package graphbuf

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const hourly = int64(time.Hour)

// midnight is one at which a bucket begins.
var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixNano()

// begin begins to have a base take the place of a graph.
func begin(t testing.TB, g *Graph, base *Snapshot, horizon int64) *Succession {
	next := newGraph(t, g.bounds)
	next.Restore(base)
	return g.Succeed(next, horizon)
}

// succeed has it take that place while nothing comes.
func succeed(t testing.TB, g *Graph, base *Snapshot, horizon int64) *Succession {
	t.Helper()
	s := begin(t, g, base, horizon)
	if err := s.Finish(func(swap func() bool) { swap() }); err != nil {
		t.Fatal(err)
	}
	return s
}

// counts are the events of each triplet.
func counts(g *Graph) map[string]uint32 {
	s, out := g.Snapshot(), map[string]uint32{}
	for _, e := range s.Edges {
		out[s.Nodes[e.Source].Name+" "+s.Relations[e.Relation].Name+" "+s.Nodes[e.Destination].Name] = e.Count
	}
	return out
}

func TestABaseTakesThePlaceOfAGraph(t *testing.T) {
	cfg := Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Window: 30 * 24 * time.Hour, Trusted: true}
	trainer, agent := newGraph(t, cfg), newGraph(t, cfg)
	horizon := midnight
	for day := range int64(10) {
		at := midnight - (10-day)*24*hourly
		for h := range int64(24) {
			trainer.observe1(event("a", "r", "x", at+h*hourly))
			trainer.observe1(event("b", "r", "y", at+h*hourly))
			agent.observe1(event("a", "r", "x", at+h*hourly))
			agent.observe1(event("gone", "r", "x", at+h*hourly))
		}
	}
	for h := range int64(12) {
		agent.observe1(event("a", "r", "x", midnight+h*hourly+1)) // of the base, and since
		agent.observe1(event("c", "q", "x", midnight+h*hourly+1)) // since
	}
	before := agent.Stats()
	s := succeed(t, agent, trainer.Snapshot(), horizon)
	want := map[string]uint32{
		"a r x": 240 + 11, // 252 events in 251 hours of buckets with events, of which 11 lie after the horizon
		"b r y": 240,
		"c q x": 12,
	}
	if got := counts(agent); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the graph holds %v, want %v", got, want)
	}
	if s.Carried != (Carried{2, 11 + 12}) {
		t.Errorf("carried %+v", s.Carried)
	}
	after := agent.Stats()
	if after.Now != before.Now || after.Events != before.Events || after.NewEdges != before.NewEdges || after.Nodes != 5 {
		t.Errorf("%+v before, %+v after", before, after)
	}
	ref := agent.look1(event("c", "q", "x", before.Now))
	if ref.SourceSince != midnight+1 || ref.Counts.SRD != 12 || ref.Counts.D != 240+11+12 {
		t.Errorf("%+v", ref)
	}
	// What comes afterwards counts on top, and the next base takes it all over again.
	agent.observe1(event("c", "q", "x", midnight+12*hourly))
	succeed(t, agent, trainer.Snapshot(), horizon)
	if got := counts(agent)["c q x"]; got != 13 {
		t.Errorf("a second time: %d events", got)
	}
	succeed(t, agent, trainer.Snapshot(), midnight+20*hourly)
	if got := counts(agent); len(got) != 2 || got["a r x"] != 240 {
		t.Errorf("after a base that knows all: %v", got)
	}
}

func TestEdgesAreCutAtAHorizon(t *testing.T) {
	// Buckets of twelve hours; it is six in the morning of day 100.
	b := buckets{level: 10}
	lived := 100*day + 6*hourly
	now := midnight + 6*hourly
	for _, c := range []struct {
		what          string
		count         uint32
		first         int64 // hours before now
		active        uint64
		horizon       int64 // hours before now
		want          uint32
		wantActive    uint64
		wantUnchanged bool // the first time
	}{
		{"all after", 7, 2, 1, 3, 7, 1, true},
		{"all in the bucket of the horizon, a third after", 9, 5, 1, 2, 3, 1, false},
		{"the current bucket alone after", 100, 30, 0b111, 6, 20, 1, false},
		{"one whole bucket and the current one after", 100, 30, 0b111, 18, 60, 0b11, false},
		{"half of a bucket and the current one after", 100, 30, 0b111, 12, 40, 0b11, false},
		{"one event, seen before and after by its buckets", 1, 30, 0b111, 6, 1, 1, false},
		{"a single event of many is after", 3, 600, 1 | 1<<40, 0, 1, 1, false},
		{"nothing known of its activity", 50, 30, 0, 6, 1, 0, false},
		{"the horizon before all buckets", 50, 24 * 60, 1<<63 | 1, 24 * 50, 50, 1<<63 | 1, false},
	} {
		e := Edge{Count: c.count, First: now - c.first*hourly, Last: now, Active: c.active}
		clock := newClock(30*24*time.Hour, true)
		clock.believe(now)
		clock.lived = lived
		h := horizon{now - c.horizon*hourly, lived, lived - c.horizon*hourly, b}
		h.cut(&e)
		if e.Count != c.want || e.Active != c.wantActive || (e.First == now-c.first*hourly) != c.wantUnchanged || e.First > e.Last {
			t.Errorf("%s: %d events, active %b, first %d h before; want %d, %b", c.what, e.Count, e.Active, (now-e.First)/hourly, c.want, c.wantActive)
		}
	}
}

// Whatever comes while a base takes a graph's place is in the graph afterwards, once.
func TestEventsGoOnDuringASuccession(t *testing.T) {
	cfg := Config{MaxNodes: 1 << 16, MaxRelations: 10, MaxEdges: 1 << 17, Trusted: true}
	g := newGraph(t, cfg)
	const writers, each = 4, 20_000
	var gate sync.RWMutex
	var wg sync.WaitGroup
	var seen atomic.Int64
	for w := range writers {
		wg.Go(func() {
			refs := make([]Ref, 1)
			for i := range each {
				gate.RLock()
				g.Observe([]Event{event("w"+strconv.Itoa(w), "r", strconv.Itoa(i%5000), midnight+int64(i))}, refs)
				gate.RUnlock()
				seen.Add(1)
			}
		})
	}
	base := newGraph(t, cfg)
	base.observe1(event("base", "r", "x", midnight-1))
	snapshot := base.Snapshot()
	for n := 0; seen.Load() < writers*each; n++ {
		s := begin(t, g, snapshot, midnight-1)
		if n%3 == 0 {
			s.CatchUp()
		}
		s.next.Snapshot()
		if n%5 == 4 {
			s.Abandon()
			continue
		}
		if err := s.Finish(func(swap func() bool) {
			gate.Lock()
			defer gate.Unlock()
			if !swap() {
				t.Error("not swapped")
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	succeed(t, g, snapshot, midnight-1)
	got := counts(g)
	for w := range writers {
		for i := range 5000 {
			if n := got[fmt.Sprintf("w%d r %d", w, i)]; n != each/5000 {
				t.Fatalf("writer %d saw %d %d times, want %d", w, i, n, each/5000)
			}
		}
	}
	if st := g.Stats(); st.Events != writers*each || got["base r x"] != 1 || st.Edges != writers*5000+1 {
		t.Errorf("%+v; the base's edge has %d", st, got["base r x"])
	}
}

func TestEventsThatAreTooFast(t *testing.T) {
	g := newGraph(t, roomy)
	g.observe1(event("a", "r", "b", midnight))
	base := newGraph(t, roomy)
	base.observe1(event("x", "r", "y", midnight-hourly))
	s := begin(t, g, base.Snapshot(), midnight-hourly)
	events, refs := make([]Event, journalRoom+1), make([]Ref, journalRoom+1)
	for i := range events {
		events[i] = event("a", "r", "b", midnight+1)
	}
	g.Observe(events, refs)
	swapped := true
	err := s.Finish(func(swap func() bool) { swapped = swap() })
	if !errors.Is(err, ErrTooFast) || !strings.Contains(err.Error(), "1 events came faster") || swapped {
		t.Errorf("%v, swapped: %v", err, swapped)
	}
	if got := counts(g); len(got) != 1 || got["a r b"] != journalRoom+2 {
		t.Errorf("the graph holds %v", got)
	}
	succeed(t, g, base.Snapshot(), midnight-hourly)
	if got := counts(g); len(got) != 2 || got["a r b"] != journalRoom+2 {
		t.Errorf("tried again: %v", got)
	}
}

// A succession may begin slowly, and what came meanwhile may take long to be shown: the journal is emptied all the same.
func TestTheJournalIsEmptiedWhileASuccessionBegins(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Trusted: true})
	g.observe1(event("a", "r", "x", midnight))
	next := newGraph(t, g.Bounds())
	refs := make([]Ref, 64)
	events := slices.Repeat([]Event{event("a", "r", "x", midnight+1)}, len(refs))
	sent := uint32(1)
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for looks := 0; !holds(); looks++ {
			if looks == 20_000 {
				t.Fatal(what)
			}
			time.Sleep(time.Millisecond)
		}
	}
	observe := func(batches int) {
		for range batches {
			g.Observe(events, refs)
			sent += uint32(len(events))
		}
	}

	next.mu.Lock() // the copy cannot be restored there
	begun := make(chan *Succession)
	go func() { begun <- g.Succeed(next, midnight-1) }()
	eventually("it does not begin", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.journal != nil
	})
	for range journalRoom / len(events) * 2 {
		eventually("nobody empties the journal", func() bool { return g.behind() <= journalRoom/2 })
		observe(1)
	}
	next.mu.Unlock()
	s := <-begun
	observe(1)
	next.mu.Lock() // the first of what is to be shown is not seen yet
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.CatchUp()
	}()
	eventually("it does not begin to catch up", func() bool { return g.behind() == 0 })
	observe(2)
	next.mu.Unlock()
	<-done
	if n := g.behind(); n > 0 || len(s.waiting) != 2*len(events) {
		t.Errorf("%d events in the journal, %d wait, want 0 and %d", n, len(s.waiting), 2*len(events))
	}
	if err := s.Finish(func(swap func() bool) { swap() }); err != nil {
		t.Fatal(err)
	}
	if got := g.look1(event("a", "r", "x", midnight+2)).Counts.SRD; got != sent {
		t.Errorf("%d events, want %d", got, sent)
	}
}

// What waits to be shown is bounded, in memory and, where it does not get less, in the time for which records would wait.
func TestWhatWaitsIsBounded(t *testing.T) {
	g := newGraph(t, roomy)
	s := begin(t, g, &Snapshot{}, 0)
	g.observe1(event("a", "r", "b", midnight))
	s.waiting = make([]touch, waitingRoom)
	s.drain()
	if g.behind() != 1 || len(s.waiting) != waitingRoom {
		t.Errorf("%d events in the journal, %d wait", g.behind(), len(s.waiting))
	}
	s.waiting = s.waiting[:journalRoom]
	if err := s.behind(); err != nil {
		t.Error(err)
	}
	s.drain()
	if err := s.behind(); !errors.Is(err, ErrTooFast) {
		t.Errorf("%d wait: %v", len(s.waiting), err)
	}
}

// After a panic, which a caller may survive, records do not wait for ever.
func TestAPanicWhileCatchingUpHoldsNoLock(t *testing.T) {
	g := newGraph(t, roomy)
	s := begin(t, g, &Snapshot{}, 0)
	s.waiting = []touch{{edge: 1 << 30}} // no slot
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic: nothing is tested")
			}
		}()
		s.CatchUp()
	}()
	if !g.mu.TryLock() {
		t.Fatal("the graph is locked")
	}
	g.mu.Unlock()
}

func TestASuccessionHasEventsAllocateNothing(t *testing.T) {
	g := newGraph(t, roomy)
	events, refs := notebook(t)[:500], make([]Ref, 500)
	g.Observe(events, refs)
	s := begin(t, g, newGraph(t, roomy).Snapshot(), 0)
	defer s.Abandon()
	if n := testing.AllocsPerRun(50, func() { g.Observe(events, refs) }); n > 0 {
		t.Errorf("%v allocations for 500 known events", n)
	}
}

// An event that is late by more than a leap, of a triplet that is held, goes over like any other; one of a triplet that
// is gone, whose place another has, does not.
func TestLateEventsGoOver(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 2, Trusted: true})
	g.observe1(event("a", "r", "x", midnight))
	g.observe1(event("b", "r", "y", midnight+1))
	s := begin(t, g, g.Snapshot(), midnight+2)
	g.observe1(event("a", "r", "x", midnight-20*day))
	g.observe1(event("b", "r", "y", midnight-20*day))
	g.observe1(event("b", "r", "y", midnight+1))
	slot := g.look1(event("b", "r", "y", midnight)).Edge
	g.observe1(event("a", "r", "x", midnight+2)) // so that b is older
	g.observe1(event("c", "r", "z", midnight-day))
	if got := g.look1(event("c", "r", "z", midnight)).Edge; got != slot {
		t.Fatalf("slot %d, want that of the triplet that is gone, %d", got, slot)
	}
	if err := s.Finish(func(swap func() bool) { swap() }); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{"a r x": 3, "c r z": 1}
	if got := counts(g); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the graph holds %v, want %v", got, want)
	}
}

// A base that is larger than the bounds leaves within them what was seen last.
func TestABaseLargerThanTheBounds(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 50, Trusted: true})
	base := newGraph(t, roomy)
	for i := range 200 {
		base.observe1(event("s"+strconv.Itoa(i%9), "r", "d"+strconv.Itoa(i), midnight+int64(i)))
	}
	g.observe1(event("mine", "r", "d1", midnight+1000))
	succeed(t, g, base.Snapshot(), midnight+500)
	got := counts(g)
	if len(got) != 50 || got["mine r d1"] != 1 || got["s1 r d199"] != 1 {
		t.Errorf("%d edges: %v", len(got), got)
	}
}

// A horizon may lie further back than a pause counts for: what came in that time is carried over all the same.
func TestAHorizonOlderThanALeap(t *testing.T) {
	for _, c := range []struct{ window, lasts, horizon int64 }{{7, 7, 2}, {7, 7, 4}, {7, 7, 5}, {30, 21, 20}, {0, 21, 20}, {0, 21, 8}} {
		g := newGraph(t, Config{MaxNodes: 10, MaxRelations: 10, MaxEdges: 10, Window: time.Duration(c.window * day)})
		for h := range 24 * c.lasts {
			g.observe1(event("a", "r", "x", midnight+h*hourly))
		}
		horizon := g.Stats().Now - c.horizon*day
		for _, restarts := range []bool{false, true} {
			if restarts {
				g = restarted(t, g)
			}
			s := begin(t, g, &Snapshot{}, horizon)
			if got, want := s.Carried.Events, uint64(24*c.horizon); got < want || got > want+1 { // a bucket begins in between
				t.Errorf("window of %d days, horizon %d days back, restarts %v: carried %d events, want %d", c.window, c.horizon, restarts, got, want)
			}
		}
	}
}

// A pause between the horizon and now makes nothing of before the horizon come after it.
func TestAHorizonBeforeAPause(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Window: time.Duration(40 * day), Trusted: true})
	const pause = 30 * day
	for h := range int64(24 * 20) {
		at := midnight + h*hourly
		if h >= 24*18 {
			at += pause
		}
		g.observe1(event("a", "r", "x", at))
		g.observe1(event("b", "r", strconv.Itoa(int(h)), at))
	}
	for _, restarts := range []bool{false, true} {
		if restarts {
			g = restarted(t, g)
		}
		for daysBefore := range int64(4) {
			s := g.after(midnight+(18-daysBefore)*day-1, nil)
			want := uint32(24 * (daysBefore + 2)) // but for what a bucket, of 24 hours, blurs
			for _, e := range s.Edges {
				if s.Nodes[e.Source].Name == "a" && (e.Count < want-2 || e.Count > want+2) {
					t.Errorf("%d days before the pause, restarts %v: %d events after, want %d", daysBefore, restarts, e.Count, want)
				}
			}
			if n := len(s.Edges); n != int(want)+1 {
				t.Errorf("%d days before the pause: %d edges after, want %d", daysBefore, n, want+1)
			}
		}
	}
}

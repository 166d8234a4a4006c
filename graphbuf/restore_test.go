package graphbuf

import (
	"encoding"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// throughBytes is what a graph or a snapshot is after it was saved and read.
func throughBytes(t testing.TB, saved encoding.BinaryAppender) *Snapshot {
	t.Helper()
	b, err := saved.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return &s
}

// restarted is a graph after a restart.
func restarted(t testing.TB, g *Graph) *Graph {
	t.Helper()
	again := newGraph(t, g.Bounds())
	again.Restore(throughBytes(t, g))
	return again
}

// What is known of an event does not change with a restart, in whatever order triplets were last seen.
func TestARestoredGraphKnowsTheSame(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 2))
		g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 100_000, Window: []time.Duration{0, 30 * 24 * time.Hour}[seed%2], Trusted: true})
		now := midnight
		const hosts, relations = 20, 3
		draw := func(at int64) Event {
			return event(fmt.Sprint("s", rng.IntN(hosts)), fmt.Sprint("r", rng.IntN(relations)), fmt.Sprint("d", rng.IntN(hosts)), at)
		}
		for range 1500 {
			now += rng.Int64N(int64(10 * time.Minute))
			g.observe1(draw(now))
		}
		again := restarted(t, g)
		if was, is := g.Stats().Lived, again.Stats().Lived; (is-was).Abs() > time.Hour || was < 5*24*time.Hour { // ages are known to a thousandth of the window
			t.Errorf("seed %d: lived %v, %v after a restart", seed, was, is)
		}
		for range 500 {
			e := draw(now + 1)
			want, got := g.look1(e), again.look1(e)
			if diff := math.Abs(float64(got.NewDestinations - want.NewDestinations)); diff > 0.01 {
				t.Fatalf("seed %d, %s: %v new destinations, %v after a restart", seed, e.Source, want.NewDestinations, got.NewDestinations)
			}
			if got.Counts != want.Counts || got.SourceSince != want.SourceSince || got.RelationSince != want.RelationSince ||
				got.TripletSince != want.TripletSince || got.TripletLast != want.TripletLast || got.Now != want.Now {
				t.Fatalf("seed %d, %s %s %s: %+v, %+v after a restart", seed, e.Source, e.Relation, e.Destination, want, got)
			}
			near := func(g *Graph, ref *Ref) (names []string) {
				ids := make([]ID, 4)
				for _, id := range ids[:g.Near(ref.Source, false, ID{}, ids)] {
					names = append(names, g.HostName(id))
				}
				return names
			}
			if was, is := near(g, &want), near(again, &got); !slices.Equal(is, was) {
				t.Fatalf("seed %d, %s: newest destinations %q, %q after a restart", seed, e.Source, was, is)
			}
		}
	}
}

// A pair is as old as its first triplet, whichever of them was seen last.
func TestAPairMeetsOnceAfterARestart(t *testing.T) {
	for _, merges := range []bool{false, true} {
		g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 10_000, Window: 30 * 24 * time.Hour, Trusted: true})
		const day = 24 * hourly
		for d := range int64(20) {
			for i := range int64(50) {
				server, at := fmt.Sprint("srv", i), midnight+d*day+i*int64(time.Minute)
				g.observe1(event("admin", "usual", server, at))
				if d == 18 {
					g.observe1(event("admin", "another", server, at))
				}
			}
		}
		again := restarted(t, g)
		if merges { // the ledger begins after it, and hears of an earlier time of the later triplet
			again.BeginSlices(midnight + 19*day + hourly)
			e := event("admin", "another", "srv1", midnight)
			again.Merge(Over, []Sighting{{Source: e.Source, Relation: e.Relation, Destination: e.Destination, Count: 1, First: midnight + 17*day, Last: midnight + 18*day}})
		}
		ref := again.look1(event("admin", "usual", "srv1", midnight+19*day+hourly))
		if ref.NewDestinations > 0.01 {
			t.Errorf("merges %v: %v new destinations that have been known for 20 days", merges, ref.NewDestinations)
		}
	}
}

// What is added to a graph does not move when its pairs met, but for pairs that met earlier.
func TestARestoreOnTopKeepsWhenPairsMet(t *testing.T) {
	const day = 24 * hourly
	cfg := Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 10_000, Window: 30 * 24 * time.Hour, Trusted: true}
	now := midnight + 20*day
	base, local := newGraph(t, cfg), newGraph(t, cfg)
	for i := range 50 {
		known, fresh := fmt.Sprint("known", i), fmt.Sprint("new", i)
		base.observe1(event("a", "r", known, midnight))
		local.observe1(event("a", "r2", known, midnight+10*day))
		base.observe1(event("a", "r", fresh, now))
		local.observe1(event("a", "r", known, now))
	}
	want := base.look1(event("a", "r", "new1", now+1)).NewDestinations
	base.Restore(local.Snapshot())
	if got := base.look1(event("a", "r", "new1", now+1)).NewDestinations; want < 50 || math.Abs(float64(got-want)) > 0.05 {
		t.Errorf("%v new destinations, were %v", got, want)
	}
	earlier := newGraph(t, cfg)
	for i := range 25 {
		earlier.observe1(event("a", "r3", fmt.Sprint("new", i), midnight))
	}
	base.Restore(earlier.Snapshot())
	if got := base.look1(event("a", "r", "new1", now+1)).NewDestinations; math.Abs(float64(got-want/2)) > 0.05 {
		t.Errorf("%v new destinations, want half of %v", got, want)
	}
}

// New destinations that follow one another in moments fade as others do.
func TestManyNewDestinationsFade(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1 << 16, MaxRelations: 10, MaxEdges: 1 << 16, Trusted: true})
	const day, each = 24 * hourly, int64(time.Minute)
	for i := range 4 * day / each {
		g.observe1(event("scanner", "r", fmt.Sprint("d", i), midnight+i*each))
	}
	want := 0.0
	for i := range 4 * day / each {
		want += math.Exp2(-float64(4*day-i*each) / float64(day))
	}
	got := g.look1(event("scanner", "r", "d1", midnight+4*day)).NewDestinations
	if math.Abs(float64(got)/want-1) > 0.002 {
		t.Errorf("%v new destinations, want %v", got, want)
	}
	if again := restarted(t, g).look1(event("scanner", "r", "d1", midnight+4*day)).NewDestinations; math.Abs(float64(again)/want-1) > 0.002 {
		t.Errorf("%v new destinations after a restart, want %v", again, want)
	}
}

// Names that are being forgotten, triplet by triplet, are nobody's neighbours.
func TestNearLeavesOutTheDead(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 40, MaxRelations: 10, MaxEdges: 1000})
	const servers = 30
	for i := range servers {
		for r := range 9 {
			g.observe1(event("big", fmt.Sprint("r", r), fmt.Sprint("d", i), midnight+int64(10*i+r)))
		}
	}
	for i := range servers {
		g.observe1(event("other", "r0", fmt.Sprint("d", i), midnight+int64(1000+i)))
	}
	for i := range 9 { // big is the oldest by now
		g.observe1(event("other", "r0", fmt.Sprint("new", i), midnight+int64(2000+i)))
	}
	if g.HostID("big") != (ID{}) || len(g.tombNodes) == 0 {
		t.Fatalf("big is there yet, or no triplet of it is: nothing is tested; %+v", g.Stats())
	}
	ids := make([]ID, 8)
	for i := range servers {
		for _, id := range ids[:g.Near(g.HostID(fmt.Sprint("d", i)), true, ID{}, ids)] {
			if g.HostName(id) != "other" {
				t.Errorf("%q is near d%d", g.HostName(id), i)
			}
		}
	}
}

// A count that is at the largest number is no difference of two such counts later.
func TestSaturatedCountsStay(t *testing.T) {
	g := newGraph(t, roomy)
	s := &Snapshot{Aged: true, Nodes: []Name{{Name: "s"}, {Name: "x"}, {Name: "y"}}, Relations: []Name{{Name: "r"}}}
	for i := range int32(2) {
		s.Edges = append(s.Edges, Edge{Source: 0, Relation: 0, Destination: 1 + i, Count: math.MaxUint32, First: midnight, Last: midnight + int64(i)})
	}
	g.Restore(s)
	evict := func(destination string) {
		e := event("s", "r", destination, midnight)
		g.mu.Lock()
		g.evict(g.findEdge(&e))
		g.mu.Unlock()
	}
	evict("x")
	if c := g.look1(event("s", "r", "y", midnight+2)).Counts; c.S != math.MaxUint32 || c.R != math.MaxUint32 || c.SR != math.MaxUint32 || c.D != math.MaxUint32 {
		t.Errorf("counts %+v of a triplet with %d events", c, uint32(math.MaxUint32))
	}
	evict("y")
	if c := g.look1(event("s", "r", "y", midnight+2)).Counts; c != (Counts{}) {
		t.Errorf("counts %+v of an empty graph", c)
	}
}

// Events that come while Finish waits for a copy of the graph are not lost.
func TestFinishWaitsForACopy(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Trusted: true})
	g.observe1(event("a", "r", "x", midnight))
	s := begin(t, g, g.Snapshot(), midnight)
	g.whole.RLock() // a copy
	done := make(chan error)
	go func() { done <- s.Finish(func(swap func() bool) { swap() }) }()
	refs := make([]Ref, 64)
	events := slices.Repeat([]Event{event("a", "r", "x", midnight+1)}, len(refs))
	sent := uint32(0)
	for range journalRoom / len(refs) * 2 {
		for looks := 0; g.behind() > journalRoom/2; looks++ { // until it is caught up with
			if looks == 20_000 {
				t.Fatal("nobody catches up")
			}
			time.Sleep(time.Millisecond)
		}
		g.Observe(events, refs)
		sent += uint32(len(events))
	}
	g.whole.RUnlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := g.look1(event("a", "r", "x", midnight+2)).Counts.SRD; got != sent+1 {
		t.Errorf("%d events, want %d", got, sent+1)
	}
}

// behind is how many events wait to be caught up with.
func (g *Graph) behind() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.journal.touches)
}

// What a graph of three days before saw is as old as if the graph that takes it in had seen it; also where it has no ages.
func TestRestoredInAGraphThatIsAhead(t *testing.T) {
	for _, aged := range []bool{true, false} {
		cfg := Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 100_000, Window: 30 * 24 * time.Hour, Trusted: true}
		local, base, all := newGraph(t, cfg), newGraph(t, cfg), newGraph(t, cfg)
		see := func(g *Graph, source string, at int64) {
			for _, g := range []*Graph{g, all} {
				g.observe1(event(source, "r", "d", midnight+at))
			}
		}
		for hour := range int64(24 * 9) {
			at := hour * testDay / 24
			see(base, "both", at)
			if source := "local " + strconv.FormatInt(hour/24, 10); at < 6*testDay {
				see(local, source, at)
			}
		}
		g := restarted(t, base)
		s := throughBytes(t, local)
		if s.Aged = aged; !aged {
			s.Bucket = 0
		}
		g.Restore(s)
		g.check(t)
		want := byTriplet(all, 'l')
		got := byTriplet(g, 'l')
		if len(got) != 6 || len(want) != 6 {
			t.Fatalf("%d triplets, want %d", len(got), len(want))
		}
		for name, e := range got {
			if diff := since(e.Age, want[name].Age); diff > 2*g.clock.unit || diff < -2*g.clock.unit {
				t.Errorf("aged %v, %s: %v days old, want %v", aged, name, float64(e.Age)/float64(testDay), float64(want[name].Age)/float64(testDay))
			}
			if aged && e.Active != want[name].Active {
				t.Errorf("%s: active in %b, want %b", name, e.Active, want[name].Active)
			}
		}
	}
}

// TestADateBackIsNoAgeAfterARestart: where the caller checks times, whoever dates his events back makes no newcomer usual, nor
// does he after a restart.
func TestADateBackIsNoAgeAfterARestart(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 1000, Window: 30 * 24 * time.Hour, Trusted: true})
	for hour := range int64(30 * 24) {
		g.observe1(event("h", "r", "s", testNow-30*testDay+hour*60*testMinute))
	}
	now := g.Stats().Now
	g.observe1(event("newcomer", "tool", "s", now-20*testDay))
	g.observe1(event("newcomer", "tool", "s", now))
	g.observe1(event("h", "r", "fresh", now-20*testDay))
	g.observe1(event("late", "r", "s", now-5*testMinute))
	if host := g.look1(event("fresh", "r", "s", now)).HostSince; host != now {
		t.Fatalf("a date makes a new server old: since day %d", host/testDay)
	}
	want := g.look1(event("newcomer", "tool", "s", now))
	if want.SourceSince != now || want.RelationSince != now || want.TripletSince != now {
		t.Fatalf("a date makes a newcomer old: %+v", want)
	}
	b, err := g.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	again := newGraph(t, g.cfg)
	again.Restore(&s)
	again.check(t)
	got := again.look1(event("newcomer", "tool", "s", now))
	if got.SourceSince != now || got.RelationSince != now || got.TripletSince != now || got.TripletLast != now || got.Counts != want.Counts {
		t.Errorf("after a restart %+v, before it %+v", got, want)
	}
	if host := again.look1(event("fresh", "r", "s", now)).HostSince; host != now {
		t.Errorf("after a restart a new server has been there since day %d", host/testDay)
	}
	if late := again.look1(event("late", "r", "s", now)); late.TripletSince != now-5*testMinute {
		t.Errorf("what came five minutes late is %d minutes old after a restart", (now-late.TripletSince)/testMinute)
	}
	if old := again.look1(event("h", "r", "s", now)); old.SourceSince != testNow-30*testDay {
		t.Errorf("what came in order is there since day %d", old.SourceSince/testDay)
	}
}

package graphbuf

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"
)

const (
	testMinute = int64(time.Minute)
	testDay    = int64(24 * time.Hour)
	testNow    = int64(1_700_000_000) * int64(time.Second)
)

// afresh is a graph restored from the bytes of another.
func afresh(t testing.TB, g *Graph) *Graph {
	t.Helper()
	b, err := g.Snapshot().AppendBinary(nil)
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
	return again
}

// byTriplet are the edges of a graph whose source begins with a letter.
func byTriplet(g *Graph, letter byte) map[string]Edge {
	s, out := g.Snapshot(), map[string]Edge{}
	for _, e := range s.Edges {
		if name := s.Nodes[e.Source].Name; name[0] == letter {
			out[name+" "+s.Nodes[e.Destination].Name] = e
		}
	}
	return out
}

var wrongTimes = []struct {
	name string
	at   int64
}{
	{"hours back", testNow - 5*testDay/24}, {"9 days back", testNow - 9*testDay}, {"40 days back", testNow - 40*testDay},
	{"a year back", testNow - 365*testDay}, {"1970", testDay},
	{"hours ahead", testNow + 5*testDay/24}, {"9 days ahead", testNow + 9*testDay}, {"40 days ahead", testNow + 40*testDay},
	{"a year ahead", testNow + 365*testDay}, {"2262", math.MaxInt64 - testDay},
}

// TestAWrongClockLosesNothing: 600 triplets of ten days, then a stretch of events with a wrong time, then many of
// the right one: all are held, with their right times, whatever was wrong, touched, saved or came between.
func TestAWrongClockLosesNothing(t *testing.T) {
	for _, wrong := range wrongTimes {
		for _, window := range []time.Duration{0, 30 * 24 * time.Hour} {
			for i := range 32 {
				touched, restart, between, many, full := 100+500*(i&1), i&2 > 0, i&4 > 0, i&8 > 0, i&16 > 0
				if many && full || testing.Short() && i%5 != 0 {
					continue
				}
				name := fmt.Sprintf("%s, window %v: %d of the same touched, restart %v, live between %v, many %v, full %v", wrong.name, window, touched, restart, between, many, full)
				cfg := Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 3000, Window: window}
				if full { // what comes with a wrong time finds no room
					cfg.MaxEdges = 600
				}
				g := newGraph(t, cfg)
				see := func(host string, i int, at int64) {
					g.observe1(event(host+strconv.Itoa(i%60), "r", "s"+strconv.Itoa(i/60), at))
				}
				for i := range 6000 {
					see("h", i%600, testNow-10*testDay+int64(i)*10*testDay/6000)
				}
				before := byTriplet(g, 'h')
				n, at := 1000, testNow
				if many { // more than it takes to believe a jump ahead
					n = settleEvents + 500
				}
				for i := range n {
					when := wrong.at + int64(i)*int64(time.Second)
					see("h", i%touched, when)
					if !full || since(testNow, wrong.at) > g.clock.leap { // others, which may push out where they are believed
						see("x", i%touched, when)
					}
					if between {
						at += int64(time.Second)
						see("h", 599-i%50, at)
					}
				}
				if restart {
					g = afresh(t, g)
				}
				for i := range 5000 {
					at += int64(time.Second)
					see("h", i%10, at)
					if !full {
						see("n", i%600, at)
					}
				}
				after := byTriplet(g, 'h')
				if len(before) != 600 || len(after) != 600 {
					t.Fatalf("%s: %d of %d triplets left", name, len(after), len(before))
				}
				believed := many && !between || since(wrong.at, testNow) <= g.clock.leap
				for k, e := range after {
					was := before[k]
					if e.Last < was.Last || e.Count < was.Count {
						t.Fatalf("%s: %s was seen %d times until %v, now %d until %v", name, k, was.Count, time.Unix(0, was.Last).UTC(), e.Count, time.Unix(0, e.Last).UTC())
					}
					if first := e.First; first < was.First && since(was.First, first) > g.clock.leap || first > was.First && !believed {
						t.Fatalf("%s: %s was first seen %v, now %v", name, k, time.Unix(0, was.First).UTC(), time.Unix(0, first).UTC())
					}
					if !believed && e.Last > at+int64(n)*int64(time.Second) {
						t.Fatalf("%s: %s was last seen %v, it is %v", name, k, time.Unix(0, e.Last).UTC(), time.Unix(0, at).UTC())
					}
				}
				// A jump ahead that was believed leaves those of the right time in the past, beyond the window even.
				past := many && !between && window > 0 && since(wrong.at, testNow) > int64(window)
				if !full && !past && len(byTriplet(g, 'n')) != 600 {
					t.Fatalf("%s: %d of the triplets after it are held, want 600", name, len(byTriplet(g, 'n')))
				}
				g.check(t)
			}
		}
	}
}

// TestAnOlderArchiveErasesNothing: 26 days, then an archive of the two months before, larger than the room that is
// left, then a week that goes on.
func TestAnOlderArchiveErasesNothing(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 500, MaxRelations: 10, MaxEdges: 2000, Window: 30 * 24 * time.Hour})
	stream := func(letter string, from int64, days, triplets int) {
		for i := range days * 1000 {
			j := i % triplets
			g.observe1(event(letter+strconv.Itoa(j%97), "r", "s"+strconv.Itoa(j/97), from+int64(i)*testDay/1000))
		}
	}
	stream("h", testNow, 26, 1500)
	stream("a", testNow-60*testDay, 60, 1900)
	if n := len(byTriplet(g, 'h')); n != 1500 {
		t.Errorf("%d of 1500 triplets left after the archive", n)
	}
	// Of the archive, what lies within the window is there as far as there is room.
	archive := byTriplet(g, 'a')
	if len(archive) != 500 {
		t.Errorf("%d triplets of the archive, there is room for 500", len(archive))
	}
	for k, e := range archive {
		if since(g.clock.now, e.Last) > int64(g.cfg.Window) || e.Last >= testNow {
			t.Errorf("%s of the archive was last seen on day %d", k, (e.Last-testNow)/testDay)
		}
	}
	// It is the first to go.
	for i := range 400 {
		g.observe1(event("n"+strconv.Itoa(i%20), "r", "s"+strconv.Itoa(i/20), testNow+26*testDay))
	}
	if h, a := len(byTriplet(g, 'h')), len(byTriplet(g, 'a')); h != 1500 || a != 100 {
		t.Errorf("%d triplets of the 26 days and %d of the archive, want 1500 and 100", h, a)
	}
	stream("h", testNow+26*testDay, 7, 1500)
	if n := len(byTriplet(g, 'h')); n != 1500 {
		t.Errorf("%d of 1500 triplets left after another week", n)
	}
	if st := g.Stats(); st.Old != 60_000 || st.Doubted != 0 {
		t.Errorf("%+v", st)
	}
	g.check(t)
}

// TestWhatIsOldGoesFirst: triplets and names that came with old events go before all others, of which hardly any
// would have to be on probation.
func TestWhatIsOldGoesFirst(t *testing.T) {
	for _, cfg := range []Config{
		{MaxNodes: 10_000, MaxRelations: 10, MaxEdges: 1000, Window: 30 * 24 * time.Hour},
		{MaxNodes: 1001, MaxRelations: 10, MaxEdges: 10_000, Window: 30 * 24 * time.Hour},
	} {
		g := newGraph(t, cfg)
		for _, hours := range []int64{0, 2} { // 900 are protected
			for i := range 900 {
				g.observe1(event("h"+strconv.Itoa(i), "r", "s", testNow+hours*testDay/24))
			}
		}
		for i := range 100 {
			g.observe1(event("a"+strconv.Itoa(i), "r", "s", testNow-20*testDay))
		}
		if h, a := len(byTriplet(g, 'h')), len(byTriplet(g, 'a')); h != 900 || a != 100 {
			t.Fatalf("%+v: %d and %d triplets, want 900 and 100", cfg, h, a)
		}
		for i := range 100 {
			g.observe1(event("n"+strconv.Itoa(i), "r", "s", testNow+testDay))
		}
		if h, n := len(byTriplet(g, 'h')), len(byTriplet(g, 'n')); h != 900 || n != 100 {
			t.Errorf("%+v: %d of 900 triplets left, %d of 100 new ones", cfg, h, n)
		}
		g.check(t)
	}
}

// TestTheClockSettlesInDisorder: a log of few events a day, not quite in order, whose pause is longer than a leap. What
// follows on the pause takes several leaps until there is enough of it, and is believed then as in order.
func TestTheClockSettlesInDisorder(t *testing.T) {
	c := newClock(30*24*time.Hour, false)
	c.see(100 * testDay)
	at := func(i int64) int64 { // each second event lies before the one before it
		return 110*testDay + i/2*2*15*testMinute - i%2*int64(time.Second)
	}
	for i := range int64(settleEvents) {
		if to, old := c.see(at(i)); old || to > at(i) || to < 100*testDay {
			t.Fatalf("event %d of day %d counts for day %d, old %v", i, at(i)/testDay, to/testDay, old)
		}
	}
	if want := at(settleEvents - 1); c.now != want {
		t.Errorf("the clock is at day %d, want %d", c.now/testDay, want/testDay)
	}
}

// TestTheClockAfterAJump: what is doubted counts as if the jump had not been, and what lasts is believed.
func TestTheClockAfterAJump(t *testing.T) {
	c := newClock(30*24*time.Hour, false)
	c.see(100 * testDay)
	for _, x := range []struct {
		t, at, now int64
		old        bool
	}{
		{500 * testDay, 100 * testDay, 100 * testDay, false},
		{501 * testDay, 101 * testDay, 101 * testDay, false},
		{100 * testDay, 100 * testDay, 101 * testDay, false},
		{math.MaxInt64, 101 * testDay, 101 * testDay, false},
		{math.MinInt64, math.MinInt64, 101 * testDay, true},
		{500 * testDay, 101 * testDay, 101 * testDay, false},
		{102 * testDay, 102 * testDay, 102 * testDay, false},
		{93 * testDay, 93 * testDay, 102 * testDay, true},
		{95 * testDay, 95 * testDay, 102 * testDay, false},
	} {
		if at, old := c.see(x.t); at != x.at || old != x.old || c.now != x.now {
			t.Errorf("%d: counts for day %d, old %v, the clock is at day %d, want %d, %v, %d", x.t/testDay, at/testDay, old, c.now/testDay, x.at/testDay, x.old, x.now/testDay)
		}
	}
	lived := c.lived
	for range settleEvents {
		c.see(600 * testDay)
	}
	leaped := func(from int64) bool { return c.lived <= from+c.leap && c.lived > from+c.leap-testDay } // whole days are cut
	if c.now != 600*testDay || !leaped(lived) {
		t.Errorf("the clock is at day %d and went on by %d days, want 600 and a leap", c.now/testDay, (c.lived-lived)/testDay)
	}
	// Half of the events with a wrong clock, for however long, turn nothing, nor do they hasten it.
	for i := range int64(10 * settleEvents) {
		at := 600*testDay + i*testMinute
		c.see(at)
		c.see(at + 1000*testDay)
	}
	if want := 600*testDay + (10*settleEvents-1)*testMinute; c.now < want || c.now > want+testDay {
		t.Errorf("the clock is at day %d, want %d", c.now/testDay, want/testDay)
	}
	// One that is trusted follows at once, and ages no more by it.
	c = newClock(30*24*time.Hour, true)
	c.see(100 * testDay)
	lived = c.lived
	if at, old := c.see(1000 * testDay); at != 1000*testDay || old || !leaped(lived) {
		t.Errorf("counts for day %d, old %v, after %d days", at/testDay, old, (c.lived-lived)/testDay)
	}
}

// TestAPauseCountsForALeap: what was seen before a pause of a year goes when the window is over, the pause for a
// quarter of it, and not with the first event after it; nor when it is restored in between.
func TestAPauseCountsForALeap(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 40 * 24 * time.Hour, Trusted: true})
		g.observe1(event("a", "r", "x", testNow))
		gone := 0
		for hour := range 24 * 60 {
			g.observe1(event("b", "r", "y", testNow+365*testDay+int64(hour)*60*testMinute))
			if restarts && hour%100 == 0 {
				g = afresh(t, g)
			}
			if len(byTriplet(g, 'a')) == 0 {
				gone = hour
				break
			}
		}
		if gone < 30*24-24 || gone > 30*24+24 {
			t.Errorf("restarts %v: it went after %d hours, want %d", restarts, gone, 30*24)
		}
	}
}

// TestAnOldStateHasNoAges: bytes of before there were ages are read, and their edges are as old as their last sights
// say, a pause among them counting for a leap.
func TestAnOldStateHasNoAges(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 40 * 24 * time.Hour, Trusted: true})
	for i, day := range []int64{0, 1, 400, 405} {
		g.observe1(event("a", "r", "s"+strconv.Itoa(i), testNow+day*testDay))
	}
	s := g.Snapshot()
	s.Aged = false
	for i := range s.Edges {
		s.Edges[i].Age = 0
	}
	b, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var read Snapshot
	if err := read.UnmarshalBinary(b); err != nil || read.Aged {
		t.Fatalf("aged %v: %v", read.Aged, err)
	}
	again := newGraph(t, g.cfg)
	again.Restore(&read)
	for name, days := range map[string]int64{"a s0": 16, "a s1": 15, "a s2": 5, "a s3": 0} {
		if age := byTriplet(again, 'a')[name].Age; since(days*testDay, age) > testDay/10 || since(age, days*testDay) > 0 {
			t.Errorf("%s: %v days old, want %d", name, float64(age)/float64(testDay), days)
		}
	}
}

// TestTheLongestWindows: what is as long as time itself has a clock that goes on and buckets that cover it.
func TestTheLongestWindows(t *testing.T) {
	for _, window := range []time.Duration{math.MaxInt64/2 + 1, math.MaxInt64} {
		g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: window})
		if g.clock.step != g.clock.leap || float64(shortestBucket<<g.buckets.highest)*activityBits < float64(window) {
			t.Errorf("window %v: a step of %d, a leap of %d, level %d", window, g.clock.step, g.clock.leap, g.buckets.highest)
		}
		for d := range int64(10) {
			g.observe1(event("a", "r", "s"+strconv.FormatInt(d, 10), testNow+d*365*testDay))
		}
		g.observe1(event("a", "r", "s9", testNow+10*365*testDay))
		edges := byTriplet(g, 'a')
		for d := range int64(9) {
			if age := edges["a s"+strconv.FormatInt(d, 10)].Age; age > (10-d)*365*testDay+g.clock.unit || age < (10-d)*365*testDay-g.clock.unit {
				t.Errorf("window %v: %v days old after %d years", window, age/testDay, 10-d)
			}
		}
		g.check(t)
	}
}

// TestTheOldestDateStaysOld: an event of long before 1970 is the oldest there is, and no later one makes it new.
func TestTheOldestDateStaysOld(t *testing.T) {
	for _, window := range []time.Duration{0, 1} {
		c := newClock(window, true)
		c.see(testNow)
		stamp := c.stamp(since(testNow, math.MinInt64))
		before := c.age(stamp)
		for range 100 {
			c.see(c.now + c.step)
			if age := c.age(stamp); age < before || age < math.MaxInt32/2*c.unit {
				t.Fatalf("window %v: an age of %d units, after %d", window, age/c.unit, before/c.unit)
			}
			before = c.age(stamp)
		}
	}
	g := newGraph(t, roomy)
	g.observe1(event("a", "r", "x", testNow))
	g.observe1(event("a", "r", "of 1950", -20*365*testDay))
	g.observe1(event("a", "r", "x", testNow+10*int64(time.Second)))
	if i := g.oldest(); g.nodes.slots.at(g.edges.at(i).dst).name != "of 1950" || g.clock.age(g.edges.at(i).seen) < 30*365*testDay {
		t.Errorf("the oldest is an edge %v days old", g.clock.age(g.edges.at(i).seen)/testDay)
	}
	g.check(t)
}

// TestASecondLife: a triplet that comes back after more than a window begins anew.
func TestASecondLife(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 30 * 24 * time.Hour, Trusted: true})
	g.observe1(event("a", "r", "x", testDay))
	g.observe1(event("a", "r", "x", 2*testDay))
	g.observe1(event("a", "r", "x", 100*testDay)) // a pause this long counts for a leap: it is not evicted at once
	e, ok := byTriplet(g, 'a')["a x"]
	if !ok || e.First < 99*testDay || e.Last != 100*testDay {
		t.Errorf("%v, from day %v to %v", ok, float64(e.First)/float64(testDay), float64(e.Last)/float64(testDay))
	}
	g.check(t)
}

// TestNewDestinationsAfterAJump: they count, and fade, as if nothing had been.
func TestNewDestinationsAfterAJump(t *testing.T) {
	for _, wrong := range wrongTimes {
		g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Window: 30 * 24 * time.Hour})
		for i := range 60 {
			g.observe1(event("h1", "r", "s"+strconv.Itoa(i%3), testNow-10*testDay+int64(i)*testDay/6))
		}
		for i := range 100 {
			g.observe1(event("h1", "r", "only then", wrong.at+int64(i)))
		}
		g.observe1(event("h1", "r", "another", testNow+testDay))
		for day, want := range map[int64][2]float32{1: {1, 2.5}, 21: {0, 0.01}} {
			if n := g.look1(event("h1", "r", "x", testNow+day*testDay)).NewDestinations; n < want[0] || n > want[1] {
				t.Errorf("%s: %v new destinations on day %d, want %v", wrong.name, n, day, want)
			}
		}
	}
}

// A graph that is told when it begins takes a first event of long after for one with a wrong time, and says of others
// how many it did not keep.
func TestBegin(t *testing.T) {
	const day = int64(24 * time.Hour)
	event := func(source string, at int64) Event {
		return Event{Source: []byte(source), Relation: []byte("r"), Destination: []byte("d"), Time: at}
	}
	for _, told := range []bool{false, true} {
		g, err := New(Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: time.Duration(30 * day)})
		if err != nil {
			t.Fatal(err)
		}
		if told {
			g.Begin(1000 * day)
			g.Begin(1200 * day) // it has begun
		}
		refs := make([]Ref, 3)
		g.Observe([]Event{event("a", 1200*day), event("b", 1000*day), event("c", 1001*day)}, refs)
		want := Stats{Nodes: 2, Relations: 1, Edges: 1, Events: 3, NewEdges: 1, Old: 2, Outside: 2, OldTime: 1001 * day, Now: 1200 * day}
		if told {
			want = Stats{Nodes: 4, Relations: 1, Edges: 3, Events: 3, NewEdges: 3, Doubted: 1, DoubtedTime: 1200 * day, Now: 1001 * day, Lived: 24 * time.Hour}
		}
		if got := g.Stats(); got != want {
			t.Errorf("told %v: %+v, want %+v", told, got, want)
		}
	}
}

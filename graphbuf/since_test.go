package graphbuf

import (
	"strconv"
	"testing"
	"time"
)

// A host has been there since it first came in either role.
func TestHostSince(t *testing.T) {
	const hour = int64(time.Hour)
	g, err := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 20})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		source, destination string
		at, host, asSource  int64 // hours
	}{
		{"desk", "server", 1, 1, 1},
		{"other", "server", 5, 5, 5},
		{"server", "db", 30, 1, 30},
		{"server", "db", 40, 1, 30},
		{"db", "desk", 50, 30, 50},
		{"desk", "db", 60, 1, 1},
		{"nobody", "desk", 70, 70, 70},
	} {
		r := g.observe1(event(c.source, "c", c.destination, c.at*hour))
		if r.HostSince != c.host*hour || r.SourceSince != c.asSource*hour {
			t.Errorf("%d: %s has been there since %d and a source since %d, want %d and %d", i, c.source, r.HostSince/hour, r.SourceSince/hour, c.host, c.asSource)
		}
	}
	if r := g.look1(event("stranger", "c", "desk", 80*hour)); r.HostSince != 80*hour {
		t.Errorf("a stranger has been there since %d", r.HostSince/hour)
	}
	again, _ := New(g.bounds)
	again.Restore(g.Snapshot())
	if r := again.look1(event("db", "c", "server", 80*hour)); r.HostSince != 30*hour {
		t.Errorf("after a restart since %d, want 30", r.HostSince/hour)
	}
}

// A destination has been there since it first came in either role, too.
func TestDestinationSince(t *testing.T) {
	const hour = int64(time.Hour)
	g, err := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 20})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		source, destination string
		at, since           int64 // hours
	}{
		{"desk", "server", 1, 1},
		{"desk", "server", 6, 1},
		{"other", "desk", 30, 1}, // it came as a source
		{"other", "desk", 31, 1},
		{"desk", "db", 40, 40},
		{"db", "other", 41, 30},
		{"desk", "db", 39, 39}, // late
	} {
		e := event(c.source, "c", c.destination, c.at*hour)
		look := g.look1(e).DestinationSince
		if got := g.observe1(e).DestinationSince; got != c.since*hour || got != look {
			t.Errorf("%d: %s has been there since %d, and %d by a look, want %d", i, c.destination, got/hour, look/hour, c.since)
		}
	}
	again, _ := New(g.bounds)
	again.Restore(g.Snapshot())
	if r := again.look1(event("new", "c", "db", 80*hour)); r.DestinationSince != 39*hour {
		t.Errorf("after a restart since %d, want 39", r.DestinationSince/hour)
	}
}

// A host was quiet since it last came in either role, before the event that tells of it; and so it is after a restart.
func TestHostQuiet(t *testing.T) {
	const hour = int64(time.Hour)
	g, err := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 20, Window: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		source, destination string
		at, quiet           int64 // hours
	}{
		{"desk", "server", 1, 0},
		{"desk", "server", 6, 5},   // a repeat
		{"desk", "db", 20, 14},     // a new pair
		{"server", "db", 30, 24},   // it came as a destination
		{"db", "server", 30, 0},    // within the minute
		{"desk", "server", 29, 10}, // late: quiet until the graph's time, which is 30
		{"nobody", "desk", 70, 0},
		{"desk", "nobody", 80, 10},
	} {
		e := event(c.source, "c", c.destination, c.at*hour)
		look := g.look1(e).HostQuiet
		if got := g.observe1(e).HostQuiet; got < (c.quiet*60-1)*hour/60 || got > (c.quiet*60+1)*hour/60 || got != look {
			t.Errorf("%d: %s was quiet for %v, and %v by a look, want %d hours", i, c.source, time.Duration(got), time.Duration(look), c.quiet)
		}
	}
	again, _ := New(g.bounds)
	again.Restore(g.Snapshot())
	if got := again.look1(event("db", "x", "desk", 100*hour)).HostQuiet; got < 69*hour || got > 71*hour {
		t.Errorf("after a restart it was quiet for %v, want 70h", time.Duration(got))
	}
}

func TestSince(t *testing.T) {
	g, err := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 20})
	if err != nil {
		t.Fatal(err)
	}
	var ref [1]Ref
	since := func(g *Graph, source, destination string, at int64) int64 {
		t.Helper()
		g.Observe([]Event{{Source: []byte(source), Relation: []byte("c"), Destination: []byte(destination), Time: at}}, ref[:])
		return ref[0].SourceSince
	}
	with := func(g *Graph, source, relation string, at int64) int64 {
		t.Helper()
		g.Observe([]Event{{Source: []byte(source), Relation: []byte(relation), Destination: []byte("x"), Time: at}}, ref[:])
		return ref[0].RelationSince
	}
	for i, want := range []struct {
		source, destination string
		at, since           int64
	}{
		{"a", "x", 100, 100}, // itself
		{"a", "y", 200, 100},
		{"x", "a", 300, 300}, // known as a destination only
		{"a", "z", 90, 90},   // late
		{"a", "x", 400, 90},
	} {
		if got := since(g, want.source, want.destination, want.at); got != want.since {
			t.Errorf("%d: %s is there since %d, want %d", i, want.source, got, want.since)
		}
	}
	for i, want := range []struct {
		source, relation string
		at, since        int64
	}{
		{"b", "c", 450, 90}, // of any source
		{"b", "e", 450, 450},
		{"a", "e", 500, 450},
		{"b", "e", 440, 440}, // late
		{"a", "e", 430, 430}, // late, of a triplet that is there: that moves nothing
		{"b", "e", 510, 450},
	} {
		if got := with(g, want.source, want.relation, want.at); got != want.since {
			t.Errorf("%d: %s is there since %d, want %d", i, want.relation, got, want.since)
		}
	}
	again, _ := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 20})
	again.Restore(g.Snapshot())
	if got := since(again, "a", "q", 500); got != 90 {
		t.Errorf("after a restart since %d, want 90", got)
	}
	if got := with(again, "b", "e", 600); got != 430 {
		t.Errorf("after a restart the relation is there since %d, want 430", got)
	}
	g.Look([]Event{{Source: []byte("nobody"), Relation: []byte("c"), Destination: []byte("x"), Time: 600}}, ref[:])
	if ref[0].SourceSince != 600 || ref[0].RelationSince != 90 {
		t.Errorf("an unknown source is there since %d, its relation since %d", ref[0].SourceSince, ref[0].RelationSince)
	}
	g.Look([]Event{{Source: []byte("a"), Relation: []byte("unknown"), Destination: []byte("x"), Time: 700}}, ref[:])
	if ref[0].RelationSince != 700 {
		t.Errorf("an unknown relation is there since %d", ref[0].RelationSince)
	}
}

// live is a graph whose events' times another checks, with what 60 sources and 3 clients did in twelve days.
func live(t *testing.T) *Graph {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 10_000, Window: 30 * 24 * time.Hour, Trusted: true})
	for i := range int64(6000) {
		g.observe1(event("h"+strconv.FormatInt(i%60, 10), "c"+strconv.FormatInt(i%3, 10), "s"+strconv.FormatInt(i%7, 10), testNow-12*testDay+i*12*testDay/6000))
	}
	return g
}

// TestDatedBackIsNotOld: a host that dates its events back is as young as the graph knows it, with its client, whatever
// it was before as a destination. Its triplets keep the times that it says.
func TestDatedBackIsNotOld(t *testing.T) {
	for _, source := range []string{"x", "s1"} {
		for _, age := range []int64{2 * testDay / 24, 69 * testDay / 10, 7 * testDay, 29 * testDay} {
			g := live(t)
			for i := range int64(40) {
				g.observe1(event(source, "tool", "s2", testNow-age+i*age/50))
			}
			for _, later := range []int64{0, 3 * testDay} {
				r := g.observe1(event(source, "tool", "s2", testNow+later))
				if r.Counts.SRD < 40 || min(r.SourceSince, r.RelationSince, r.TripletSince) < testNow-testDay/24 {
					t.Errorf("%q, %v days dated back, after %d: it came %d times, since days %v, %v and %v", source, float64(age)/float64(testDay), later/testDay, r.Counts.SRD,
						float64(r.SourceSince-testNow)/float64(testDay), float64(r.RelationSince-testNow)/float64(testDay), float64(r.TripletSince-testNow)/float64(testDay))
				}
			}
			if e := byTriplet(g, source[0])[source+" s2"]; e.First != testNow-age {
				t.Errorf("%q, %v days dated back: the triplet has been there since %v days", source, float64(age)/float64(testDay), float64(testNow-e.First)/float64(testDay))
			}
			if r := g.observe1(event("h1", "c1", "s1", testNow)); testNow-min(r.SourceSince, r.RelationSince) < 11*testDay || testNow-r.TripletSince < 11*testDay {
				t.Errorf("what was there has come since %v, %v and %v", r.SourceSince, r.RelationSince, r.TripletSince)
			}
			g.check(t)
		}
	}
}

// A triplet that came with an event that was dated back did not come for the last time before it came first: people are
// told of both.
func TestDatedBackIsInOrder(t *testing.T) {
	for _, late := range []int64{2 * testDay / 24, 5 * testDay, 29 * testDay} {
		g := live(t)
		g.observe1(event("x", "tool", "s2", testNow-late))
		r := g.observe1(event("x", "tool", "s2", testNow))
		if r.Counts.SRD != 1 || r.TripletLast < r.TripletSince {
			t.Errorf("%d days late: came %d times, first on day %v, last on day %v", late/testDay, r.Counts.SRD, float64(r.TripletSince-testNow)/float64(testDay), float64(r.TripletLast-testNow)/float64(testDay))
		}
		var e Evidence
		if g.Evidence(&r, &e); e.PairFirst == 0 || e.PairFirst > e.PairLast || e.PairLast > r.Time {
			t.Errorf("%d days late: the pair met from %d to %d, and it is %d", late/testDay, e.PairFirst, e.PairLast, r.Time)
		}
	}
}

// TestOldLogsAreBelieved: of logs of before, in whatever order they come, each name is as old as when its triplets came
// say, also where a sixth of them comes late, and after a pause. In their order it is as old as its first event.
func TestOldLogsAreBelieved(t *testing.T) {
	const days, each = 20, 300
	hourly := func(day int64, letter string, sources int64) (events []Event) { // each source begins on a day of its own
		for i := range int64(each) {
			if s := i % sources; s*days <= day*sources {
				events = append(events, event(letter+strconv.FormatInt(s, 10), "c"+letter+strconv.FormatInt(s%5, 10), "s"+strconv.FormatInt(i%7, 10), testNow+day*testDay+i*testDay/each))
			}
		}
		return events
	}
	month := func(letter string, sources int64, order func(i int64) int64) (events []Event) {
		for i := range int64(days) {
			events = append(events, hourly(order(i), letter, sources)...)
		}
		return events
	}
	forward, backward := func(i int64) int64 { return i }, func(i int64) int64 { return days - 1 - i }
	shuffled := func(i int64) int64 { return i * 7 % days }
	paused := month("a", 40, forward)
	for i := range paused {
		if paused[i].Time > testNow+5*testDay {
			paused[i].Time += 60 * testDay
		}
	}
	for name, events := range map[string][]Event{
		"forward":                     month("a", 40, forward),
		"backward":                    month("a", 40, backward),
		"shuffled":                    month("a", 40, shuffled),
		"of two hosts":                append(month("a", 40, forward), month("b", 40, forward)...),
		"of two hosts, backward":      append(month("a", 40, backward), month("b", 40, backward)...),
		"of many hosts, and of a few": append(month("a", 40, forward), month("b", 7, func(i int64) int64 { return i / 5 * 5 })...),
		"before and after a pause":    paused,
	} {
		g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 10_000, Window: 100 * 24 * time.Hour, Trusted: true})
		since, newest, inOrder := map[string]int64{}, int64(0), true
		for _, e := range events {
			g.observe1(e)
			if at, ok := since[string(e.Source)]; !ok || e.Time < at {
				since[string(e.Source)] = e.Time
			}
			inOrder = inOrder && e.Time >= newest
			newest = max(newest, e.Time)
		}
		for source, first := range since {
			at := g.source.at(g.nodes.find([]byte(source))).since
			if r := g.look1(event(source, "c", "s1", newest)); r.SourceSince != at || inOrder && at != first {
				t.Errorf("%s: %q has been there since day %v, want %v, its first event is of day %v", name, source, float64(r.SourceSince-testNow)/float64(testDay), float64(at-testNow)/float64(testDay), float64(first-testNow)/float64(testDay))
			}
		}
	}
	// Agents that deliver five hours apart, one of which was away for two days: what of its names is new is younger by as
	// much, at most.
	g, delay := live(t), 5*testDay/24
	for i := range int64(4000) {
		at := testNow + i*8*testDay/4000
		g.observe1(event("h"+strconv.FormatInt(i%60, 10), "c1", "s1", at))
		if since(at, testNow) > 2*testDay+delay {
			g.observe1(event("late"+strconv.FormatInt(i/100, 10), "c2", "s2", at-delay))
		}
		if i%1000 == 999 {
			delay = 2*testDay - delay
		}
	}
	for i := range int64(8) {
		if r := g.look1(event("late"+strconv.FormatInt(30+i, 10), "c2", "s2", testNow+8*testDay)); r.Counts.S == 0 || r.SourceSince > testNow+(30+i)*testDay/5+testDay/100 {
			t.Errorf("of day %v: since day %v", float64(30+i)/5, float64(r.SourceSince-testNow)/float64(testDay))
		}
	}
}

package graphbuf

import (
	"strconv"
	"testing"
	"time"
)

const (
	testMinute = int64(time.Minute)
	testDay    = int64(24 * time.Hour)
)

// habits are the sessions of hosts that each use two of their servers once an hour.
func habits(g *Graph, from int64, events int) (at int64) {
	for i := range events {
		at = from + int64(i)*testMinute
		h := i % 60
		g.observe1(event("h"+strconv.Itoa(h), "r", "s"+strconv.Itoa(h/10*2+i/60%2), at))
	}
	return at
}

// TestClockJumps: a clock that is wrong for a thousand events, years ahead or back, costs no
// edge, and what has been seen meanwhile gets its right times back.
func TestClockJumps(t *testing.T) {
	const start = int64(1_700_000_000) * int64(time.Second)
	for _, jump := range []int64{365 * testDay, 100 * 365 * testDay, -9 * testDay, -start + testDay} {
		g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 1000, Window: 30 * 24 * time.Hour})
		end := habits(g, start, 5000)
		before := g.Stats()
		habits(g, end+jump, 1000)
		g.observe1(event("h1", "r", "only then", end+jump)) // new in the wrong time, and of a source with few new ones
		g.observe1(event("h2", "r", "only then", end+jump))
		end = habits(g, end, 3000)
		if st := g.Stats(); st.Edges != before.Edges+2 || st.Evicted != 0 {
			t.Errorf("jump by %d days: %d edges, %d evicted, want %d and none", jump/testDay, st.Edges, st.Evicted, before.Edges+2)
		}
		snap := g.Snapshot()
		for _, e := range snap.Edges {
			if snap.Nodes[e.Destination].Name == "only then" && jump < 0 { // nothing tells it from one that is old
				continue
			}
			if e.Last > end || e.First > e.Last || e.First < start-10*testDay || e.Last < start {
				t.Errorf("jump by %d days: an edge from %v to %v, the clock says %v", jump/testDay, time.Unix(0, e.First).UTC(), time.Unix(0, e.Last).UTC(), time.Unix(0, end).UTC())
				break
			}
		}
		// Of a source that met somebody then and nobody since, nothing stays for good.
		if n := g.look1(event("h2", "r", "x", end+20*testDay)).NewDestinations; n > 0.01 {
			t.Errorf("jump by %d days: %v new destinations of a source that met nobody since", jump/testDay, n)
		}
		// New destinations count, and fade, as if nothing had been.
		g.observe1(event("h1", "r", "another", end))
		if n := g.look1(event("h1", "r", "x", end)).NewDestinations; n < 1 || n > 3 {
			t.Errorf("jump by %d days: %v new destinations", jump/testDay, n)
		}
		if n := g.look1(event("h1", "r", "x", end+20*testDay)).NewDestinations; n > 0.01 {
			t.Errorf("jump by %d days: %v new destinations after twenty days", jump/testDay, n)
		}
		g.check(t)
		// The window holds again.
		habits(g, end+40*testDay, 2*settleEvents)
		if _, ok := edgeOf(g, "another"); ok {
			t.Errorf("jump by %d days: what was seen forty days ago is still held", jump/testDay)
		}
	}
}

func edgeOf(g *Graph, destination string) (Edge, bool) {
	s := g.Snapshot()
	for _, e := range s.Edges {
		if s.Nodes[e.Destination].Name == destination {
			return e, true
		}
	}
	return Edge{}, false
}

// TestAFewLateRecordsTurnNoClock: nor do many that are late for less than a jump.
func TestAFewLateRecordsTurnNoClock(t *testing.T) {
	c := newClock(30 * 24 * time.Hour)
	c.see(100 * testDay)
	for i := range 10 * lateEvents {
		c.see(94 * testDay)
		if i%(lateEvents-1) == 0 {
			c.see(100 * testDay)
		}
		if i%2 == 0 {
			c.see(10 * testDay)
		}
	}
	if c.now != 100*testDay || !c.settled() {
		t.Errorf("%+v", c)
	}
}

// TestASecondLife: a triplet that comes back after more than a window begins anew.
func TestASecondLife(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: 30 * 24 * time.Hour})
	g.observe1(event("a", "r", "x", testDay))
	g.observe1(event("a", "r", "x", 2*testDay))
	g.observe1(event("a", "r", "x", 100*testDay)) // a pause this long is a jump: it is not evicted at once
	e, ok := edgeOf(g, "x")
	if !ok || e.First < 99*testDay || e.Last != 100*testDay {
		t.Errorf("%v, from day %v to %v", ok, float64(e.First)/float64(testDay), float64(e.Last)/float64(testDay))
	}
	g.check(t)
}

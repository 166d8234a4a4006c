package graphbuf

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// TestAFloodLeavesTheRegulars: ten days of hosts that come once a day, then within half an hour four
// times as many new sources, clients and triplets as there is room for. By age alone nothing of the
// ten days would be left.
func TestAFloodLeavesTheRegulars(t *testing.T) {
	cfg := Config{MaxNodes: 2000, MaxRelations: 100, MaxEdges: 10_000, Window: 30 * 24 * time.Hour}
	g := newGraph(t, cfg)
	var ref [1]Ref
	observe := func(source, relation, destination string, at time.Duration) Ref {
		g.Observe([]Event{{[]byte(source), []byte(relation), []byte(destination), int64(1e18) + int64(at)}}, ref[:])
		return ref[0]
	}
	const hosts, each = 1000, 6
	steady := func(day int) (known int) {
		for h := range hosts {
			for j := range each {
				if r := observe(fmt.Sprint("host-", h), fmt.Sprint("client-", h%20), fmt.Sprint("server-", (h/50*7+j)%60), time.Duration(day)*24*time.Hour+time.Duration(h)*time.Second); r.Counts.SRD > 0 {
					known++
				}
			}
		}
		return known
	}
	for day := range 10 {
		steady(day)
	}
	for i := range 4 * cfg.MaxEdges {
		observe(fmt.Sprint("flood-", i), fmt.Sprint("tool-", i%500), fmt.Sprint("server-", i%60), 9*24*time.Hour+2*time.Hour+time.Duration(i)*45*time.Millisecond)
	}
	g.check(t)
	st := g.Stats()
	if st.Edges > cfg.MaxEdges || st.Nodes > cfg.MaxNodes || st.Relations > cfg.MaxRelations {
		t.Errorf("%+v", st)
	}
	if known := steady(10); known != hosts*each {
		t.Errorf("%d of %d triplets of the ten days are left", known, hosts*each)
	}

	// Whoever comes again and again stays too, but at the cost of no more than what came before.
	for round := range 3 {
		for i := range 4 * cfg.MaxEdges {
			observe(fmt.Sprint("flood-", i), "tool", fmt.Sprint("server-", i%60), 10*24*time.Hour+time.Duration(round+1)*2*time.Hour+time.Duration(i)*45*time.Millisecond)
		}
	}
	if known := steady(11); known != hosts*each {
		t.Errorf("%d of %d triplets are left after three floods with the same names", known, hosts*each)
	}
	g.check(t)
}

// TestNamesSentTwiceLeaveTheRegulars: ten days of hosts that come once a day, then names twice, an hour apart, until
// nearly all room is theirs, and others. What was seen longest ago are then the regulars, with one edge or many.
func TestNamesSentTwiceLeaveTheRegulars(t *testing.T) {
	const hosts, clients, each = 300, 40, 3
	regulars := func(g *Graph) (n int) {
		s := g.Snapshot()
		for i := range s.Edges {
			if s.Nodes[s.Edges[i].Source].Name[0] == 'h' {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		name         string
		cfg          Config
		first, more  int // names sent twice, and once
		servers      int // to which each of them is sent
		sameSource   bool
		newRelations bool
	}{
		{"relations of one source", Config{MaxNodes: 100_000, MaxRelations: 1000}, 900, 200, 1, true, true},
		{"the same to five servers each", Config{MaxNodes: 100_000, MaxRelations: 1000}, 900, 200, 5, true, true},
		{"hosts", Config{MaxNodes: 2000, MaxRelations: 1000}, 1600, 400, 1, false, false},
		{"hosts with a client and five servers each", Config{MaxNodes: 2000, MaxRelations: 3000}, 1600, 400, 5, false, true},
	} {
		for _, restart := range []bool{false, true} {
			c.cfg.MaxEdges, c.cfg.Window, c.cfg.Trusted = 500_000, 30*24*time.Hour, true
			g, at := newGraph(t, c.cfg), testNow
			send := func(source, relation, destination string) {
				g.observe1(event(source, relation, destination, at))
				at += 50 * int64(time.Millisecond)
			}
			for day := range int64(10) {
				at = testNow + day*testDay
				for h := range hosts {
					for k := range each {
						send(fmt.Sprint("h", h), fmt.Sprint("c", (h+k)%clients), fmt.Sprint("s", h*k%60))
					}
				}
				if day%7 == 1 { // twice in all, a week apart
					send("h weekly", "c weekly", "s1")
				}
			}
			at = testNow + 10*testDay
			before := regulars(g)
			if restart {
				g = afresh(t, g)
			}
			flood := func(kind string, n int) {
				for i := range n {
					source, relation := "203.0.113.9", "c1"
					if !c.sameSource {
						source = fmt.Sprint("2001:db8::", kind, i)
					}
					if c.newRelations {
						relation = fmt.Sprint(kind, i)
					}
					for s := range c.servers {
						send(source, relation, fmt.Sprint("s", s))
					}
				}
			}
			for range 2 {
				flood("x", c.first)
				at += 62 * testMinute
			}
			if restart {
				g = afresh(t, g)
			}
			flood("y", c.more)
			if left := regulars(g); left != before {
				t.Errorf("%s, restart %v: %d of %d edges of regulars are left", c.name, restart, left, before)
			}
			g.check(t)
		}
	}
}

// TestANameStaysAsLongAsItCame: one that came for ten days and no more goes before one that came for an hour on the
// twentieth day after that, and not on the eighth, when the other has not come for five hours.
func TestANameStaysAsLongAsItCame(t *testing.T) {
	for day, want := range map[int64]string{8: "old", 21: "new"} {
		g := newGraph(t, Config{MaxNodes: 8, MaxRelations: 10, MaxEdges: 100, Window: 40 * 24 * time.Hour, Trusted: true})
		see := func(source string, at int64) { g.observe1(event(source, "r", "s", testNow+at)) }
		see("old", -10*testDay)
		see("old", 0)
		for d := range day {
			see("always", d*testDay)
		}
		for _, begin := range []int64{0, 61} {
			for i, source := range []string{"new", "1", "2", "3", "4"} {
				see(source, day*testDay+(begin+int64(i))*testMinute)
			}
		}
		g.check(t)
		see("another", day*testDay+6*60*testMinute)
		g.check(t)
		for source, held := range map[string]bool{"old": want == "old", "new": want == "new", "always": true, "4": true, "another": true} {
			if is := g.look1(event(source, "r", "s", testNow)).Source != (ID{}); is != held {
				t.Errorf("day %d: %q is held: %v, want %v", day, source, is, held)
			}
		}
	}
}

// TestTheSourceOfANewHostStays though all other hosts have come for longer.
func TestTheSourceOfANewHostStays(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 10, MaxRelations: 10, MaxEdges: 100, Window: 40 * 24 * time.Hour, Trusted: true})
	see := func(source, destination string, at int64) Ref {
		return g.observe1(event(source, "r", destination, testNow+at))
	}
	for day := range int64(10) {
		for i := range 7 {
			see("h"+strconv.Itoa(i), "s", day*testDay)
		}
	}
	see("young", "s", 9*testDay)
	see("young", "s", 9*testDay+62*testMinute)
	for i := range 5 {
		at := 9*testDay + int64(63+i)*testMinute
		see("young", "x"+strconv.Itoa(i), at)
		g.check(t)
		if r := see("young", "s", at); r.Counts.SRD == 0 {
			t.Errorf("the source that sent to a new host was evicted")
		}
	}
}

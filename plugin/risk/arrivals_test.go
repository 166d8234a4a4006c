package risk

import (
	"fmt"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// wantReached is wantRisk for a source that was reached by another.
func wantReached(t *testing.T, got Pooled, risk float64, triplets int, by Source) {
	t.Helper()
	wantRisk(t, got, risk, triplets)
	if got.ReachedBy != by.ID {
		t.Errorf("reached by %v, want %v", got.ReachedBy, by.ID)
	}
}

// What an intruder did to get to a host speaks against what comes from there.
func TestAChainOfHosts(t *testing.T) {
	s := NewSources()
	a, b, c, nobody := Source{ID: graphbuf.ID{Slot: 1, Gen: 1}}, Source{ID: graphbuf.ID{Slot: 2, Gen: 1}}, Source{ID: graphbuf.ID{Slot: 3, Gen: 1}}, Source{}
	wantReached(t, s.Add(event("a", "ssh", "b", 0), a, 2), 2, 1, nobody)
	wantReached(t, s.Add(event("b", "ssh", "c", time.Hour), b, 3), 5, 1, a)
	wantReached(t, s.Add(event("c", "ssh", "d", 2*time.Hour), c, 1), 2, 1, b) // for as much as its own at most
	wantReached(t, s.Add(event("c", "ssh", "e", 2*time.Hour), c, 1), 4, 2, b)
	wantReached(t, s.Add(event("a", "ssh", "e", 2*time.Hour), a, 1), 3, 2, nobody)
	wantReached(t, s.Add(event("a", "ssh", "a", 2*time.Hour), a, 1), 4, 3, nobody) // nobody reaches himself

	// The oddest session to a host counts, as long as it is within the window.
	s.Add(event("c", "ssh", "b", 2*time.Hour), c, 1)
	wantReached(t, s.Add(event("b", "ssh", "c", 3*time.Hour), b, 3), 5, 1, a)
	wantReached(t, s.Add(event("b", "ssh", "c", Window-1), b, 3), 5, 1, a)
	wantReached(t, s.Add(event("b", "ssh", "c", Window), b, 3), 3, 1, nobody)
	s.Add(event("c", "ssh", "b", Window), c, 1)
	wantReached(t, s.Add(event("b", "ssh", "c", Window), b, 3), 4, 1, c)
	// After a clock's step back a session counts like one at the beginning of the window.
	s.Add(event("a", "ssh", "f", -time.Hour), a, 2)
	wantReached(t, s.Add(event("f", "ssh", "c", -time.Hour), c, 3), 5, 1, a)
}

// A flood of slightly odd sessions to ever other hosts does not drive out an odder one, and what is over makes room.
func TestAFloodOfArrivals(t *testing.T) {
	s := NewSources()
	flood := func(name string, at time.Duration) {
		for i := range 2 * maxArrivals {
			s.Add(event("scanner", "ssh", fmt.Sprint(name, i), at), Source{ID: graphbuf.ID{Slot: 2, Gen: 1}}, 1)
		}
	}
	s.Add(event("a", "ssh", "b", 0), host, 5)
	flood("x-", time.Hour)
	if len(s.arrivals.rows) != maxArrivals {
		t.Errorf("%d arrivals, want %d", len(s.arrivals.rows), maxArrivals)
	}
	wantReached(t, s.Add(event("b", "ssh", "c", time.Hour), host, 4), 8, 1, host)
	flood("y-", 3*Window)
	s.Add(event("a", "ssh", "b", 3*Window), host, 0.5) // no room for the least odd
	wantReached(t, s.Add(event("b", "ssh", "c", 3*Window), host, 4), 4, 1, Source{})
	s.Add(event("a", "ssh", "b", 5*Window), host, 0.5)
	wantReached(t, s.Add(event("b", "ssh", "c", 5*Window), host, 4), 4.5, 1, host)
}

// TestRenumber: another graph gives other IDs, and the one by which a source was reached is found under its new one.
func TestRenumber(t *testing.T) {
	s := NewSources()
	add := func(source, destination string, id graphbuf.ID) Pooled {
		return s.Add(&graphbuf.Event{Source: []byte(source), Relation: []byte("r"), Destination: []byte(destination), Time: 1}, Source{ID: id}, 1)
	}
	add("intruder", "host", graphbuf.ID{Slot: 7, Gen: 1})
	add("gone", "other", graphbuf.ID{Slot: 8, Gen: 1})
	s.Renumber(func(id graphbuf.ID) graphbuf.ID {
		if id.Slot == 7 {
			return graphbuf.ID{Slot: 70, Gen: 3}
		}
		return graphbuf.ID{}
	})
	if p := add("host", "third", graphbuf.ID{Slot: 9, Gen: 1}); p.ReachedBy != (graphbuf.ID{Slot: 70, Gen: 3}) || p.Risk != 2 {
		t.Errorf("%+v", p)
	}
	if p := add("other", "third", graphbuf.ID{Slot: 9, Gen: 1}); p.ReachedBy != (graphbuf.ID{}) || p.Risk != 2 {
		t.Errorf("of one that the new graph does not know: %+v", p)
	}
}

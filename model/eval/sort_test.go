package eval

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

// inOrder fails unless each triplet scores above the next one.
func inOrder(t *testing.T, g *graphbuf.Graph, texts ...string) {
	t.Helper()
	score, threshold, err := Sort().Learn(t.Context(), g.Snapshot())
	if err != nil || !math.IsInf(threshold, -1) {
		t.Fatalf("threshold %v, %v", threshold, err)
	}
	last := math.Inf(1)
	for i, text := range texts {
		e := event(text, 100)
		v := score(g, &e, new(graphbuf.Ref))
		if !(v < last) {
			t.Errorf("%q has %v, which is not below %q with %v", text, v, texts[max(i-1, 0)], last)
		}
		last = v
	}
}

// Clients a to e, servers v to z: a shares servers with b (v, w) and c (w).
func TestSortAmongClientsAndServers(t *testing.T) {
	g := graphOf(t,
		"a ssh v", "a ssh w", "b ssh v", "b ssh w", "c ssh w", "b ssh x", "c ssh x", "b ssh y",
		"d ssh z", "e ssh z", "a putty w", "a ssh v")
	inOrder(t, g,
		"a ssh v",   // seen, last of all
		"a putty w", // seen, before that
		"e ssh z",   // seen, earlier
		"a ssh w",   // seen, first
		"a putty v", // the pair was seen, late
		"e putty z", // the pair was seen, earlier
		"a ssh x",   // used by b and c, who share servers with a
		"a ssh y",   // used by b
		"b ssh z",   // nobody in common; b and z have partners, four and two
		"d ssh y",   // nobody in common, one and one
		"new ssh z", // nothing known of the source: z has two partners
		"new ssh y", // y has one
		"new ssh none",
	)
}

// Hosts that write to each other: a and d both talk with b and c.
func TestSortAmongPeers(t *testing.T) {
	g := graphOf(t, "a - b", "b - a", "c - a", "a - c", "b - d", "d - c", "d - e", "e - d", "e - f", "f - e")
	inOrder(t, g,
		"f - e", "e - f", // seen
		"a - d", // b and c in common
		"b - e", // d in common; more partners than the next
		"d - f", // e in common
		"a - f", // nobody
	)
}

// What is scored is what was known when the method learned.
func TestSortIsFrozen(t *testing.T) {
	g := graphOf(t, "a ssh v", "b ssh w")
	score, _, _ := Sort().Learn(t.Context(), g.Snapshot())
	e := event("a ssh w", 3)
	var ref [1]graphbuf.Ref
	before := score(g, &e, &ref[0])
	g.Observe([]graphbuf.Event{e}, ref[:])
	if after := score(g, &e, &ref[0]); after != before {
		t.Errorf("%v, and %v once it was seen", before, after)
	}
}

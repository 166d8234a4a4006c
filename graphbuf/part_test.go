package graphbuf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// names of an edge of a snapshot, for comparing graphs whose slots differ.
func (s *Snapshot) text(e Edge) string {
	return fmt.Sprintf("%s %s %s %d %d %d", s.Nodes[e.Source].Name, s.Relations[e.Relation].Name, s.Nodes[e.Destination].Name, e.Count, e.First, e.Last)
}

func (s *Snapshot) texts() (list []string) {
	for _, e := range s.Edges {
		list = append(list, s.text(e))
	}
	return list
}

func TestPartIsTheWholeWhereItFits(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 10, MaxEdges: 10_000})
	if p := g.Part(nil, 10); p.All != 0 || len(p.Edges) != 0 || p.First != 0 || p.Last != 0 {
		t.Errorf("of an empty graph: %+v", p)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 9000 { // more than one block
		g.observe1(event("h"+strconv.Itoa(random.IntN(500)), "r"+strconv.Itoa(i%3), "s"+strconv.Itoa(random.IntN(400)), int64(1000+i)))
	}
	want, p := g.Snapshot(), g.Part(nil, 10_000)
	if !slices.Equal(p.texts(), want.texts()) || p.All != len(want.Edges) || p.First != 1000 || p.Last != 9999 {
		t.Errorf("%d edges of %d from %d to %d, want %d from 1000 to 9999", len(p.Edges), p.All, p.First, p.Last, len(want.Edges))
	}
	if len(p.Nodes) != len(want.Nodes) || len(p.Relations) != len(want.Relations) {
		t.Errorf("%d nodes and %d relations, want %d and %d", len(p.Nodes), len(p.Relations), len(want.Nodes), len(want.Relations))
	}
}

func TestPartTakesTheFirst(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 20_000, MaxRelations: 10, MaxEdges: 20_000})
	long := string(slices.Repeat([]byte("x"), 2*MaxName))
	see := func(s, d string, times int) {
		for range times {
			g.observe1(event(s, "r", d, 1000))
		}
	}
	for i := range 9000 { // the more, the later in the graph
		see("h"+strconv.Itoa(i), "d", 1+i/3000)
	}
	see("h8999", "d", 5)
	see("odd", long, 1)    // what is asked for
	see("odd", "quiet", 1) // beside it
	see("odd", "busy", 2)
	see("other", long, 3)
	ask := []Event{event("odd", "r", long, 0), event("never", "r", "seen", 0)}
	for n, want := range []string{"", "odd", "odd other", "odd odd other", "odd odd odd other", "h8999 odd odd odd other"} {
		p := g.Part(ask, n)
		var sources []string
		for _, e := range p.Edges {
			sources = append(sources, p.Nodes[e.Source].Name)
		}
		slices.Sort(sources)
		if got := fmt.Sprint(sources); got != "["+want+"]" || p.All != 9004 {
			t.Errorf("%d edges of %d: %s, want [%s]", n, p.All, got, want)
		}
	}
	p := g.Part(ask, 2000)
	for _, e := range p.Edges {
		if e.Count < 3 && p.Nodes[e.Source].Name != "odd" {
			t.Fatalf("%s is in the part", p.text(e))
		}
	}
	if len(p.Edges) != 2000 || len(p.Nodes) > 2004 {
		t.Errorf("%d edges, %d nodes", len(p.Edges), len(p.Nodes))
	}
}

func TestPartBesideWriters(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 4, MaxEdges: 6000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200_000 { // names come and go all the time
			g.observe1(event("h"+strconv.Itoa(i%300), "r"+strconv.Itoa(i%7), "s"+strconv.Itoa(i%101), int64(1+i)))
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p := g.Part([]Event{event("h1", "r1", "s1", 0)}, 50)
		seen := map[string]bool{}
		for _, e := range p.Edges {
			k := fmt.Sprint(e.Source, e.Relation, e.Destination)
			if seen[k] || p.Nodes[e.Source].Name[0] != 'h' || p.Nodes[e.Destination].Name[0] != 's' {
				t.Fatalf("%s, twice %v", p.text(e), seen[k])
			}
			seen[k] = true
		}
	}
}

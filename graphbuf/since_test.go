package graphbuf

import "testing"

func TestSourceSince(t *testing.T) {
	g, err := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 10})
	if err != nil {
		t.Fatal(err)
	}
	var ref [1]Ref
	since := func(g *Graph, source, destination string, at int64) int64 {
		t.Helper()
		g.Observe([]Event{{Source: []byte(source), Relation: []byte("c"), Destination: []byte(destination), Time: at}}, ref[:])
		return ref[0].SourceSince
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
	again, _ := New(Config{MaxNodes: 10, MaxRelations: 4, MaxEdges: 10})
	again.Restore(g.Snapshot())
	if got := since(again, "a", "q", 500); got != 90 {
		t.Errorf("after a restart since %d, want 90", got)
	}
	g.Look([]Event{{Source: []byte("nobody"), Relation: []byte("c"), Destination: []byte("x"), Time: 600}}, ref[:])
	if ref[0].SourceSince != 600 {
		t.Errorf("an unknown source is there since %d", ref[0].SourceSince)
	}
}

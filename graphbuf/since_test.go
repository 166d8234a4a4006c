package graphbuf

import "testing"

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

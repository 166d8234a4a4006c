package graphbuf

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const monday = int64(1_772_409_600e9) // 2026-03-02

// days is so many days and hours after Monday.
func days(d, h int64) int64 { return monday + d*day + h*int64(time.Hour) }

func (g *Graph) evidenceOf(ref Ref) (out Evidence) {
	g.Evidence(&ref, &out)
	return out
}

func (x *Evidence) sources() (names []string) {
	for _, s := range x.Sources[:x.SourceCount] {
		names = append(names, s.Name)
	}
	return names
}

func TestEvidence(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 10_000, Window: 30 * 24 * time.Hour})
	for d := range int64(10) {
		for i := range int64(3) {
			g.observe1(event("a", "ssh", "db", days(d, 8+i)))
			g.observe1(event("b", "go", "db", days(d, 9)))
		}
		g.observe1(event("a", "putty", "web", days(d, 10)))
	}
	g.observe1(event("a", "ansible", "db", days(3, 1))) // late, of another relation

	for _, c := range []struct {
		name        string
		e           Event
		first, last int64
		days        int
		relations   []string
		sources     []string
		itself      int // sources of the source
	}{
		{"a pair seen daily", event("a", "ssh", "db", days(9, 20)), days(0, 8), days(9, 10), 10, []string{"ssh", "putty", "ansible"}, []string{"b"}, 0},
		{"another relation of it", event("a", "new", "db", days(9, 21)), days(0, 8), days(9, 20), 10, []string{"ssh", "putty", "ansible"}, []string{"b"}, 0},
		{"that relation again", event("a", "new", "db", days(10, 1)), days(0, 8), days(9, 21), 11, []string{"ssh", "putty", "new"}, []string{"b"}, 0},
		{"a pair that is new", event("b", "go", "web", days(10, 2)), 0, 0, 1, []string{"go", "", ""}, []string{"a"}, 0},
		{"once more on another day", event("b", "go", "web", days(12, 2)), days(10, 2), days(10, 2), 2, []string{"go", "", ""}, []string{"a"}, 0},
		{"a source that is new", event("c", "go", "db", days(12, 3)), 0, 0, 1, []string{"", "", ""}, []string{"a", "b"}, 0},
		{"a destination that is new", event("c", "ssh", "x", days(12, 4)), 0, 0, 1, []string{"go", "", ""}, nil, 0},
		{"a destination that is a source", event("db", "ssh", "web", days(12, 5)), 0, 0, 1, []string{"", "", ""}, []string{"a", "b"}, 3},
	} {
		looked := g.evidenceOf(g.look1(c.e))
		observed := g.evidenceOf(g.observe1(c.e))
		for how, x := range map[string]Evidence{"looked up": looked, "observed": observed} {
			sources := x.sources()
			slices.Sort(sources)
			if x.PairFirst != c.first || x.PairLast != c.last || x.PairDays != c.days || !slices.Equal(x.Relations[:], c.relations) || x.SourcesOfSource != c.itself {
				t.Errorf("%s, %s: pair from %d to %d on %d days, relations %q, %d sources of the source", c.name, how, x.PairFirst, x.PairLast, x.PairDays, x.Relations, x.SourcesOfSource)
			}
			// Look does not know hosts that are new.
			if want := c.sources; !slices.Equal(sources, want) {
				t.Errorf("%s, %s: other sources %q, want %q", c.name, how, sources, want)
			}
		}
	}
}

// TestEvidenceIsBounded: of a host with very many edges the latest are looked at, and what is not known is not told.
func TestEvidenceIsBounded(t *testing.T) {
	g := newGraph(t, roomy)
	g.observe1(event("scanner", "ssh", "hub", days(0, 1)))
	for i := range 1000 {
		g.observe1(event("scanner", fmt.Sprint("r", i), fmt.Sprint("h", i), days(0, 2)))
		g.observe1(event(fmt.Sprint("s", i), "ssh", "hub", days(0, 2)))
	}
	if n := g.evidenceOf(g.look1(event("s7", "ssh", "hub", days(0, 3)))).SourceCount; n != 0 {
		t.Errorf("%d of those that came once are told", n)
	}
	for i := range 1000 {
		g.observe1(event(fmt.Sprint("s", i), "ssh", "hub", days(0, 4)))
	}
	ref := g.observe1(event("scanner", "ssh", "hub", days(1, 1)))
	x := g.evidenceOf(ref)
	if x.PairFirst != 0 || x.PairLast != 0 || x.PairDays != 0 || x.SourceCount != EvidenceSources || ref.Counts.SD != 1 {
		t.Errorf("%+v", x)
	}
	if n := testing.AllocsPerRun(100, func() { g.Evidence(&ref, &x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// Names that are gone by now.
	ref.Source.Gen++
	ref.Destination.Gen++
	if x := g.evidenceOf(ref); x.SourceCount != 0 || x.Relations[0] != "" {
		t.Errorf("%+v", x)
	}
}

func TestActivityDays(t *testing.T) {
	for _, c := range []struct {
		seen  uint64
		last  int32
		level uint8
		want  int
	}{
		{0, 0, 10, 0}, {1, 5, 10, 1}, {0b11, 5, 10, 1}, {0b11, 4, 10, 2}, {0b101, 5, 10, 2}, {0b1111, 7, 9, 1}, {0b1111, 6, 9, 2},
		{0b1011, 9, 11, 3}, {0b1011, 9, 12, 3}, {1<<63 | 1, 100, 0, 1}, {1<<63 | 1, 63, 11, 2},
	} {
		if n := (activity{seen: c.seen, last: c.last, level: c.level}).stretches(dayLevel); n != c.want {
			t.Errorf("%b from %d at level %d: %d days, want %d", c.seen, c.last, c.level, n, c.want)
		}
	}
}

func BenchmarkEvidence(b *testing.B) {
	g := newGraph(b, roomy)
	for i := range 1000 {
		g.observe1(event("scanner", fmt.Sprint("r", i), fmt.Sprint("h", i), days(0, 2)))
		g.observe1(event(fmt.Sprint("s", i), "ssh", "hub", days(0, 2)))
	}
	g.observe1(event("scanner", "ssh", "hub", days(0, 3)))
	ref := g.observe1(event("scanner", "ssh", "hub", days(1, 1)))
	var x Evidence
	b.ReportAllocs()
	for b.Loop() {
		g.Evidence(&ref, &x)
	}
}

// TestNamesByID: an ID names its host or relation until the graph has forgotten that.
func TestNamesByID(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 5, MaxRelations: 2, MaxEdges: 2})
	var first, ref [1]Ref
	event := func(i int) []Event {
		return []Event{{Source: fmt.Append(nil, "s", i), Relation: fmt.Append(nil, "r", i), Destination: fmt.Append(nil, "d", i), Time: int64(i+1) * int64(time.Minute)}}
	}
	g.Observe(event(0), first[:])
	if s, r, d := g.HostName(first[0].Source), g.RelationName(first[0].Relation), g.HostName(first[0].Destination); s != "s0" || r != "r0" || d != "d0" {
		t.Errorf("%q, %q, %q", s, r, d)
	}
	if id := g.HostID("s0"); id != first[0].Source {
		t.Errorf("s0 is %v, want %v", id, first[0].Source)
	}
	for i := range 20 {
		g.Observe(event(i+1), ref[:])
	}
	for _, id := range []ID{first[0].Source, first[0].Destination, {}, {Slot: 1 << 30, Gen: 1}} {
		if name := g.HostName(id); name != "" {
			t.Errorf("host %v is %q", id, name)
		}
	}
	if id := g.HostID("s0"); id != (ID{}) {
		t.Errorf("s0 is gone, and has %v", id)
	}
	for _, id := range []ID{first[0].Relation, {}, {Slot: 1 << 30, Gen: 1}} {
		if name := g.RelationName(id); name != "" {
			t.Errorf("relation %v is %q", id, name)
		}
	}
}

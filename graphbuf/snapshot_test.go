package graphbuf

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
)

func observed(t testing.TB, events []Event) *Graph {
	g := newGraph(t, roomy)
	g.Observe(events, make([]Ref, len(events)))
	return g
}

func TestSnapshotHoldsEveryEdgeInOrder(t *testing.T) {
	events := notebook(t)
	g := observed(t, events)
	s := g.Snapshot()
	names := map[string]bool{}
	clients := map[string]bool{}
	for _, e := range events {
		names[string(e.Source)], names[string(e.Destination)], clients[string(e.Relation)] = true, true, true
	}
	if len(s.Nodes) != len(names) || len(s.Relations) != len(clients) || len(s.Edges) != samples.Triplets {
		t.Fatalf("%d nodes, %d relations, %d edges, want %d, %d, %d", len(s.Nodes), len(s.Relations), len(s.Edges), len(names), len(clients), samples.Triplets)
	}
	for i, e := range s.Edges {
		if i > 0 && e.First < s.Edges[i-1].First {
			t.Fatalf("edge %d was first seen before the one in front of it", i)
		}
		ref := g.look1(event(s.Nodes[e.Source].Name, s.Relations[e.Relation].Name, s.Nodes[e.Destination].Name, 0))
		if ref.Counts.SRD != e.Count || ref.Source != s.Nodes[e.Source].ID || ref.Relation != s.Relations[e.Relation].ID {
			t.Fatalf("edge %d: %+v, the graph says %+v", i, e, ref)
		}
	}
}

func TestSnapshotSharesNothing(t *testing.T) {
	events := notebook(t)
	g := observed(t, events)
	s, again := g.Snapshot(), g.Snapshot()
	g.Observe(events, make([]Ref, len(events)))
	for i := range 3 * 97 {
		g.observe1(event("new"+strconv.Itoa(i), "r", "x", 1))
	}
	if !reflect.DeepEqual(s, again) {
		t.Error("a snapshot changed after it was taken")
	}
}

func TestRestoreOfBytesGivesTheSameGraph(t *testing.T) {
	g := observed(t, notebook(t))
	want := g.Snapshot()
	read := throughBytes(t, want)
	h := newGraph(t, roomy)
	h.Restore(read)
	h.check(t)
	got := h.Snapshot()
	if d := got.Lived - want.Lived; d.Abs() > time.Hour { // ages are known to a thousandth of the window
		t.Errorf("the graph lived %v, and %v when it is restored", want.Lived, got.Lived)
	}
	for _, s := range []*Snapshot{got, want} { // IDs are the graph's own
		s.Lived = 0
		for _, names := range [][]Name{s.Nodes, s.Relations} {
			for i := range names {
				names[i].ID = ID{}
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the restored graph differs")
	}
	if st := h.Stats(); st.NewEdges != 0 || st.Evicted != 0 {
		t.Errorf("restoring counts as news: %+v", st)
	}

	small := newGraph(t, Config{MaxNodes: 50, MaxRelations: 5, MaxEdges: 100})
	small.Restore(read)
	small.check(t)
	if st := small.Stats(); st.Edges > 100 || st.Edges == 0 {
		t.Errorf("restored into smaller bounds: %+v", st)
	}
}

func TestSnapshotSizes(t *testing.T) {
	g := observed(t, notebook(t))
	s := g.Snapshot()
	graph, _ := g.AppendBinary(nil)
	aged := *s
	aged.Bucket = 0
	ages, _ := aged.AppendBinary(nil)
	aged.Aged = false
	plain, _ := aged.AppendBinary(nil)
	want := Sizes{Nodes: len(s.Nodes), Relations: len(s.Relations), Edges: len(s.Edges)}
	for what, b := range map[string][]byte{"of a graph": graph, "with ages": ages, "without": plain} {
		if got, err := SnapshotSizes(b); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
		if got, err := SnapshotSizes(b[:20]); err == nil {
			t.Errorf("%s, cut: %+v", what, got)
		}
	}
}

func TestEveryDamageToTheBytesIsRefusedOrHarmless(t *testing.T) {
	events := notebook(t)[:300]
	if testing.Short() {
		events = events[:30]
	}
	b, _ := observed(t, events).Snapshot().AppendBinary(nil)
	var s Snapshot
	for n := range b {
		if err := s.UnmarshalBinary(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes pass for a whole snapshot", n, len(b))
		}
	}
	for i := range b {
		for bit := range 8 {
			c := append([]byte(nil), b...)
			c[i] ^= 1 << bit
			if s.UnmarshalBinary(c) == nil {
				wantStable(t, &s)
				newGraph(t, roomy).Restore(&s)
			}
		}
	}
}

// wantStable wants a decoded snapshot to have bytes of which the same snapshot comes.
func wantStable(t *testing.T, s *Snapshot) {
	t.Helper()
	b, _ := s.AppendBinary(nil)
	var again Snapshot
	if err := again.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(&again, s) {
		t.Fatalf("read, saved and read again: %+v, %v, want %+v", again, err, s)
	}
}

func FuzzUnmarshal(f *testing.F) {
	g := newGraph(f, roomy)
	for i := range 5 {
		g.observe1(event("a"+strconv.Itoa(i), "r", "x", int64(i)))
	}
	b, _ := g.Snapshot().AppendBinary(nil)
	f.Add(b)
	for _, n := range []int{1, 50, 500} {
		b, _ := observed(f, notebook(f)[:n]).Snapshot().AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Snapshot
		if s.UnmarshalBinary(b) == nil {
			if n, err := SnapshotSizes(b); err != nil || n.Nodes != len(s.Nodes) || n.Relations != len(s.Relations) || n.Edges != len(s.Edges) {
				t.Fatalf("%+v, %v of %d, %d and %d", n, err, len(s.Nodes), len(s.Relations), len(s.Edges))
			}
			wantStable(t, &s)
			g := newGraph(t, Config{MaxNodes: 8, MaxRelations: 4, MaxEdges: 16, Window: 100})
			g.Restore(&s)
			g.check(t)
		}
	})
}

func TestSnapshotsWhileWritersEvict(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 3000, MaxRelations: 20, MaxEdges: 20000})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 9))
			events, refs := make([]Event, 64), make([]Ref, 64)
			for t := int64(0); ; t++ {
				select {
				case <-stop:
					return
				default:
				}
				for i := range events {
					events[i] = randomEvent(rng, 5000, 30, t)
				}
				g.Observe(events, refs)
			}
		})
	}
	for range 10 {
		s := g.Snapshot()
		seen := map[[3]int32]bool{}
		for _, e := range s.Edges {
			k := [3]int32{e.Source, e.Relation, e.Destination}
			if seen[k] || e.Count == 0 {
				t.Errorf("edge %+v is there twice or counts nothing", e)
			}
			seen[k] = true
		}
	}
	close(stop)
	wg.Wait()
	g.check(t)
}

func BenchmarkSnapshot(b *testing.B) {
	g := newGraph(b, roomy)
	rng := rand.New(rand.NewPCG(5, 6))
	for g.live() < 1_000_000 {
		g.observe1(randomEvent(rng, 100_000, 50, 1))
	}
	for b.Loop() {
		g.Snapshot()
	}
}

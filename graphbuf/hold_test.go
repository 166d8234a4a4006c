package graphbuf

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// many observes n events between so many hosts and reports how many edges there are.
func many(g *Graph, n, hosts int) int {
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	refs := make([]Ref, 1)
	for i := range n {
		g.Observe([]Event{{
			Source: fmt.Appendf(nil, "host-%d", rng.IntN(hosts)), Relation: fmt.Appendf(nil, "client-%d", rng.IntN(9)),
			Destination: fmt.Appendf(nil, "host-%d", rng.IntN(hosts)), Time: 1_700_000_000e9 + int64(i)*int64(time.Second),
		}}, refs)
	}
	return g.Stats().Edges
}

func roomFor(t testing.TB, edges int) *Graph {
	t.Helper()
	g, err := New(Config{MaxNodes: 2 * edges, MaxRelations: 100, MaxEdges: edges, Window: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestHold(t *testing.T) {
	g := roomFor(t, 2000)
	many(g, 500, 50)
	before := g.Stats()
	g.Hold(0, 0) // at what it has
	many(g, 3000, 200)
	if st := g.Stats(); st.Edges > before.Edges || st.Nodes > before.Nodes || st.Evicted == 0 {
		t.Errorf("held at %d edges and %d nodes, it has %d and %d", before.Edges, before.Nodes, st.Edges, st.Nodes)
	}
	g.Hold(300, 900)
	many(g, 4000, 250)
	if st := g.Stats(); st.Edges != 900 || st.Nodes != 250 {
		t.Errorf("held at 900 edges, it has %d between %d nodes", st.Edges, st.Nodes)
	}
	g.Hold(1e9, 1e9)
	if n := many(g, 9000, 300); n != 2000 {
		t.Errorf("%d edges, want those of its bounds", n)
	}
}

func TestSizes(t *testing.T) {
	g := roomFor(t, 5000)
	many(g, 3000, 400)
	refs := make([]Ref, 1)
	g.Observe([]Event{{Source: []byte("only a source"), Relation: []byte("r"), Destination: []byte("only a destination"), Time: 1_700_000_000e9}}, refs)
	s := g.Sizes()
	if s != g.Snapshot().Sizes() || s.Sources > s.Nodes-1 || s.Destinations > s.Nodes-1 || s.Sources < 390 {
		t.Errorf("%+v, of a snapshot %+v", s, g.Snapshot().Sizes())
	}
}

// The bytes of a graph are those of its snapshot in another order.
func TestAppendBinaryOfAGraph(t *testing.T) {
	g := roomFor(t, 20_000)
	many(g, 9000, 300)
	many(g, 3000, 500) // with gaps among the slots, once some are gone
	prefix := []byte("prefix")
	b, err := g.AppendBinary(slices.Clone(prefix))
	if err != nil || !slices.Equal(b[:len(prefix)], prefix) {
		t.Fatal(err)
	}
	var got, want Snapshot
	if err := got.UnmarshalBinary(b[len(prefix):]); err != nil {
		t.Fatal(err)
	}
	whole, _ := g.Snapshot().AppendBinary(nil)
	if err := want.UnmarshalBinary(whole); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got.Edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.First, b.First), compareTriplets(a, b)) })
	if !slices.Equal(got.Nodes, want.Nodes) || !slices.Equal(got.Relations, want.Relations) || !slices.Equal(got.Edges, want.Edges) ||
		got.Bucket != want.Bucket || got.Begun != want.Begun {
		t.Errorf("%d nodes, %d edges; a snapshot has %d, %d, or they differ", len(got.Nodes), len(got.Edges), len(want.Nodes), len(want.Edges))
	}
}

// While others write and evict, what is saved is whole: it can be restored, and lacks none of the triplets that stay
// all the time.
func TestAppendBinaryBesideWriters(t *testing.T) {
	const lasting = 2000
	g := roomFor(t, 9000)
	keep := make([]Event, lasting)
	for i := range keep {
		keep[i] = Event{Source: fmt.Appendf(nil, "lasting-%d", i%50), Relation: []byte("client"), Destination: fmt.Appendf(nil, "lasting-%d", i/50),
			Time: 1_700_000_000e9}
	}
	refs := make([]Ref, lasting)
	g.Observe(keep, refs)
	many(g, 12_000, 300)
	g.Observe(keep, refs)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	defer writers.Wait()
	defer close(stop)
	writers.Go(func() {
		refs := make([]Ref, lasting)
		for {
			select {
			case <-stop:
				return
			default: // fewer new triplets than the graph has room for beside the lasting ones
				many(g, 2000, 900)
				g.Observe(keep, refs)
			}
		}
	})
	for range 10 {
		s := throughBytes(t, g)
		h := roomFor(t, 9000)
		h.Restore(s)
		kept, restored := 0, h.Snapshot()
		for _, e := range restored.Edges {
			if strings.HasPrefix(restored.Nodes[e.Source].Name, "lasting-") {
				kept++
			}
		}
		if kept != lasting {
			t.Fatalf("%d of the %d lasting triplets after a restore of %d", kept, lasting, len(s.Edges))
		}
	}
}

// Of a triplet that is saved twice the later one counts.
func TestRestoreTakesTheLaterTwin(t *testing.T) {
	twin := func(count uint32, last, age int64) Edge {
		return Edge{Source: 0, Relation: 0, Destination: 1, Count: count, First: last - 5, Last: last, Age: age}
	}
	s := &Snapshot{Nodes: []Name{{Name: "a"}, {Name: "b"}}, Relations: []Name{{Name: "r"}}, Aged: true,
		Edges: []Edge{twin(7, 1_700_000_900e9, 1e9), twin(90, 1_700_000_000e9, 900e9)}}
	g := roomFor(t, 10)
	g.Restore(s)
	if e := g.Snapshot().Edges; len(e) != 1 || e[0].Count != 7 || e[0].Last != 1_700_000_900e9 {
		t.Errorf("%+v", e)
	}
}

// What a snapshot and a saving take is within what was foretold.
func TestSnapshotBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	g := roomFor(t, 60_000)
	many(g, 50_000, 5000)
	s := g.Sizes()
	allocated := func(do func()) int64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	var snap *Snapshot
	if n := allocated(func() { snap = g.Snapshot() }); n > s.MakingBytes() || s.MakingBytes() > 2*n {
		t.Errorf("a snapshot took %d bytes, foretold %d", n, s.MakingBytes())
	}
	if n := allocated(func() { g.AppendBinary(nil) }); n > s.SavingBytes() || s.SavingBytes() > 3*n {
		t.Errorf("saving took %d bytes, foretold %d", n, s.SavingBytes())
	}
	usual, _ := g.AppendBinary(nil)
	crowd := &Snapshot{Edges: []Edge{{Destination: 1, Count: 1}}, Relations: []Name{{Name: "r"}}} // more names than triplets
	for i := range 50_000 {
		crowd.Nodes = append(crowd.Nodes, Name{Name: fmt.Sprintf("host-%07d", i)})
	}
	names, _ := crowd.AppendBinary(nil)
	for what, b := range map[string][]byte{"a graph": usual, "many names": names} {
		sizes, err := SnapshotSizes(b)
		if err != nil {
			t.Fatal(err)
		}
		var read Snapshot
		if n, foretold := allocated(func() { err = read.UnmarshalBinary(b) }), sizes.ReadingBytes(int64(len(b))); err != nil || n > foretold || foretold > 2*n {
			t.Errorf("reading %s took %d bytes, foretold %d, %v", what, n, foretold, err)
		}
	}
	runtime.KeepAlive(snap)
}

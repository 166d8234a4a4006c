package graphbuf

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
)

var roomy = Config{MaxNodes: 1 << 20, MaxRelations: 1 << 16, MaxEdges: 1 << 20}

func newGraph(t testing.TB, cfg Config) *Graph {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func event(s, r, d string, at int64) Event {
	return Event{[]byte(s), []byte(r), []byte(d), at}
}

func (g *Graph) observe1(e Event) Ref {
	var ref [1]Ref
	g.Observe([]Event{e}, ref[:])
	return ref[0]
}

func (g *Graph) look1(e Event) Ref {
	var ref [1]Ref
	g.Look([]Event{e}, ref[:])
	return ref[0]
}

// notebook reads the notebook's sessions, or as many simulated ones: source, client, destination, time.
func notebook(t testing.TB) []Event {
	t.Helper()
	var out []Event
	for _, line := range strings.Split(strings.TrimSpace(string(samples.Sessions(t))), "\n") {
		c := strings.Split(line, "\t")
		ts, err := strconv.ParseFloat(c[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, event(c[2], c[8], c[4], int64(ts*1e9)))
	}
	return out
}

func TestNotebookFile(t *testing.T) {
	samples.Path(t, samples.Notebook) // the figures are this file's
	g := newGraph(t, roomy)
	events := notebook(t)
	refs := make([]Ref, len(events))
	g.Observe(events, refs)
	st := g.Stats()
	if st.Nodes != 97 || st.Relations != 20 || st.Edges != 1490 || st.Events != 7143 || g.sd.slots.used() != 607 {
		t.Errorf("%+v and %d pairs; the file has 97 nodes, 20 relations, 1490 edges, 7143 events, 607 pairs", st, g.sd.slots.used())
	}
	fresh := 0
	for _, r := range refs {
		if r.Counts.SRD == 0 {
			fresh++
		}
	}
	if fresh != 1490 {
		t.Errorf("%d events came with a new triplet, want 1490", fresh)
	}
	held := 0
	for _, e := range g.Snapshot().Edges {
		held += int(e.Count)
	}
	if held != 7143 {
		t.Errorf("the snapshot stands for %d events", held)
	}
}

// plain is the graph as one would write it without bounds or speed.
type plain map[string]uint32

func (p plain) observe(e Event) Counts {
	s, r, d := "|"+string(e.Source), "|"+string(e.Relation), "|"+string(e.Destination)
	keys := []string{"srd" + s + r + d, "sd" + s + d, "sr" + s + r, "rd" + r + d, "s" + s, "d" + d, "r" + r}
	c := Counts{
		p[keys[0]], p[keys[1]], p[keys[2]], p[keys[3]], p[keys[4]], p[keys[5]], p[keys[6]],
		p["destinations"+s], p["relations"+s], p["sources"+d], p["sources of r"+r],
	}
	if c.SD == 0 {
		p["destinations"+s]++
		p["sources"+d]++
	}
	if c.SR == 0 {
		p["relations"+s]++
		p["sources of r"+r]++
	}
	for _, k := range keys {
		p[k]++
	}
	return c
}

func randomEvent(rng *rand.Rand, hosts, relations int, at int64) Event {
	return event("h"+strconv.Itoa(rng.IntN(hosts)), "r"+strconv.Itoa(rng.IntN(relations)), "h"+strconv.Itoa(rng.IntN(hosts)), at)
}

func TestCountsAgreeWithPlainMaps(t *testing.T) {
	g, p := newGraph(t, roomy), plain{}
	rng := rand.New(rand.NewPCG(1, 2))
	edges, taken := map[string]uint32{}, map[uint32]bool{}
	for i := range 20000 {
		e := randomEvent(rng, 60, 7, int64(i))
		looked := g.look1(e)
		want := p.observe(e)
		got := g.observe1(e)
		if got.Counts != want || looked.Counts != want {
			t.Fatalf("event %d %s: look %+v, observe %+v, want %+v", i, e.Source, looked.Counts, got.Counts, want)
		}
		// The edge is none at first, then one that is the triplet's alone.
		triplet := string(e.Source) + "|" + string(e.Relation) + "|" + string(e.Destination)
		if got.Edge != edges[triplet] || looked.Edge != got.Edge {
			t.Fatalf("event %d %s: look tells edge %d, observe %d, want %d", i, triplet, looked.Edge, got.Edge, edges[triplet])
		}
		if edges[triplet] == 0 {
			edges[triplet] = g.look1(e).Edge
			if taken[edges[triplet]] || edges[triplet] == 0 {
				t.Fatalf("event %d %s: edge %d is another's, or none", i, triplet, edges[triplet])
			}
			taken[edges[triplet]] = true
		}
	}
}

// check verifies what must hold between the parts of a graph at any time.
func (g *Graph) check(t testing.TB) {
	t.Helper()
	uses := map[uint32]int32{}
	relUses := map[uint32]int32{}
	source, destination, relation := map[uint32]side{}, map[uint32]side{}, map[uint32]side{}
	pairs := map[[3]uint32]bool{}
	live := 0
	for i := range uint32(g.edges.len()) {
		e := *g.edges.at(i)
		if e.src == 0 {
			continue
		}
		live++
		src, rel, dst := g.nodes.slots.at(e.src), g.relations.slots.at(e.rel), g.nodes.slots.at(e.dst)
		want := i
		if src.dead || rel.dead || dst.dead {
			want = 0
		}
		if got := g.findEdge(&Event{Source: []byte(src.name), Relation: []byte(rel.name), Destination: []byte(dst.name)}); got != want {
			t.Fatalf("edge %d: %d is found under its names, want %d", i, got, want)
		}
		uses[e.src]++
		uses[e.dst]++
		relUses[e.rel]++
		from, to, by := source[e.src], destination[e.dst], relation[e.rel]
		for _, x := range []*side{&from, &to, &by} {
			x.events += e.count
		}
		if k := [3]uint32{0, e.src, e.dst}; !pairs[k] {
			pairs[k] = true
			from.neighbours++
			to.neighbours++
		}
		if k := [3]uint32{1, e.src, e.rel}; !pairs[k] {
			pairs[k] = true
			from.relations++
			by.neighbours++
		}
		source[e.src], destination[e.dst], relation[e.rel] = from, to, by
	}
	indexed := 0
	for i := range g.triplets {
		indexed += g.triplets[i].used
	}
	if live != g.live() || indexed != live {
		t.Fatalf("%d edges, live says %d, index %d", live, g.live(), indexed)
	}
	for i := range uint32(g.nodes.slots.len()) {
		if got := g.nodes.slots.at(i).uses; got != uses[i] {
			t.Fatalf("node %d is used %d times, says %d", i, uses[i], got)
		}
		if g.nodes.slots.at(i).uses > 0 {
			sameSide(t, "source", *g.source.at(i), source[i])
			sameSide(t, "destination", *g.destination.at(i), destination[i])
		}
	}
	for i := range uint32(g.relations.slots.len()) {
		if g.relations.slots.at(i).uses > 0 {
			sameSide(t, "relation", *g.relation.at(i), relation[i])
		}
	}
	alive := func(n *names, uses map[uint32]int32) (live int) {
		for i := range uses {
			if s := n.slots.at(i); !s.dead {
				live++
				if n.find([]byte(s.name)) != i {
					t.Fatalf("%q is not found under its name", s.name)
				}
			}
		}
		return live
	}
	if nodes, relations := alive(&g.nodes, uses), alive(&g.relations, relUses); g.nodes.live != nodes || g.relations.live != relations {
		t.Fatalf("%d nodes, %d relations live, want %d and %d", g.nodes.live, g.relations.live, nodes, relations)
	}
	n, inProtected := 0, 0
	for ring := range uint32(2) {
		for i := g.byAge.head[ring].next; i >= 0; i = g.byAge.item[i].next {
			n++
			if g.edges.at(uint32(i)).protected() != (ring == protected) {
				t.Fatalf("edge %d is in the wrong ring", i)
			}
			inProtected += int(ring)
		}
	}
	if n != live || inProtected != g.protectedCount {
		t.Fatalf("%d edges by age, %d live; %d protected, says %d", n, live, inProtected, g.protectedCount)
	}
	for _, n := range []*names{&g.nodes, &g.relations} {
		all, inProtected := 0, 0
		for ring := range uint32(segments) {
			for i := n.byAge.head[ring].next; i >= 0; i = n.byAge.item[i].next {
				s := n.slots.at(uint32(i))
				if uint32(s.segment) != ring || s.protected() && s.segment != s.tenure() || s.came > s.seen || int64(s.seen) > g.clock.lived/int64(time.Minute) {
					t.Fatalf("name %d, of segment %d, came from %d to %d, and is in ring %d", i, s.segment, s.came, s.seen, ring)
				}
				if all++; s.protected() {
					inProtected++
				}
			}
		}
		if all != n.live {
			t.Fatalf("%d names by age, %d live", all, n.live)
		}
		if inProtected != n.protectedCount {
			t.Fatalf("%d protected names, says %d", inProtected, n.protectedCount)
		}
	}
}

func sameSide(t testing.TB, name string, got, want side) {
	t.Helper()
	if got.burst, got.burstAt, got.since, got.came = 0, 0, 0, 0; got != want {
		t.Fatalf("%s: %+v, want %+v", name, got, want)
	}
}

func TestNewDestinationsFade(t *testing.T) {
	g := newGraph(t, roomy)
	const day = int64(24 * time.Hour)
	at := func(ref Ref, want float64) {
		t.Helper()
		if math.Abs(float64(ref.NewDestinations)-want) > 1e-5 {
			t.Errorf("%v new destinations at day %v, want %v", ref.NewDestinations, float64(ref.Time)/float64(day), want)
		}
	}
	at(g.observe1(event("a", "r", "x", day)), 0)
	at(g.observe1(event("a", "r", "x", 2*day)), 0.5)
	at(g.observe1(event("a", "q", "y", 2*day)), 0.5)
	at(g.look1(event("a", "q", "z", 2*day)), 1.5)
	at(g.look1(event("a", "q", "z", 4*day)), 0.375)
	at(g.observe1(event("a", "q", "late", day)), 1.5) // a late record counts as if it had come in time
	at(g.look1(event("a", "q", "z", 2*day)), 2)
	restored := newGraph(t, roomy)
	g.observe1(event("a", "r", "x", 9*day)) // the oldest edge is now the last seen
	restored.Restore(g.Snapshot())
	for _, d := range []int64{9, 10, 12} {
		e := event("a", "q", "z", d*day)
		at(restored.look1(e), float64(g.look1(e).NewDestinations))
	}
	at(g.look1(event("nobody", "q", "z", 2*day)), 0)
}

func TestNear(t *testing.T) {
	g := newGraph(t, roomy)
	ids := map[ID]string{}
	for _, e := range []Event{event("a", "r", "x", 1), event("a", "q", "x", 2), event("b", "r", "x", 3), event("a", "r", "y", 4), event("a", "r", "z", 5), event("x", "r", "a", 6)} {
		ref := g.observe1(e)
		ids[ref.Source], ids[ref.Destination] = string(e.Source), string(e.Destination)
	}
	id := func(name string) ID { return g.look1(event(name, "r", name, 1)).Source }
	near := func(of, except string, sources bool, n int) (names string) {
		out := make([]ID, n)
		for _, i := range out[:g.Near(id(of), sources, id(except), out)] {
			names += ids[i]
		}
		return names
	}
	for _, c := range []struct {
		of, except string
		sources    bool
		n          int
		want       string
	}{
		{"a", "", false, 4, "zyx"}, {"a", "y", false, 4, "zx"}, {"a", "", false, 2, "zy"}, {"x", "", true, 4, "ba"},
		{"x", "b", true, 4, "a"}, {"y", "a", true, 4, ""}, {"b", "x", false, 4, ""}, {"nobody", "", true, 4, ""},
	} {
		if got := near(c.of, c.except, c.sources, c.n); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if n := g.Near(ID{Slot: id("a").Slot, Gen: 99}, false, ID{}, make([]ID, 4)); n != 0 {
		t.Errorf("a dead ID has %d neighbours", n)
	}
}

func TestBoundsHoldUnderRandomEvents(t *testing.T) {
	cfg := Config{MaxNodes: 20, MaxRelations: 4, MaxEdges: 50, Window: 400}
	g := newGraph(t, cfg)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 30000 {
		g.observe1(randomEvent(rng, 40, 9, int64(i)-int64(rng.IntN(30))))
		if st := g.Stats(); st.Nodes > 20 || st.Relations > 4 || st.Edges > 50 {
			t.Fatalf("event %d: %+v is beyond %+v", i, st, cfg)
		}
		if i%500 == 0 {
			g.check(t)
		}
	}
	g.check(t)
}

func TestEvictionTakesTheLeastRecentlySeen(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 2, MaxEdges: 3})
	g.observe1(event("a", "r", "x", 1))
	g.observe1(event("b", "r", "x", 2))
	g.observe1(event("c", "r", "x", 3))
	g.observe1(event("a", "r", "x", 4)) // a is fresh again
	g.observe1(event("d", "r", "x", 5)) // b has to go
	for name, want := range map[string]uint32{"a": 2, "b": 0, "c": 1, "d": 1} {
		if got := g.look1(event(name, "r", "x", 0)).Counts; got.SRD != want || got.S != want {
			t.Errorf("%s counts %+v, want %d", name, got, want)
		}
	}
	g.observe1(event("a", "r2", "x", 6))
	g.observe1(event("a", "r3", "x", 7)) // a third relation: r goes with all its edges
	if got := g.look1(event("a", "r", "x", 0)); got.Relation != (ID{}) || got.Counts.SRD != 0 || got.Counts.SD != 2 {
		t.Errorf("after the relation went: %+v", got)
	}
	g.check(t)
}

// TestALargeNameGoesBitByBit: no event pays for all the edges of a name that has to go.
func TestALargeNameGoesBitByBit(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 1 << 12, MaxRelations: 2, MaxEdges: 1 << 12})
	const edges = 1000
	for i := range edges {
		g.observe1(event("h"+strconv.Itoa(i), "old", "x", int64(i)))
	}
	old := g.look1(event("h1", "old", "x", 0)).Relation
	g.observe1(event("h0", "new", "x", edges))
	most, events := uint64(0), 0
	for ; len(g.tombRelations) > 0 || events == 0; events++ {
		before := g.Stats().Evicted
		g.observe1(event("h"+strconv.Itoa(events), "newer", "x", int64(edges+events)))
		most = max(most, g.Stats().Evicted-before)
		if got := g.look1(event("h900", "old", "x", 0)); got.Relation != (ID{}) || got.Counts.SRD != 0 {
			t.Fatalf("the relation that was evicted is still known: %+v", got)
		}
		for _, e := range g.Snapshot().Edges {
			if e.First < edges-1 && e.Last < edges {
				t.Fatal("an edge of the dead relation is in a snapshot")
			}
		}
		g.check(t)
	}
	if most > sweepPerEvent || events < edges/sweepPerEvent {
		t.Errorf("%d events, up to %d edges gone with one", events, most)
	}
	if back := g.observe1(event("h1", "old", "x", 9999)); back.Relation == old || back.Counts.SR != 0 {
		t.Errorf("the relation came back as %+v, was %+v", back, old)
	}
	g.check(t)
}

func TestWindowForgetsByEventTime(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: time.Hour})
	at := func(d time.Duration) int64 { return int64(d) }
	g.observe1(event("a", "r", "x", at(0)))
	g.observe1(event("b", "r", "x", at(30*time.Minute)))
	g.observe1(event("c", "r", "x", at(61*time.Minute)))
	if st := g.Stats(); st.Edges != 2 || st.Evicted != 1 {
		t.Errorf("%+v, want the first edge gone", st)
	}
	// A late record does not turn the clock back, nor go at once.
	g.observe1(event("d", "r", "x", at(0)))
	if got := g.look1(event("d", "r", "x", 0)).Counts.SRD; got != 1 {
		t.Errorf("the late record counts %d", got)
	}
}

func TestAnIDDiesWithItsName(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: 5, MaxRelations: 2, MaxEdges: 100})
	g.observe1(event("a", "r", "x", 1))
	old := g.look1(event("a", "r", "x", 1)).Source
	for i := range 10 {
		g.observe1(event("n"+strconv.Itoa(i), "r", "x", int64(i)))
	}
	if got := g.look1(event("a", "r", "x", 0)).Source; got != (ID{}) {
		t.Errorf("a is still known as %+v", got)
	}
	back := g.observe1(event("a", "r", "x", 20)).Source
	if back == old || back == (ID{}) {
		t.Errorf("a came back as %+v, was %+v", back, old)
	}
	seen := map[ID]string{}
	for i := range 200 {
		name := "m" + strconv.Itoa(i)
		id := g.observe1(event(name, "r", "x", int64(i))).Source
		if other, ok := seen[id]; ok {
			t.Fatalf("%s and %s are both %+v", name, other, id)
		}
		seen[id] = name
	}
}

func TestLongNamesAreShortenedButDistinct(t *testing.T) {
	g := newGraph(t, roomy)
	long := strings.Repeat("x", 1<<20)
	g.observe1(event(long+"a", "r", "d", 1))
	g.observe1(event(long+"b", "r", "d", 1))
	if got := g.look1(event(long+"a", "r", "d", 1)).Counts; got.S != 1 || got.D != 2 {
		t.Errorf("%+v", got)
	}
	for _, n := range g.Snapshot().Nodes {
		if len(n.Name) > MaxName {
			t.Errorf("a name of %d bytes is kept", len(n.Name))
		}
	}
	exact := strings.Repeat("y", MaxName)
	g.observe1(event(exact, "r", "d", 1))
	if g.look1(event(exact, "r", "d", 1)).Counts.S != 1 {
		t.Error("a name of just the longest length is not found")
	}
}

func TestHostileNamesStayInBounds(t *testing.T) {
	cfg := Config{MaxNodes: 5000, MaxRelations: 100, MaxEdges: 20000}
	g := newGraph(t, cfg)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			g.observe1(event(fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255), fmt.Sprintf("SSH-2.0-x%d", i%10000), "server", int64(i)))
		}
	}
	flood(0, 50_000)
	full := heap()
	flood(50_000, 150_000)
	if st := g.Stats(); st.Nodes > cfg.MaxNodes || st.Relations > cfg.MaxRelations || st.Edges > cfg.MaxEdges {
		t.Errorf("%+v is beyond %+v", st, cfg)
	}
	if after := heap(); after > full+full/4 {
		t.Errorf("the heap went from %d to %d bytes while the graph was full", full, after)
	}
	g.check(t)
}

func TestConfigRefusesWhatCannotHold(t *testing.T) {
	for _, c := range []Config{{}, {MaxNodes: 5, MaxRelations: 2}, {MaxNodes: 4, MaxRelations: 2, MaxEdges: 1}, {MaxNodes: 5, MaxRelations: 2, MaxEdges: 1, Window: -1}} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "allowed") {
			t.Errorf("New(%+v): %v", c, err)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	events := notebook(b)
	refs := make([]Ref, len(events))
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			g := newGraph(b, roomy)
			g.Observe(events, refs)
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; i < len(events); i += batch {
					end := min(i+batch, len(events))
					g.Observe(events[i:end], refs[i:end])
				}
			}
			b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkMemoryPerEdge(b *testing.B) {
	const edges = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		g := newGraph(b, roomy)
		rng := rand.New(rand.NewPCG(5, 6))
		var buf [3]bytes.Buffer
		var slowest time.Duration
		for g.live() < edges {
			for i := range buf {
				buf[i].Reset()
			}
			fmt.Fprintf(&buf[0], "10.0.%d", rng.IntN(50_000))
			fmt.Fprintf(&buf[1], "client-%d", rng.IntN(50))
			fmt.Fprintf(&buf[2], "10.1.%d", rng.IntN(50_000))
			start := time.Now()
			g.observe1(Event{buf[0].Bytes(), buf[1].Bytes(), buf[2].Bytes(), 1})
			slowest = max(slowest, time.Since(start))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/edges, "bytes/edge")
		runtime.KeepAlive(g)
	}
}

// An event of two new hosts keeps both, however few there may be.
func TestBothHostsOfAnEventStay(t *testing.T) {
	g := newGraph(t, Config{MaxNodes: leastNodes, MaxRelations: 2, MaxEdges: 100})
	var at int64
	see := func(source, destination string) Ref {
		at += protectedAfter
		refs := make([]Ref, 1)
		g.Observe([]Event{{Source: []byte(source), Relation: []byte("r"), Destination: []byte(destination), Time: at}}, refs)
		return refs[0]
	}
	for range 3 {
		for i := 1; i < leastNodes; i++ {
			see("h0", fmt.Sprint("h", i))
		}
	}
	ref := see("x", "y")
	if s, d := g.HostName(ref.Source), g.HostName(ref.Destination); s != "x" || d != "y" {
		t.Errorf("%q -> %q, want x -> y", s, d)
	}
}

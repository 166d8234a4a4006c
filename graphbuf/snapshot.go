package graphbuf

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Snapshot is the graph at one moment, for whoever wants to read it at leisure.
// It shares nothing that changes.
type Snapshot struct {
	Nodes     []Name        // by name
	Relations []Name        // by name
	Edges     []Edge        // of Graph.Snapshot: by First, then by Source, Relation, Destination
	Aged      bool          // the edges' ages are known
	Lived     time.Duration // as in Stats; of Graph.Snapshot alone

	// Of the edges' activity: the length of a bucket in nanoseconds, 0 where it is not known, and when the bucket began
	// in which the snapshot was taken, unix nanoseconds of event time.
	Bucket, Begun int64
}

// Name is a host or a relation and the ID under which the graph knows it.
type Name struct {
	Name string
	ID   ID
}

// Edge is a distinct triplet; its ends are indices into Nodes and Relations.
type Edge struct {
	Source, Relation, Destination int32
	Count                         uint32 // events, at least 1
	First, Last                   int64  // unix nanoseconds of event time
	Age                           int64  // nanoseconds in which the graph went on since it was last seen
	Active                        uint64 // bit i: it was seen in the bucket i before the snapshot's; the highest bit: then or earlier
}

// snapshotBlock is how many slots are copied under one lock: well below a millisecond,
// which a writer may wait without anybody noticing.
const snapshotBlock = 4096

// kept is an edge of the graph as it was copied under the lock, with the generations of its names.
type kept struct {
	edge
	age                    int64
	srcGen, relGen, dstGen uint32
}

// keep copies an edge. The lock is held.
func (g *Graph) keep(i uint32) kept {
	e := *g.edges.at(i)
	return kept{e, g.clock.age(e.seen), g.nodes.slots.at(e.src).gen, g.relations.slots.at(e.rel).gen, g.nodes.slots.at(e.dst).gen}
}

// disorder is by how much a date may lie before its name was known and still be believed in another graph: logs are
// rarely in order to the minute.
const disorder = int64(time.Hour)

// keepKnown copies an edge for another graph, which has nothing but its times to tell how old its names are: where this
// graph does not believe what dates say of that (see fill), the edge begins no earlier than its names were known. The
// lock is held.
func (g *Graph) keepKnown(i uint32) kept {
	k := g.keep(i)
	if g.cfg.Trusted && !g.lateness.usual() {
		known := max(g.source.at(k.src).came, g.relation.at(k.rel).came, g.destination.at(k.dst).came)
		if since(known, k.first) > disorder {
			k.first, k.last = known, max(k.last, known)
		}
	}
	return k
}

// edgeOf is a copied edge in the numbering of the snapshot's names, by slot of which node and relation are. It is false
// where a name died on the way, came after the names were copied, or has a slot that was someone else's then.
func (s *Snapshot) edgeOf(k *kept, node, relation []int32, b *buckets, now int64) (e Edge, ok bool) {
	if int(max(k.src, k.dst)) >= len(node) || int(k.rel) >= len(relation) {
		return Edge{}, false
	}
	e = Edge{Source: node[k.src], Relation: relation[k.rel], Destination: node[k.dst], Count: k.count, First: k.first, Last: k.last, Age: k.age, Active: k.activity.at(b, now)}
	ok = e.Source >= 0 && e.Relation >= 0 && e.Destination >= 0 &&
		s.Nodes[e.Source].ID.Gen == k.srcGen && s.Nodes[e.Destination].ID.Gen == k.dstGen && s.Relations[e.Relation].ID.Gen == k.relGen
	return e, ok
}

// Snapshot copies the graph block by block, so that writers go on meanwhile. What
// is evicted while it runs may be in it or not; every edge in it has both of its ends.
func (g *Graph) Snapshot() *Snapshot {
	g.whole.RLock()
	defer g.whole.RUnlock()
	// Memory is asked for before the lock is taken: to clear as much takes longer than any
	// writer may wait. What comes meanwhile finds room in the reserve.
	before := g.Stats()
	s := &Snapshot{Aged: true, Lived: before.Lived}
	g.mu.Lock()
	now, b := g.clock.lived, g.buckets
	s.Bucket, s.Begun = b.length(), g.clock.now-now%b.length()
	g.mu.Unlock()
	raw := make([]kept, 0, before.Edges+before.Edges/8+snapshotBlock)
	g.inBlocks(g.edgeSlots, func(i uint32) {
		if g.edges.at(i).src != 0 {
			raw = append(raw, g.keep(i))
		}
	}, nil)
	var node, relation []int32
	s.Nodes, node = g.copyNames(&g.nodes)
	s.Relations, relation = g.copyNames(&g.relations)
	moved := g.Stats().Evicted - before.Evicted

	s.Edges = make([]Edge, 0, len(raw))
	for i := range raw {
		if e, ok := s.edgeOf(&raw[i], node, relation, &b, now); ok {
			s.Edges = append(s.Edges, e)
		}
	}
	if moved > 0 {
		s.dedupe()
	}
	slices.SortFunc(s.Edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.First, b.First), compareTriplets(a, b))
	})
	return s
}

// copyNames returns the live names and, by slot, their indices there (-1: none).
func (g *Graph) copyNames(n *names) (out []Name, at []int32) {
	g.mu.Lock()
	slots := n.slots.len() + n.slots.len()/8 + snapshotBlock
	g.mu.Unlock()
	out, at = make([]Name, 0, slots), make([]int32, 0, slots)
	g.inBlocks(func() int { return n.slots.len() }, func(i uint32) {
		at = append(at, -1)
		if s := n.slots.at(i); s.uses > 0 && !s.dead {
			out = append(out, Name{s.name, ID{i, s.gen}})
		}
	}, nil)
	slices.SortFunc(out, func(a, b Name) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.Slot, b.ID.Slot)) })
	for i, name := range out {
		at[name.ID.Slot] = int32(i)
	}
	return out, at
}

// inBlocks calls do for each slot below length, with the lock held for a block of slots at a time, and after, unless
// nil, without it behind each block. Blocks begin at multiples of snapshotBlock.
func (g *Graph) inBlocks(length func() int, do func(i uint32), after func()) {
	block := func(i int) (end int, more bool) {
		g.mu.Lock()
		defer g.mu.Unlock()
		for end = min(i+snapshotBlock, length()); i < end; i++ {
			do(uint32(i))
		}
		return end, end < length()
	}
	for i, more := 0, true; more; {
		i, more = block(i)
		if after != nil {
			after()
		}
	}
}

// edgeSlots is the number of slots of edges, used or not. The lock is held.
func (g *Graph) edgeSlots() int { return g.edges.len() }

// nameLooks is for how many edges names are looked up under one lock.
const nameLooks = 128

// nameEdges gives a snapshot n copied edges, of which an edge whose names are gone by now is left out, and their names
// alone. add, unless nil, adds to each edge what a copy has beside its names, count and times.
func (g *Graph) nameEdges(s *Snapshot, n int, copied func(i int) *kept, add func(k *kept, e *Edge)) {
	nodes, relations := map[ID]string{}, map[ID]string{}
	look := func(from, to int) {
		g.mu.Lock()
		defer g.mu.Unlock()
		for i := from; i < to; i++ {
			k := copied(i)
			g.nodes.tell(nodes, ID{k.src, k.srcGen})
			g.nodes.tell(nodes, ID{k.dst, k.dstGen})
			g.relations.tell(relations, ID{k.rel, k.relGen})
		}
	}
	for i := 0; i < n; i += nameLooks {
		look(i, min(i+nameLooks, n))
	}
	var node, relation map[ID]int32
	s.Nodes, node = sortNames(nodes)
	s.Relations, relation = sortNames(relations)
	s.Edges = make([]Edge, 0, n)
	for i := range n {
		k := copied(i)
		src, haveS := node[ID{k.src, k.srcGen}]
		dst, haveD := node[ID{k.dst, k.dstGen}]
		rel, haveR := relation[ID{k.rel, k.relGen}]
		if !haveS || !haveD || !haveR {
			continue
		}
		e := Edge{Source: src, Relation: rel, Destination: dst, Count: k.count, First: k.first, Last: k.last}
		if add != nil {
			add(k, &e)
		}
		s.Edges = append(s.Edges, e)
	}
	s.dedupe()
}

// tell enters the name of a live ID.
func (n *names) tell(into map[ID]string, id ID) {
	if s := n.slots.at(id.Slot); s.gen == id.Gen && !s.dead {
		into[id] = s.name
	}
}

// sortNames lists names by name, and says where each ID went.
func sortNames(names map[ID]string) (list []Name, at map[ID]int32) {
	list, at = make([]Name, 0, len(names)), make(map[ID]int32, len(names))
	for id, name := range names {
		list = append(list, Name{name, id})
	}
	slices.SortFunc(list, func(a, b Name) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.Slot, b.ID.Slot)) })
	for i := range list {
		at[list[i].ID] = int32(i)
	}
	return list, at
}

// dedupe keeps the later copy of a triplet that was evicted and came back during the copying.
func (s *Snapshot) dedupe() {
	slices.SortFunc(s.Edges, func(a, b Edge) int {
		return cmp.Or(compareTriplets(a, b), cmp.Compare(b.Last, a.Last))
	})
	s.Edges = slices.CompactFunc(s.Edges, func(a, b Edge) bool { return compareTriplets(a, b) == 0 })
}

func compareTriplets(a, b Edge) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Destination, b.Destination))
}

// Restore adds a snapshot's edges to the graph, the oldest first, within the
// graph's own bounds. IDs are new ones. In a graph whose time is ahead of the
// snapshot's the edges are older by as much. It returns how many edges are older
// than the window and left out.
func (g *Graph) Restore(s *Snapshot) (tooOld int) {
	order := s.bySight()
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh := g.live() == 0
	behind := g.clock.behind(s)
	age := func(i int32) int64 { return add(s.Edges[i].Age, behind) }
	if !s.Aged {
		ages := g.clock.agesOf(s, order)
		age = func(i int32) int64 { return add(ages[i], behind) }
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(age(b), age(a)) })
	for _, i := range order {
		g.clock.believe(s.Edges[i].Last)
	}
	g.restoreBuckets(s, age, behind)
	met := &meetings{}
	if g.ledger != nil {
		met = &g.ledger.met
	} else {
		met.addAll(g)
	}
	for _, i := range order {
		e := &s.Edges[i]
		if g.cfg.Window > 0 && age(i) > int64(g.cfg.Window) {
			tooOld++
			continue
		}
		g.restoreEdge(s, e, age(i), behind, fresh, met)
	}
	for len(g.tombNodes)+len(g.tombRelations) > 0 {
		g.sweep()
	}
	g.orderRings()
	g.stats = Stats{}
	return tooOld
}

// bySight are the indices of the edges in the order in which they were last seen.
func (s *Snapshot) bySight() []int32 {
	order := make([]int32, len(s.Edges))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(s.Edges[a].Last, s.Edges[b].Last) })
	return order
}

// restoreEdge adds an edge of a snapshot that was taken as long ago as behind says. fresh says that there was nothing in
// the graph before the snapshot. met keeps when pairs first met. The lock is held.
func (g *Graph) restoreEdge(s *Snapshot, e *Edge, age, behind int64, fresh bool, met *meetings) {
	var before Ref
	event := Event{
		Source:      []byte(s.Nodes[e.Source].Name),
		Relation:    []byte(s.Relations[e.Relation].Name),
		Destination: []byte(s.Nodes[e.Destination].Name),
		Time:        e.First,
	}
	twin := g.findEdge(&event)
	if fresh && twin != 0 {
		// A triplet that was evicted and came back while the graph was saved is there twice: the later one is right.
		g.evict(twin)
		twin = 0
	}
	g.lateness.count(uint64(e.Count), false, &g.clock)
	slot := g.put(&before, &event, e.Count, e.Last, age, recorded)
	p := g.parts(slot)
	p.edge.activity.join(g.activityOf(s, e, age, behind))
	if twin == 0 && p.sd.edges == 1 { // the pair is new
		*met.of(p.edge.sd) = e.First
	}
	met.earlier(&p, e.First) // the edge that was seen last may be the pair's first
}

// orderRings puts the newest edges of each name first, as they are where events came in their order.
func (g *Graph) orderRings() {
	slots := make([]uint32, 0, g.live())
	for i := range uint32(g.edges.len()) {
		if g.edges.at(i).src != 0 {
			slots = append(slots, i)
		}
	}
	slices.SortFunc(slots, func(a, b uint32) int {
		x, y := g.edges.at(a), g.edges.at(b)
		return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(x.last, y.last))
	})
	for _, i := range slots {
		e := g.edges.at(i)
		g.bySource.moveToFront(e.src, i)
		g.byDestination.moveToFront(e.dst, i)
		g.byRel.moveToFront(e.rel, i)
	}
}

// restoreBuckets makes the graph's buckets long enough for those of a snapshot.
func (g *Graph) restoreBuckets(s *Snapshot, age func(i int32) int64, behind int64) {
	b := &g.buckets
	level, _ := levelOf(s.Bucket)
	b.level = max(b.level, level)
	begin := g.clock.lived
	for i := range s.Edges {
		e := &s.Edges[i]
		begin = min(begin, g.clock.lived-age(int32(i))-since(e.Last, e.First))
		if s.Bucket > 0 {
			begin = max(begin, g.clock.lived-behind-(activityBits-1)*s.Bucket)
		}
	}
	if b.first == 0 || begin < b.first {
		b.first = begin
	}
	b.reach(g.clock.lived)
}

// activityOf is the activity of a snapshot's edge of such an age, as the graph keeps it. The snapshot lies behind it.
func (g *Graph) activityOf(s *Snapshot, e *Edge, age, behind int64) (a activity) {
	b := &g.buckets
	if s.Bucket == 0 || e.Active == 0 {
		last := g.clock.lived - age
		a = spread(min(b.at(last-since(e.Last, e.First)), b.at(last)), b.at(last), e.Count)
		a.level = b.level
		return a
	}
	own := buckets{}
	own.level, _ = levelOf(s.Bucket)
	// The graph may be behind the snapshot: the triplet that was seen last is gone.
	ahead := max(0, since(s.Begun+s.Bucket/2, g.clock.now-g.clock.lived%own.length())/own.length())
	first := bits.TrailingZeros64(e.Active)
	a = activity{e.Active >> first, own.at(g.clock.lived-behind) + int32(ahead) - int32(first), own.level}
	a.raise(b.level)
	return a
}

// behind is for how long the clock had gone on since a snapshot was taken: 0 where that is ahead.
func (c *clock) behind(s *Snapshot) int64 {
	if !c.begun || len(s.Edges) == 0 {
		return 0
	}
	taken := int64(math.MinInt64)
	if s.active() {
		taken = s.Begun
	}
	for i := range s.Edges {
		taken = max(taken, s.Edges[i].Last)
	}
	return c.counted(max(0, since(c.now, taken)))
}

// agesOf returns the ages of edges that carry none, as if the graph had gone on with their last sights
// only, which are given in order.
func (c *clock) agesOf(s *Snapshot, order []int32) []int64 {
	ages := make([]int64, len(order))
	for j := len(order) - 2; j >= 0; j-- {
		i, next := order[j], order[j+1]
		ages[i] = add(ages[next], min(since(s.Edges[next].Last, s.Edges[i].Last), c.step))
	}
	return ages
}

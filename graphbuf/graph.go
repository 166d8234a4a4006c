// Package graphbuf keeps who talked to whom: a directed multigraph of distinct
// (source, relation, destination) triplets with their event counts and times,
// bounded in nodes, relations, edges and age.
//
// It owns names, ids, counts, eviction and snapshots. It knows no model, no
// record format and no file: a Snapshot encodes itself to bytes, and whoever
// keeps state decides where those go.
package graphbuf

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Config bounds a Graph. What goes beyond a bound pushes out what was seen
// longest ago, so a flood of new names costs a fixed amount of memory.
type Config struct {
	MaxNodes     int           // distinct hosts, at least 4
	MaxRelations int           // distinct relations, at least 2
	MaxEdges     int           // distinct triplets, at least 1
	Window       time.Duration // age at which an edge may go, in event time; 0: never for its age
}

// Validate reports the first bound that cannot hold a graph.
func (c Config) Validate() error {
	for _, b := range []struct {
		name       string
		value, min int
	}{
		{"MaxNodes", c.MaxNodes, 4},
		{"MaxRelations", c.MaxRelations, 2},
		{"MaxEdges", c.MaxEdges, 1},
	} {
		if b.value < b.min || b.value > maxSlots {
			return fmt.Errorf("graphbuf: %s is %d, allowed are %d to %d", b.name, b.value, b.min, maxSlots)
		}
	}
	if c.Window < 0 {
		return fmt.Errorf("graphbuf: Window is %v, allowed are 0 (no limit) and more", c.Window)
	}
	return nil
}

// maxSlots leaves the sign bit of an int32 link free for list heads.
const maxSlots = 1<<31 - 2

// ID names a node or a relation for as long as it is remembered. A slot is used
// again after eviction, under another generation: an ID kept from before then
// equals no live one. The zero ID is nobody's.
type ID struct{ Slot, Gen uint32 }

// Counts are what was seen so far that agrees with a triplet in some of its parts:
// first events, then how many different neighbours. They are sums over the edges that
// the graph still holds.
type Counts struct {
	SRD uint32 // this source, relation and destination
	SD  uint32 // this source and destination
	SR  uint32 // this source and relation
	RD  uint32 // this relation and destination
	S   uint32 // this source, as a source
	D   uint32 // this destination, as a destination
	R   uint32 // this relation

	DestinationsOfS, RelationsOfS uint32
	SourcesOfD                    uint32
	SourcesOfR                    uint32
}

// Event is one session. The names are read during the call only.
type Event struct {
	Source, Relation, Destination []byte
	Time                          int64 // unix nanoseconds
}

// Ref is what the graph knew of an Event just before that event happened.
// An ID is zero where the name is unknown (Look), and new where it just came (Observe).
type Ref struct {
	Source, Relation, Destination ID
	Edge                          uint32 // the triplet's slot, 0 when it was not held; later another one's, perhaps
	Counts                        Counts
	Time                          int64 // of the event
	SourceSince                   int64 // when the source first came, as a source; the time of the event if it is new
	// Destinations that are new to the source, each fading by half in a day: a host
	// that moves through the network has many, most hosts have less than one.
	NewDestinations float32
}

// Graph is safe for many writers and readers at a time.
type Graph struct {
	cfg Config

	// mu guards everything below. It is held for one batch of events, for one
	// block of a snapshot, or for one read of Stats.
	mu        sync.Mutex
	nodes     names
	relations names
	source    slab[side] // by node slot: as a source
	target    slab[side] // by node slot: as a destination
	relation  slab[side] // by relation slot
	edges     pool[edge]
	triplets  index
	sd, sr    pairs
	rd        pairs
	byAge     list // newcomers and regulars; the least recently seen edge of a ring is its last
	regular   int  // edges that are regulars
	bySource  list // heads by node slot
	byTarget  list // heads by node slot
	byRel     list // heads by relation slot
	clock     clock
	stats     Stats
	// Slots of names that were given up and still have edges, the latest last.
	dyingNodes, dyingRelations []uint32
	long                       [3][MaxName]byte // see shorten
}

// edge is one distinct triplet. Names and pairs are slots of their tables.
type edge struct {
	src, rel, dst uint32
	sd, sr, rd    uint32
	count         uint32
	first, last   int64 // unix nanoseconds of event time
}

// Stats are the sizes of a Graph and what it has done since New or Restore.
type Stats struct {
	Nodes, Relations, Edges int
	Events                  uint64 // observed
	NewEdges                uint64 // triplets that were not held when they came
	Evicted                 uint64 // edges given up for a bound or for their age
}

// New returns an empty graph.
func New(cfg Config) (*Graph, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Graph{
		cfg:       cfg,
		clock:     newClock(cfg.Window),
		nodes:     newNames(),
		relations: newNames(),
		source:    newSlab[side](1),
		target:    newSlab[side](1),
		relation:  newSlab[side](1),
		edges:     newPool[edge](),
		sd:        newPairs(),
		sr:        newPairs(),
		rd:        newPairs(),
		byAge:     newList(2, 1000),
		bySource:  newList(1, 1060),
		byTarget:  newList(1, 1120),
		byRel:     newList(1, 1190),
	}, nil
}

// Observe counts the events in order and stores in refs[i] what was known just
// before events[i]. refs must be as long as events. One call is one lock: hand
// over batches, not more than some hundred events so that others get their turn.
func (g *Graph) Observe(events []Event, refs []Ref) { g.ObserveUntil(events, refs, nil) }

// ObserveUntil is Observe up to and with the first event for which stop, unless nil, holds. It
// returns how many that were.
func (g *Graph) ObserveUntil(events []Event, refs []Ref, stop func(*Ref) bool) (n int) {
	refs = refs[:len(events)]
	g.mu.Lock()
	defer g.mu.Unlock()
	for n < len(events) {
		g.add(&refs[n], &events[n], 1, events[n].Time)
		n++
		if stop != nil && stop(&refs[n-1]) {
			break
		}
	}
	g.stats.Events += uint64(n)
	return n
}

// Look stores what is known of the events and changes nothing.
func (g *Graph) Look(events []Event, refs []Ref) {
	refs = refs[:len(events)]
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range events {
		e := &events[i]
		if e.long() {
			short := g.shorten(e)
			e = &short
		}
		if edge := g.findEdge(e); edge != 0 {
			p := g.parts(edge)
			g.tell(&refs[i], edge, p.edge.src, p.edge.rel, p.edge.dst, &p, e.Time)
			continue
		}
		s, d := g.nodes.find(e.Source), g.nodes.find(e.Destination)
		r := g.relations.find(e.Relation)
		p := g.unheld(s, r, d)
		g.tell(&refs[i], 0, s, r, d, &p, e.Time)
	}
}

// Near stores in out destinations of a source (or, with sources, sources of a destination),
// each once and those that came last first, leaving out one; it returns how many. It looks at a
// few edges only, so it is for names that are new.
func (g *Graph) Near(of ID, sources bool, except ID, out []ID) int {
	const edgesPerName = 4 // looked at for each that is asked for: a pair may have many relations
	g.mu.Lock()
	defer g.mu.Unlock()
	if of.Slot == 0 || int(of.Slot) >= g.source.len() || g.nodes.slots.at(of.Slot).gen != of.Gen {
		return 0
	}
	ring := &g.bySource
	if sources {
		ring = &g.byTarget
	}
	n := 0
	next := ring.head[of.Slot].next
	for range edgesPerName * len(out) {
		if next < 0 || n == len(out) {
			break
		}
		e := g.edges.at(uint32(next))
		id := g.nodes.id(e.dst)
		if sources {
			id = g.nodes.id(e.src)
		}
		if id != except && !slices.Contains(out[:n], id) {
			out[n] = id
			n++
		}
		next = ring.item[next].next
	}
	return n
}

// Stats returns sizes and totals.
func (g *Graph) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stats
	st.Nodes, st.Relations, st.Edges = g.nodes.live, g.relations.live, g.live()
	return st
}

func (g *Graph) live() int { return g.edges.used() }

// add counts n events of one triplet between times e.Time and last, and
// stores in ref what was known before.
func (g *Graph) add(ref *Ref, e *Event, n uint32, last int64) {
	g.expire(last)
	g.sweep()
	if e.long() {
		short := g.shorten(e)
		e = &short
	}
	i := g.findEdge(e)
	if i == 0 {
		g.addNew(ref, e, n, last)
		return
	}
	p := g.parts(i)
	s, r, d := p.edge.src, p.edge.rel, p.edge.dst
	g.nodes.touch(s)
	g.nodes.touch(d)
	g.relations.touch(r)
	g.tell(ref, i, s, r, d, &p, e.Time)
	g.count(i, &p, e, n, last)
}

// addNew is add for a triplet that is not held.
func (g *Graph) addNew(ref *Ref, e *Event, n uint32, last int64) {
	s := g.pinNode(e.Source)
	d := g.pinNode(e.Destination)
	r := g.pinRelation(e.Relation)
	p := g.unheld(s, r, d)
	g.tell(ref, 0, s, r, d, &p, e.Time)
	i := g.newEdge(s, r, d, e.Time)
	g.byAge.pushFront(newcomers, i)
	p = g.parts(i)
	g.count(i, &p, e, n, last)
	// The names were pinned against eviction while their edge was made.
	g.nodes.uses(s, -1)
	g.nodes.uses(d, -1)
	g.relations.uses(r, -1)
}

// parts are all that the events of a triplet count for.
type parts struct {
	edge          *edge
	sd, sr, rd    *pair
	src, rel, dst *side
}

// parts returns those of an edge.
func (g *Graph) parts(i uint32) parts {
	e := g.edges.at(i)
	return parts{
		edge: e, sd: g.sd.slots.at(e.sd), sr: g.sr.slots.at(e.sr), rd: g.rd.slots.at(e.rd),
		src: g.source.at(e.src), rel: g.relation.at(e.rel), dst: g.target.at(e.dst),
	}
}

// unheld returns those of a triplet that is not held; slots are 0 where a name is unknown, and what
// is not there has counted nothing.
func (g *Graph) unheld(s, r, d uint32) parts {
	return parts{
		edge: g.edges.at(0), sd: g.sd.get(s, d), sr: g.sr.get(s, r), rd: g.rd.get(r, d),
		src: g.source.at(s), rel: g.relation.at(r), dst: g.target.at(d),
	}
}

// count adds n events between times e.Time and last to edge i and the parts that are its.
func (g *Graph) count(i uint32, p *parts, e *Event, n uint32, last int64) {
	ed := p.edge
	was := ed.regular()
	ed.see(e.Time, last, &g.clock, int64(g.cfg.Window))
	ring := uint32(newcomers)
	if ed.regular() {
		ring = regulars
		if !was {
			g.promote(ed)
		}
	}
	g.byAge.moveToFront(ring, i)
	count := func(c *uint32) { *c = addSat(*c, n) }
	count(&ed.count)
	count(&p.sd.count)
	count(&p.sr.count)
	count(&p.rd.count)
	count(&p.src.events)
	count(&p.dst.events)
	count(&p.rel.events)
}

// pinNode returns the slot of a host, made and pinned. Making it may push out the
// host that was seen longest ago, with its edges.
func (g *Graph) pinNode(name []byte) uint32 {
	s := g.nodes.find(name)
	if s == 0 {
		if g.nodes.live >= g.cfg.MaxNodes {
			g.giveUp(&g.nodes, g.cfg.MaxNodes, &g.dyingNodes)
		}
		s = g.nodes.add(name)
		if int(s) == g.source.len() {
			g.source.add()
			g.target.add()
			g.bySource.addHead()
			g.byTarget.addHead()
		}
		*g.source.at(s), *g.target.at(s) = side{}, side{}
	}
	g.nodes.touch(s)
	g.nodes.uses(s, +1)
	return s
}

// pinRelation returns the slot of a relation, made and pinned.
func (g *Graph) pinRelation(name []byte) uint32 {
	r := g.relations.find(name)
	if r == 0 {
		if g.relations.live >= g.cfg.MaxRelations {
			g.giveUp(&g.relations, g.cfg.MaxRelations, &g.dyingRelations)
		}
		r = g.relations.add(name)
		if int(r) == g.relation.len() {
			g.relation.add()
			g.byRel.addHead()
		}
		*g.relation.at(r) = side{}
	}
	g.relations.touch(r)
	g.relations.uses(r, +1)
	return r
}

// long tells whether a name of the event is too long to be kept as it is.
func (e *Event) long() bool { return max(len(e.Source), len(e.Relation), len(e.Destination)) > MaxName }

// shorten returns the event with its names as they are kept. It holds until the next call.
func (g *Graph) shorten(e *Event) Event {
	short := *e
	for i, name := range []*[]byte{&short.Source, &short.Relation, &short.Destination} {
		if len(*name) > MaxName {
			*name = shortened(&g.long[i], *name)
		}
	}
	return short
}

// findEdge returns the edge of an event's triplet by its names, 0 when it is not held.
func (g *Graph) findEdge(e *Event) uint32 {
	return g.triplets.find(hash3(hashName(e.Source), hashName(e.Relation), hashName(e.Destination)), func(i uint32) bool {
		ed := g.edges.at(i)
		return g.nodes.is(ed.src, e.Source) && g.nodes.is(ed.dst, e.Destination) && g.relations.is(ed.rel, e.Relation)
	})
}

// hashEdge is the hash by which findEdge finds an edge, as long as its names live.
func (g *Graph) hashEdge(e *edge) uint32 {
	return hash3(g.nodes.slots.at(e.src).hash, g.relations.slots.at(e.rel).hash, g.nodes.slots.at(e.dst).hash)
}

func (g *Graph) newEdge(s, r, d uint32, t int64) uint32 {
	if g.live() >= g.cfg.MaxEdges {
		g.evict(g.byAge.back(ring(g.live(), g.regular, g.cfg.MaxEdges)))
	}
	i, fresh := g.edges.take()
	if fresh {
		for _, l := range []*list{&g.byAge, &g.bySource, &g.byTarget, &g.byRel} {
			l.addItem()
		}
	}
	e := edge{src: s, rel: r, dst: d, first: t, last: t}
	if e.sd, fresh = g.sd.acquire(s, d); fresh {
		src := g.source.at(s)
		if src.neighbours++; src.neighbours == 1 || t < src.since {
			src.since = t
		}
		src.meet(t, &g.clock)
		g.target.at(d).neighbours++
	}
	if e.sr, fresh = g.sr.acquire(s, r); fresh {
		g.source.at(s).relations++
		g.relation.at(r).neighbours++
	}
	e.rd, _ = g.rd.acquire(r, d)
	*g.edges.at(i) = e
	g.triplets.add(g.hashEdge(&e), i)
	g.bySource.pushFront(s, i)
	g.byTarget.pushFront(d, i)
	g.byRel.pushFront(r, i)
	g.nodes.uses(s, +1)
	g.nodes.uses(d, +1)
	g.relations.uses(r, +1)
	g.stats.NewEdges++
	return i
}

// tell stores in ref what is known at t. Slots are 0 where a name is unknown, or the edge is not held.
func (g *Graph) tell(ref *Ref, edge, s, r, d uint32, p *parts, t int64) {
	ref.Source, ref.Relation, ref.Destination, ref.Edge = g.nodes.id(s), g.relations.id(r), g.nodes.id(d), edge
	c := &ref.Counts
	c.SRD, c.SD, c.SR, c.RD = p.edge.count, p.sd.count, p.sr.count, p.rd.count
	c.S, c.D, c.R = p.src.events, p.dst.events, p.rel.events
	c.DestinationsOfS, c.RelationsOfS = p.src.neighbours, p.src.relations
	c.SourcesOfD, c.SourcesOfR = p.dst.neighbours, p.rel.neighbours
	ref.Time, ref.SourceSince = t, t
	if p.src.events > 0 {
		ref.SourceSince = min(t, p.src.since)
	}
	ref.NewDestinations = p.src.fade(t, &g.clock)
}

// addSat adds and stays at the largest count instead of wrapping to a small one.
func addSat(a, n uint32) uint32 {
	if a+n < a {
		return ^uint32(0)
	}
	return a + n
}

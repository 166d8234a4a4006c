package graphbuf

import (
	"bytes"
	"time"
)

// add counts an event, and stores in ref what was known before.
func (g *Graph) add(ref *Ref, e *Event) {
	at, old := g.clock.see(e.Time)
	if at != e.Time {
		g.stats.Doubted++
		g.stats.DoubtedTime = e.Time
		taken := *e
		taken.Time = at
		e = &taken
	}
	if old {
		g.stats.Old++
		g.stats.OldTime = e.Time
	}
	g.expire()
	age := since(g.clock.now, at)
	g.lateness.count(1, age > leastLeap, &g.clock)
	g.buckets.reach(g.clock.lived)
	how := current
	if old {
		how = late
	}
	i := g.put(ref, e, 1, at, age, how)
	if i == 0 {
		return
	}
	g.edges.at(i).activity.mark(g.buckets.at(g.clock.lived - max(age, 0)))
	if g.ledger != nil {
		g.ledger.count(i, g.ledger.sliceOf(at), 1)
	}
	if g.journal != nil {
		g.journal.note(i, at)
	}
}

// arrival is how events come to the graph.
type arrival uint8

const (
	current arrival = iota
	// As current, but from a snapshot or by another counter: their times are right.
	recorded
	// Of the past, by more than a leap: they change no time, and what is new of them is the first to go.
	late
	// Of the past, by another counter, the latest first: their times are right, and what is new of them is older than
	// all that is held.
	backfilled
)

// isCurrent says that what came takes the place of what was seen longest ago.
func (how arrival) isCurrent() bool { return how <= recorded }

// times are those of the names of events between first and last, the last of them such an age ago. The time in an event
// that just came makes no name older: it came when the event did.
func (c *clock) times(first, last, age int64, how arrival) times {
	const minute = int64(time.Minute)
	if how == current || how == late {
		return times{uint32(c.lived / minute), uint32(c.lived / minute)}
	}
	seen := max(0, c.lived-max(0, age))
	return times{uint32(max(0, seen-max(0, since(last, first))) / minute), uint32(seen / minute)}
}

// put counts n events of one triplet between times e.Time and last, the last of them such an age ago, and stores in ref
// what was known before. Those that are not current take no place of another. It returns the edge, whose activity is at
// the graph's level, for the caller to mark: 0, where there is no room.
func (g *Graph) put(ref *Ref, e *Event, n uint32, last, age int64, how arrival) uint32 {
	g.sweep()
	if e.long() {
		short := g.shorten(e)
		e = &short
	}
	i := g.findEdge(e)
	if i == 0 {
		return g.putNew(ref, e, n, last, age, how)
	}
	p := g.parts(i)
	g.fill(ref, i, p.edge.src, p.edge.rel, p.edge.dst, &p, e.Time)
	g.putAgain(i, &p, e, n, last, age, how)
	return i
}

// putAgain is put for edge i, which is held, and stores nothing.
func (g *Graph) putAgain(i uint32, p *parts, e *Event, n uint32, last, age int64, how arrival) {
	t := g.clock.times(e.Time, last, age, how)
	g.nodes.see(p.edge.src, how, t)
	g.nodes.see(p.edge.dst, how, t)
	g.relations.see(p.edge.rel, how, t)
	g.count(i, p, e, n, last, age, how)
}

// putNew is put for a triplet that is not held. It returns its edge, 0 where one that is not current has no room.
func (g *Graph) putNew(ref *Ref, e *Event, n uint32, last, age int64, how arrival) uint32 {
	if !how.isCurrent() && !g.hasRoom(e, age) {
		if w := int64(g.cfg.Window); how == late && w > 0 && age > w {
			g.stats.Outside++
		}
		g.look(ref, e)
		return 0
	}
	t := g.clock.times(e.Time, last, age, how)
	quiet := g.quiet(g.nodes.find(e.Source), e.Time) // until it comes now
	s := g.pinNode(e.Source, how, t, 0)
	d := g.pinNode(e.Destination, how, t, s)
	r := g.pinRelation(e.Relation, how, t)
	p := g.unheld(s, r, d)
	g.fill(ref, 0, s, r, d, &p, e.Time)
	ref.HostQuiet = quiet
	learned := e.Time
	if how == current || how == late {
		learned = g.clock.now
	}
	i := g.newEdge(s, r, d, e.Time, learned, g.clock.stamp(age))
	if how.isCurrent() {
		g.byAge.pushFront(probation, i)
	} else { // the first to go
		g.byAge.pushBack(probation, i)
	}
	p = g.parts(i)
	g.count(i, &p, e, n, last, age, how)
	// The names were pinned against eviction while their edge was made.
	g.nodes.release(s)
	g.nodes.release(d)
	g.relations.release(r)
	return i
}

// hasRoom tells whether the triplet of an event that is not current can be held: nothing has to go for it, and it would
// not go for its age.
func (g *Graph) hasRoom(e *Event, age int64) bool {
	if w := int64(g.cfg.Window); w > 0 && age > w || g.live() >= g.cfg.MaxEdges {
		return false
	}
	nodes, relations := g.nodes.live, g.relations.live
	if g.nodes.find(e.Source) == 0 {
		nodes++
	}
	if g.nodes.find(e.Destination) == 0 && !bytes.Equal(e.Source, e.Destination) {
		nodes++
	}
	if g.relations.find(e.Relation) == 0 {
		relations++
	}
	return nodes <= g.cfg.MaxNodes && relations <= g.cfg.MaxRelations
}

// parts are all that the events of a triplet count for.
type parts struct {
	edge          *edge
	sd, sr, rd    *pair
	src, rel, dst *side
}

// parts returns the parts of an edge.
func (g *Graph) parts(i uint32) parts {
	e := g.edges.at(i)
	return parts{
		edge: e, sd: g.sd.slots.at(e.sd), sr: g.sr.slots.at(e.sr), rd: g.rd.slots.at(e.rd),
		src: g.source.at(e.src), rel: g.relation.at(e.rel), dst: g.destination.at(e.dst),
	}
}

// unheld returns the parts of a triplet that is not held; slots are 0 where a name is unknown, and what is not there
// has counted nothing.
func (g *Graph) unheld(s, r, d uint32) parts {
	return parts{
		edge: g.edges.at(0), sd: g.sd.get(s, d), sr: g.sr.get(s, r), rd: g.rd.get(r, d),
		src: g.source.at(s), rel: g.relation.at(r), dst: g.destination.at(d),
	}
}

// count adds n events between times e.Time and last to edge i and the parts that are its.
func (g *Graph) count(i uint32, p *parts, e *Event, n uint32, last, age int64, how arrival) {
	ed := p.edge
	was, window := ed.protected(), int64(g.cfg.Window)
	if how == backfilled && (window == 0 || since(ed.last, e.Time) <= window) { // its times are right, however far back
		g.backdate(p, e.Time)
	}
	ed.see(e.Time, last, g.clock.stamp(age), &g.clock, window)
	ed.activity.raise(g.buckets.level)
	segment, is := uint32(probation), ed.protected()
	if is {
		segment = protected
		if !was {
			g.protectedCount++
		}
		if how != late {
			g.promote(ed, how.isCurrent() || g.clock.age(ed.seen) <= g.clock.leap)
		}
	}
	switch {
	case how.isCurrent(), is != was && g.clock.age(ed.seen) <= g.clock.leap:
		g.byAge.moveToFront(segment, i)
	case is != was:
		g.byAge.remove(i)
		g.byAge.pushBack(segment, i)
	}
	count := func(c *uint32) { *c = addSat(*c, n) }
	count(&ed.count)
	count(&p.sd.count)
	count(&p.sr.count)
	count(&p.rd.count)
	count(&p.src.events)
	count(&p.dst.events)
	count(&p.rel.events)
}

// pinNode returns the slot of a host, made where there is none, and pinned. Making it may evict another host, with its
// edges, but not the one that is pinned already, if any.
func (g *Graph) pinNode(name []byte, how arrival, t times, pinned uint32) uint32 {
	s := g.nodes.find(name)
	if s == 0 {
		if g.nodes.live >= g.cfg.MaxNodes {
			g.evictName(&g.nodes, g.cfg.MaxNodes, &g.tombNodes, pinned)
		}
		s = g.nodes.add(name, how, t)
		if int(s) == g.source.len() {
			g.source.add()
			g.destination.add()
			g.bySource.addHead()
			g.byDestination.addHead()
		}
		*g.source.at(s), *g.destination.at(s) = side{}, side{}
	}
	g.nodes.see(s, how, t)
	g.nodes.retain(s)
	return s
}

// pinRelation returns the slot of a relation, made where there is none, and pinned.
func (g *Graph) pinRelation(name []byte, how arrival, t times) uint32 {
	r := g.relations.find(name)
	if r == 0 {
		if g.relations.live >= g.cfg.MaxRelations {
			g.evictName(&g.relations, g.cfg.MaxRelations, &g.tombRelations, 0)
		}
		r = g.relations.add(name, how, t)
		if int(r) == g.relation.len() {
			g.relation.add()
			g.byRel.addHead()
		}
		*g.relation.at(r) = side{}
	}
	g.relations.see(r, how, t)
	g.relations.retain(r)
	return r
}

// fill stores in ref what is known at t. Slots are 0 where a name is unknown, or the edge is not held.
func (g *Graph) fill(ref *Ref, edge, s, r, d uint32, p *parts, t int64) {
	ref.Source, ref.Relation, ref.Destination, ref.Edge = g.nodes.id(s), g.relations.id(r), g.nodes.id(d), edge
	c := &ref.Counts
	c.SRD, c.SD, c.SR, c.RD = p.edge.count, p.sd.count, p.sr.count, p.rd.count
	c.S, c.D, c.R = p.src.events, p.dst.events, p.rel.events
	c.DestinationsOfS, c.RelationsOfS = p.src.neighbours, p.src.relations
	c.SourcesOfD, c.SourcesOfR = p.dst.neighbours, p.rel.neighbours
	ref.Now, ref.Time = g.clock.now, t
	ref.SourceSince, ref.RelationSince, ref.TripletSince, ref.TripletLast = t, t, t, t
	asDestination, asSource := g.destination.at(s), g.source.at(d) // the other roles of both hosts
	source, relation, destination := p.src.since, p.rel.since, p.dst.since
	sourceToo, destinationToo := asDestination.since, asSource.since
	if g.cfg.Trusted && !g.lateness.usual() {
		source, relation, destination = p.src.came, p.rel.came, p.dst.came
		sourceToo, destinationToo = asDestination.came, asSource.came
	}
	if p.src.events > 0 {
		ref.SourceSince = min(t, source)
	}
	ref.HostSince, ref.DestinationSince = ref.SourceSince, t
	if asDestination.events > 0 {
		ref.HostSince = min(ref.HostSince, sourceToo)
	}
	if p.dst.events > 0 {
		ref.DestinationSince = min(t, destination)
	}
	if asSource.events > 0 {
		ref.DestinationSince = min(ref.DestinationSince, destinationToo)
	}
	if p.rel.events > 0 {
		ref.RelationSince = min(t, relation)
	}
	if p.edge.count > 0 {
		ref.TripletSince = min(t, p.edge.first)
		// It is no older than its parts where the dates of these are not believed.
		if source > p.src.since {
			ref.TripletSince = min(t, max(ref.TripletSince, source))
		}
		if relation > p.rel.since {
			ref.TripletSince = min(t, max(ref.TripletSince, relation))
		}
		if destination > p.dst.since {
			ref.TripletSince = min(t, max(ref.TripletSince, destination))
		}
		ref.TripletLast = max(p.edge.last, ref.TripletSince) // nor did it last come before it was there
	}
	ref.HostQuiet = g.quiet(s, t)
	ref.NewDestinations = p.src.fade(t)
	ref.HalfDays = uint8(p.edge.activity.stretches(halfDayLevel))
}

// quiet is for how long, at t, the graph will have gone on since a host last came, 0 where the slot is.
func (g *Graph) quiet(host uint32, t int64) int64 {
	if host == 0 {
		return 0
	}
	now := g.clock.lived + g.clock.counted(max(0, since(t, g.clock.now)))
	return max(0, now-int64(g.nodes.slots.at(host).seen)*int64(time.Minute))
}

// addSat adds and stays at the largest count instead of wrapping to a small one.
func addSat(a, n uint32) uint32 {
	if a+n < a {
		return ^uint32(0)
	}
	return a + n
}

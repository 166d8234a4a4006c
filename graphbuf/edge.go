package graphbuf

// edge is one distinct triplet. Names and pairs are slots of their tables.
type edge struct {
	src, rel, dst uint32
	sd, sr, rd    uint32
	count         uint32
	seen          uint32 // stamp of the clock when it was last seen
	first, last   int64  // unix nanoseconds of event time
	activity      activity
}

// see takes a sight of an edge between times first and last, with the stamp of the last. Times more than a
// window apart are of two lives of the triplet, the second of which counts; what is late by more than a leap changes
// no time.
func (e *edge) see(first, last int64, stamp uint32, c *clock, window int64) {
	was := e.protected()
	switch {
	case window > 0 && since(last, e.last) > window:
		e.first = first
	case since(e.last, first) <= c.leap && (window == 0 || since(e.last, first) <= window):
		e.first = min(e.first, first)
	}
	e.last = max(e.last, last)
	if int32(stamp-e.seen) > 0 {
		e.seen = stamp
	}
	if was && !e.protected() {
		e.first = e.last - protectedAfter
	}
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

// newEdge makes an edge that was first seen at t, as the graph learned at a time.
func (g *Graph) newEdge(s, r, d uint32, t, learned int64, stamp uint32) uint32 {
	if g.live() >= g.cfg.MaxEdges {
		g.evict(g.oldest())
	}
	i, fresh := g.edges.take()
	if fresh {
		for _, l := range []*list{&g.byAge, &g.bySource, &g.byDestination, &g.byRel} {
			l.addItem()
		}
	}
	e := edge{src: s, rel: r, dst: d, seen: stamp, first: t, last: t, activity: activity{level: g.buckets.level}}
	src, relation, dst := g.source.at(s), g.relation.at(r), g.destination.at(d)
	if e.sd, fresh = g.sd.acquire(s, d); fresh {
		src.neighbour(t, learned)
		src.meet(t)
		dst.neighbour(t, learned)
		if g.ledger != nil {
			*g.ledger.met.of(e.sd) = t
		}
	}
	if e.sr, fresh = g.sr.acquire(s, r); fresh {
		src.relations++
		relation.neighbour(t, learned)
	}
	src.begin(t, learned) // late ones
	relation.begin(t, learned)
	dst.begin(t, learned)
	e.rd, _ = g.rd.acquire(r, d)
	*g.edges.at(i) = e
	if g.ledger != nil {
		g.ledger.begin(i)
	}
	g.triplets.add(g.hashEdge(&e), i)
	g.bySource.pushFront(s, i)
	g.byDestination.pushFront(d, i)
	g.byRel.pushFront(r, i)
	g.nodes.retain(s)
	g.nodes.retain(d)
	g.relations.retain(r)
	g.stats.NewEdges++
	return i
}

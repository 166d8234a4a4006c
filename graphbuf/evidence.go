package graphbuf

const (
	// EvidenceRelations is how many of a source's relations an Evidence names.
	EvidenceRelations = 3
	// EvidenceSources is how many other sources of a destination it names.
	EvidenceSources = 32

	evidenceLooks = 128 // edges of a host that are looked at, the newest ones
)

// Evidence is what the graph tells people about an event, as of just before it. Of hosts with many edges it has the
// newest, those that were first seen last.
type Evidence struct {
	PairFirst, PairLast int64                     // when the source met the destination before, whatever the relation; unix nanoseconds, 0: never, or not known
	PairDays            int                       // on how many days it did, with that of the event, as far as activity tells; 0: not known
	Relations           [EvidenceRelations]string // with which the source has most events, the most first; "": no more
	Sources             [EvidenceSources]Name     // others that came to the destination again, each once, those that are newest to it first
	SourceCount         int
	SourcesOfSource     int // hosts that connect to the source
}

// Evidence stores in out what is known about the event of ref, which was observed or looked up just before. It does
// not allocate, and looks at a few hundred edges at most.
func (g *Graph) Evidence(ref *Ref, out *Evidence) {
	*out = Evidence{}
	g.mu.Lock()
	defer g.mu.Unlock()
	s, d := g.liveNode(ref.Source), g.liveNode(ref.Destination)
	g.tellPair(ref, s, d, out)
	g.tellRelations(ref, s, out)
	g.tellSources(s, d, out)
	out.SourcesOfSource = int(g.destination.at(s).neighbours)
}

// HostName returns the name of a host, "" if the graph does not have it any more.
func (g *Graph) HostName(id ID) string {
	if id == (ID{}) {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nodes.slots.at(g.liveNode(id)).name
}

// HostID returns the ID of a host, the zero ID if the graph does not have it.
func (g *Graph) HostID(name string) ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nodes.id(g.nodes.find([]byte(name)))
}

// RelationName is HostName for a relation.
func (g *Graph) RelationName(id ID) string {
	if id == (ID{}) {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if int(id.Slot) >= g.relations.slots.len() {
		return ""
	}
	if s := g.relations.slots.at(id.Slot); s.gen == id.Gen {
		return s.name
	}
	return ""
}

// liveNode returns the slot of a host that is still in the graph, else 0.
func (g *Graph) liveNode(id ID) uint32 {
	if int(id.Slot) >= g.source.len() || g.nodes.slots.at(id.Slot).gen != id.Gen {
		return 0
	}
	return id.Slot
}

// eachLatest calls do with the latest edges of a ring until it says no.
func (g *Graph) eachLatest(of *list, head uint32, do func(i uint32, e *edge) bool) {
	if head == 0 {
		return
	}
	next := of.head[head].next
	for n := 0; n < evidenceLooks && next >= 0; n++ {
		if !do(uint32(next), g.edges.at(uint32(next))) {
			return
		}
		next = of.item[next].next
	}
}

func (g *Graph) tellPair(ref *Ref, s, d uint32, out *Evidence) {
	all := activity{level: g.buckets.level}
	seen := func(i uint32, e *edge) bool {
		if e.src != s || e.dst != d {
			return true
		}
		own, first, last := e.rel == ref.Relation.Slot, e.first, e.last
		if own { // the event itself, and what came with it, are no evidence
			first, last = ref.TripletSince, ref.TripletLast
		}
		if own && ref.Counts.SRD == 0 || first > ref.Time {
			return true
		}
		if out.PairFirst == 0 || first < out.PairFirst {
			out.PairFirst = first
		}
		out.PairLast = max(out.PairLast, min(last, ref.Time))
		a := e.activity
		a.raise(all.level)
		all.join(a)
		return true
	}
	if ref.Counts.SD > 0 {
		g.eachLatest(&g.bySource, s, seen)
		if out.PairFirst == 0 { // the source has many others
			g.eachLatest(&g.byDestination, d, seen)
		}
	}
	if ref.Counts.SD > 0 && out.PairFirst == 0 {
		return // it is further back than was looked
	}
	// Who only looked may be ahead of the graph.
	all.mark(g.buckets.at(g.clock.lived - max(since(g.clock.now, ref.Time), -g.clock.leap)))
	out.PairDays = all.stretches(dayLevel)
}

func (g *Graph) tellRelations(ref *Ref, s uint32, out *Evidence) {
	var best [EvidenceRelations]struct{ rel, count uint32 }
	g.eachLatest(&g.bySource, s, func(i uint32, e *edge) bool {
		n := g.sr.slots.at(e.sr).count
		if e.rel == ref.Relation.Slot {
			n = ref.Counts.SR
		}
		for j := range best {
			if best[j].rel == e.rel {
				return true
			}
		}
		if g.relations.slots.at(e.rel).dead {
			return true
		}
		rel := e.rel
		for j := range best {
			if n > best[j].count {
				best[j].rel, rel, best[j].count, n = rel, best[j].rel, n, best[j].count
			}
		}
		return true
	})
	for j := range best {
		if best[j].count > 0 {
			out.Relations[j] = g.relations.slots.at(best[j].rel).name
		}
	}
}

func (g *Graph) tellSources(s, d uint32, out *Evidence) {
	g.eachLatest(&g.byDestination, d, func(i uint32, e *edge) bool {
		if e.src == s || g.nodes.slots.at(e.src).dead || !e.protected() { // a scanner that came once says nothing of the rest
			return true
		}
		id := g.nodes.id(e.src)
		for j := range out.SourceCount {
			if out.Sources[j].ID == id {
				return true
			}
		}
		out.Sources[out.SourceCount] = Name{ID: id, Name: g.nodes.slots.at(e.src).name}
		out.SourceCount++
		return out.SourceCount < len(out.Sources)
	})
}

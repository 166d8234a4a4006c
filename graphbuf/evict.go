package graphbuf

import (
	"math"
	"math/bits"
	"time"
)

// Edges and names are kept in segments by age, as in a segmented LRU (Karedla, Love and Wherry 1994). What came is
// on probation; what was seen again, an hour or more after its first time, is protected. So a flood of names and
// triplets that come once pushes out its like, and hosts that come seldom but steadily stay. The segment on probation
// may fill a fifth of what there is room for; beyond it, its oldest are evicted first.
//
// Whoever sends names twice, an hour apart, has them protected, and a name takes all its edges with it. So a protected
// name is kept for as long after its last time as it had been coming before: the one that is evicted is the first for
// which that is over, or will be. Names of an hour go before names of ten days that come once a day, however many they
// are, with however many edges. To find it in few looks, protected names have a segment for each doubling of the hours
// between their first and last times: within one, the least recently seen goes first.
const (
	probation = iota // the head of a segment's ring
	protected        // of names, the first of many
)

const (
	// tenures are the segments of protected names: of less than 1, 2, 4 hours and so on, the last from 42 days on.
	tenures  = 12
	segments = protected + tenures
)

const (
	protectedAfter = int64(time.Hour)
	probationShare = 5 // one in so many
)

func (e *edge) protected() bool { return e.last-e.first >= protectedAfter }

// segment returns the segment whose oldest is evicted, of so many entries in all with so many protected among them.
func segment(live, protectedCount, room int) uint32 {
	if protectedCount == 0 || live-protectedCount > room/probationShare {
		return probation
	}
	return protected
}

func (s *nameSlot) protected() bool { return s.segment != probation }

// tenure is the segment of a name that is protected.
func (s *nameSlot) tenure() uint8 {
	return protected + min(uint8(bits.Len32((s.seen-s.came)/60)), tenures-1)
}

// leastTenured returns the protected name that is evicted first, other than one that is pinned.
func (n *names) leastTenured(pinned uint32) (first uint32) {
	var least int64
	for segment := uint32(protected); segment < segments; segment++ {
		i := n.byAge.back(segment)
		if i != 0 && i == pinned {
			i = uint32(max(n.byAge.item[i].prev, 0))
		}
		if i == 0 {
			continue
		}
		s := n.slots.at(i)
		if until := 2*int64(s.seen) - int64(s.came); first == 0 || until < least {
			first, least = i, until
		}
	}
	return first
}

// promote protects the names of a protected edge, which is recent or not.
func (g *Graph) promote(e *edge, recent bool) {
	g.nodes.promote(e.src, recent)
	g.nodes.promote(e.dst, recent)
	g.relations.promote(e.rel, recent)
}

// expirePerEvent bounds the work that one event does for the age of others. Two edges of each segment may be evicted
// for one that comes, so expiry keeps pace with a stream in order of time. Edges stand in the order in which they came
// last: one that came late is held until its turn.
const expirePerEvent = 2

// expire evicts edges that fell out of the window.
func (g *Graph) expire() {
	window := int64(g.cfg.Window)
	if window == 0 {
		return
	}
	for _, segment := range []uint32{probation, protected} {
		for range expirePerEvent {
			i := g.byAge.back(segment)
			if i == 0 || g.clock.age(g.edges.at(i).seen) <= window {
				break
			}
			g.evict(i)
		}
	}
}

// oldest returns the edge that is evicted when there is no room: the oldest of the segment whose turn it is, unless the
// oldest of all is on probation.
func (g *Graph) oldest() uint32 {
	n, r := g.byAge.back(probation), g.byAge.back(protected)
	if n != 0 && r != 0 && g.clock.age(g.edges.at(n).seen) > g.clock.age(g.edges.at(r).seen) {
		return n
	}
	return g.byAge.back(segment(g.live(), g.protectedCount, g.cfg.MaxEdges))
}

// evictName evicts a name of a table with room for so many, other than one that is pinned (0: none is). Its edges,
// however many, are evicted with the events that follow, so that none of these waits for all of them.
func (g *Graph) evictName(n *names, room int, tombs *[]uint32, pinned uint32) {
	i := n.byAge.back(probation)
	if (i == 0 || !n.slots.at(i).old) && segment(n.live, n.protectedCount, room) == protected {
		i = n.leastTenured(pinned)
	}
	n.tombstone(i)
	*tombs = append(*tombs, i)
}

// sweepPerEvent is the number of edges of tombstones that one event evicts: more than one event can make, so that they
// do not pile up.
const sweepPerEvent = 16

// sweep evicts edges of tombstones.
func (g *Graph) sweep() {
	if len(g.tombNodes)+len(g.tombRelations) == 0 {
		return
	}
	left := sweepPerEvent
	clear := func(tombs *[]uint32, n *names, lists ...*list) {
		for len(*tombs) > 0 && left > 0 {
			i := (*tombs)[len(*tombs)-1]
			edge := uint32(0)
			if n.slots.at(i).dead { // else its last edge went another way, and the slot may be someone else's
				for _, l := range lists {
					edge = max(edge, l.back(i))
				}
			}
			if edge == 0 {
				*tombs = (*tombs)[:len(*tombs)-1]
				continue
			}
			g.evict(edge)
			left--
		}
	}
	clear(&g.tombNodes, &g.nodes, &g.bySource, &g.byDestination)
	clear(&g.tombRelations, &g.relations, &g.byRel)
}

// evict removes one edge, its share of every count, and the names that no other edge uses.
func (g *Graph) evict(i uint32) {
	e := *g.edges.at(i)
	if e.protected() {
		g.protectedCount--
	}
	g.byAge.remove(i)
	g.bySource.remove(i)
	g.byDestination.remove(i)
	g.byRel.remove(i)
	g.triplets.remove(g.hashEdge(&e), i)
	src, rel, dst := g.source.at(e.src), g.relation.at(e.rel), g.destination.at(e.dst)
	if g.sd.release(e.sd, e.count) {
		src.neighbours--
		dst.neighbours--
	}
	if g.sr.release(e.sr, e.count) {
		src.relations--
		rel.neighbours--
	}
	g.rd.release(e.rd, e.count)
	for _, x := range []*side{src, rel, dst} {
		if x.events = takeBack(x.events, e.count); x.neighbours == 0 {
			x.events, x.burst, x.burstAt = 0, 0, 0
		}
	}
	g.nodes.release(e.src)
	g.nodes.release(e.dst)
	g.relations.release(e.rel)
	*g.edges.at(i) = edge{}
	g.edges.put(i)
	g.stats.Evicted++
	if g.journal != nil {
		g.journal.evict(i)
	}
}

func subSat(a, n uint32) uint32 { return a - min(a, n) }

// takeBack subtracts what addSat added. The largest count stays: what it would be is not known.
func takeBack(a, n uint32) uint32 {
	if a == math.MaxUint32 {
		return a
	}
	return subSat(a, n)
}

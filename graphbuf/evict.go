package graphbuf

import "time"

// What was seen again, an hour or more after its first time, is a regular; all else is a
// newcomer. Both stand in rings of their own by age, so that a flood of names and triplets that
// come once pushes out its like, and seldom but steady hosts stay (compare 2Q, Johnson and Shasha
// 1994). Newcomers may fill a fifth of what there is room for; beyond it they go first.
const (
	newcomers = iota // the head of a ring
	regulars
)

const (
	regularAfter  = int64(time.Hour)
	newcomerShare = 5 // one in so many
)

func (e *edge) regular() bool { return e.last-e.first >= regularAfter }

// ring returns the ring whose oldest goes, of so many in all with so many regulars among them.
func ring(live, regular, room int) uint32 {
	if regular == 0 || live-regular > room/newcomerShare {
		return newcomers
	}
	return regulars
}

// promote makes the names of a regular edge regulars.
func (g *Graph) promote(e *edge) {
	g.nodes.promote(e.src)
	g.nodes.promote(e.dst)
	g.relations.promote(e.rel)
}

// expirePerEvent bounds the work that one event does for the age of others. Two edges of either
// ring may go for each that comes, so expiry keeps pace with a stream in order of time. Edges stand in the
// order in which they were last seen to come: a late one is held until its turn.
const expirePerEvent = 2

// expire gives up edges that fell out of the window.
func (g *Graph) expire() {
	window := int64(g.cfg.Window)
	if window == 0 {
		return
	}
	for _, ring := range []uint32{newcomers, regulars} {
		for range expirePerEvent {
			i := g.byAge.back(ring)
			if i == 0 || g.clock.age(g.edges.at(i).seen) <= window {
				break
			}
			g.evict(i)
		}
	}
}

// oldest returns the edge that goes when there is no room: that of the ring whose turn it is, unless a newcomer was
// seen before all others.
func (g *Graph) oldest() uint32 {
	n, r := g.byAge.back(newcomers), g.byAge.back(regulars)
	if n != 0 && r != 0 && g.clock.age(g.edges.at(n).seen) > g.clock.age(g.edges.at(r).seen) {
		return n
	}
	return g.byAge.back(ring(g.live(), g.regular, g.cfg.MaxEdges))
}

// giveUp kills a name of a table with room for so many. Its edges, however many, go with
// the events that follow, so that none of these waits for all of them.
func (g *Graph) giveUp(n *names, room int, dying *[]uint32) {
	i := n.byAge.back(newcomers)
	if i == 0 || !n.slots.at(i).old {
		i = n.byAge.back(ring(n.live, n.regular, room))
	}
	n.kill(i)
	*dying = append(*dying, i)
}

// sweepPerEvent is the number of edges of dead names that one event clears away: more
// than one event can make, so that the dead do not pile up.
const sweepPerEvent = 16

// sweep clears away edges of dead names.
func (g *Graph) sweep() {
	if len(g.dyingNodes)+len(g.dyingRelations) == 0 {
		return
	}
	left := sweepPerEvent
	clear := func(dying *[]uint32, n *names, lists ...*list) {
		for len(*dying) > 0 && left > 0 {
			i := (*dying)[len(*dying)-1]
			edge := uint32(0)
			if n.slots.at(i).dead { // else its last edge went another way, and the slot may be someone else's
				for _, l := range lists {
					edge = max(edge, l.back(i))
				}
			}
			if edge == 0 {
				*dying = (*dying)[:len(*dying)-1]
				continue
			}
			g.evict(edge)
			left--
		}
	}
	clear(&g.dyingNodes, &g.nodes, &g.bySource, &g.byTarget)
	clear(&g.dyingRelations, &g.relations, &g.byRel)
}

// evict gives up one edge, its share of every count, and the names that no other edge uses.
func (g *Graph) evict(i uint32) {
	e := *g.edges.at(i)
	if e.regular() {
		g.regular--
	}
	g.byAge.remove(i)
	g.bySource.remove(i)
	g.byTarget.remove(i)
	g.byRel.remove(i)
	g.triplets.remove(g.hashEdge(&e), i)
	src, rel, dst := g.source.at(e.src), g.relation.at(e.rel), g.target.at(e.dst)
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
		if x.events = subSat(x.events, e.count); x.events == 0 {
			x.burst, x.burstAt = 0, 0
		}
	}
	g.nodes.uses(e.src, -1)
	g.nodes.uses(e.dst, -1)
	g.relations.uses(e.rel, -1)
	*g.edges.at(i) = edge{}
	g.edges.put(i)
	g.stats.Evicted++
}

func subSat(a, n uint32) uint32 { return a - min(a, n) }

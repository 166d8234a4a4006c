package graphbuf

import (
	"cmp"
	"container/heap"
	"slices"
)

// Part is a piece of the graph for somebody to look at.
type Part struct {
	Snapshot          // the edges of the piece and their names alone
	All         int   // edges that the whole graph has
	First, Last int64 // the earliest and the latest sight of any of them, 0 without edges
}

// Part copies at most n edges: first the given triplets, then the edges that share a host with one of them, then all
// others; within each kind those with more events, and then those seen last, come first. Like Snapshot it lets writers
// go on, but it takes memory for n edges only, however many there are.
func (g *Graph) Part(triplets []Event, n int) *Part {
	g.whole.RLock()
	defer g.whole.RUnlock()
	wanted, near := g.lookUp(triplets)
	isNear := func(slot uint32) bool { return int(slot) < len(near) && near[slot] }
	p := &Part{}
	best := make(ranking, 0, min(n, g.Stats().Edges))
	block := make([]ranked, 0, snapshotBlock)
	g.inBlocks(g.edgeSlots, func(i uint32) {
		e := g.edges.at(i)
		if e.src == 0 {
			return
		}
		p.All++
		if p.First == 0 || e.first < p.First {
			p.First = e.first
		}
		p.Last = max(p.Last, e.last)
		k := ranked{kept: kept{edge: *e}, slot: i}
		if s, d := isNear(e.src), isNear(e.dst); s || d {
			k.rank = 1
			if s && d && wanted[i] {
				k.rank = 2
			}
		}
		if len(best) == n && (n == 0 || k.compare(&best[0]) < 0) {
			return
		}
		k.kept = g.keep(i)
		block = append(block, k)
	}, func() {
		for _, k := range block {
			best.offer(k, n)
		}
		block = block[:0]
	})
	g.nameEdges(&p.Snapshot, len(best), func(i int) *kept { return &best[i].kept }, nil)
	slices.SortFunc(p.Edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.First, b.First), compareTriplets(a, b))
	})
	return p
}

// lookUp returns the slots of the edges that triplets have, and by slot which nodes they name.
func (g *Graph) lookUp(triplets []Event) (edges map[uint32]bool, nodes []bool) {
	edges, nodes = map[uint32]bool{}, make([]bool, g.nodeSlots())
	for some := range slices.Chunk(triplets, nameLooks) {
		g.mu.Lock()
		for i := range some {
			e := &some[i]
			if e.long() {
				short := g.shorten(e)
				e = &short
			}
			if edge := g.findEdge(e); edge != 0 {
				edges[edge] = true
			}
			for _, name := range [][]byte{e.Source, e.Destination} {
				if slot := g.nodes.find(name); slot != 0 && int(slot) < len(nodes) {
					nodes[slot] = true
				}
			}
		}
		g.mu.Unlock()
	}
	return edges, nodes
}

func (g *Graph) nodeSlots() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nodes.slots.len()
}

// ranked is an edge with its place among others.
type ranked struct {
	kept
	rank uint8 // 2: a given triplet, 1: it shares a host with one
	slot uint32
}

// compare is above 0 where a is rather to be seen than b.
func (a *ranked) compare(b *ranked) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.count, b.count), cmp.Compare(a.last, b.last), cmp.Compare(b.slot, a.slot))
}

// ranking is a heap with the least of its edges first.
type ranking []ranked

func (r ranking) Len() int           { return len(r) }
func (r ranking) Less(i, j int) bool { return r[i].compare(&r[j]) < 0 }
func (r ranking) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push and Pop are for package heap, and nobody calls them: they would put each edge on the heap of the program.
func (r *ranking) Push(any) { panic("graphbuf: a ranking is offered edges, not pushed") }
func (r *ranking) Pop() any { panic("graphbuf: a ranking keeps its edges") }

// offer keeps an edge if it is among the first n so far.
func (r *ranking) offer(k ranked, n int) {
	switch {
	case len(*r) < n:
		*r = append(*r, k)
		heap.Fix(r, len(*r)-1)
	case n > 0 && k.compare(&(*r)[0]) > 0:
		(*r)[0] = k
		heap.Fix(r, 0)
	}
}

package graphbuf

import "unsafe"

// Hold keeps the graph at so many nodes and edges, or at as many as it has where that is more, until it is called
// again. New ones then replace those seen longest ago, as at the bounds. No graph grows beyond its bounds, whatever
// Hold allows.
func (g *Graph) Hold(nodes, edges int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := &g.bounds
	g.cfg.MaxNodes = min(b.MaxNodes, max(nodes, g.nodes.live, leastNodes))
	g.cfg.MaxEdges = min(b.MaxEdges, max(edges, g.live(), leastEdges))
}

// EdgeBytes and NodeBytes are about what one more edge, and one more node with a name of usual length, adds to a graph,
// spare room of its tables included. At a million edges between a tenth as many nodes both together are 201 bytes an
// edge.
const (
	EdgeBytes = 190
	NodeBytes = 260

	LedgerBytes = 30 // beside EdgeBytes, in a graph that merges
)

// SnapshotEdgeBytes is what an edge of a snapshot takes.
const SnapshotEdgeBytes = int64(unsafe.Sizeof(Edge{}))

// Sizes determine the memory of a snapshot and of all that is made from one.
type Sizes struct{ Nodes, Sources, Destinations, Relations, Edges int }

// Sizes counts them. Writers go on meanwhile.
func (g *Graph) Sizes() (s Sizes) {
	g.whole.RLock()
	defer g.whole.RUnlock()
	st := g.Stats()
	s.Nodes, s.Relations, s.Edges = st.Nodes, st.Relations, st.Edges
	g.inBlocks(func() int { return g.source.len() }, func(i uint32) {
		if g.source.at(i).neighbours > 0 {
			s.Sources++
		}
		if g.destination.at(i).neighbours > 0 {
			s.Destinations++
		}
	}, nil)
	return s
}

// Sizes are those of the snapshot.
func (s *Snapshot) Sizes() Sizes {
	const source, destination = 1, 2
	sides := make([]byte, len(s.Nodes))
	for i := range s.Edges {
		sides[s.Edges[i].Source] |= source
		sides[s.Edges[i].Destination] |= destination
	}
	out := Sizes{Nodes: len(s.Nodes), Relations: len(s.Relations), Edges: len(s.Edges)}
	for _, side := range sides {
		out.Sources += int(side & source)
		out.Destinations += int(side&destination) / destination
	}
	return out
}

// Bounds are those with which the graph was made.
func (g *Graph) Bounds() Config { return g.bounds }

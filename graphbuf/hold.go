package graphbuf

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

// Bounds are those with which the graph was made.
func (g *Graph) Bounds() Config { return g.bounds }

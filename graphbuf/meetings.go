package graphbuf

// meetings are when a source and a destination first met, by the slot of their pair. The graph itself keeps only what
// becomes of it, side.burst; whoever adds events of the past needs to know more.
type meetings struct{ slab[int64] }

// of is when a pair met.
func (m *meetings) of(pair uint32) *int64 {
	for m.len() <= int(pair) {
		m.slab.add()
	}
	return m.at(pair)
}

// addAll notes the pairs of a graph as they are.
func (m *meetings) addAll(g *Graph) {
	for i := range uint32(g.edges.len()) {
		e := g.edges.at(i)
		if e.src == 0 {
			continue
		}
		if met := m.of(e.sd); *met == 0 || e.first < *met {
			*met = e.first
		}
	}
}

// earlier has an edge's source and destination meet at t where they met later.
func (m *meetings) earlier(p *parts, t int64) {
	if met := m.of(p.edge.sd); t < *met {
		p.src.remeet(*met, t)
		*met = t
	}
}

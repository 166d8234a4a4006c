package graphbuf

import "unsafe"

// EdgeBytes and NodeBytes are about what one more edge, and one more node with a name of usual length, adds to a graph,
// spare room of its tables included. At a million edges between a tenth as many nodes both together are 204 bytes an
// edge.
const (
	EdgeBytes = 190
	NodeBytes = 284

	LedgerBytes = 30 // beside EdgeBytes, in a graph that merges
)

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

// MakingBytes and KeptBytes are what a snapshot of these sizes takes at most while it is made, and afterwards. Its
// names' bytes are the graph's.
func (s Sizes) MakingBytes() int64 {
	names := s.Nodes + s.Relations
	const slot = 4 // of the numbers by slot
	return s.KeptBytes() + int64(s.Edges+s.Edges/8+snapshotBlock)*int64(unsafe.Sizeof(kept{})) + int64(names+names/8+2*snapshotBlock)*slot + 1<<16
}

// KeptBytes is what a snapshot keeps: see MakingBytes.
func (s Sizes) KeptBytes() int64 {
	names := s.Nodes + s.Relations
	return int64(s.Edges)*int64(unsafe.Sizeof(Edge{})) + int64(names+names/8+2*snapshotBlock)*int64(unsafe.Sizeof(Name{}))
}

// ReadingBytes is what UnmarshalBinary makes at most of so many bytes, beside them: a snapshot that has its names for
// itself. How long they are these sizes do not tell, but they stand among the bytes.
func (s Sizes) ReadingBytes(bytes int64) int64 {
	const rounded = 16 // by as much at most a name takes more than its bytes
	names := int64(s.Nodes + s.Relations)
	return s.KeptBytes() + max(0, bytes-int64(s.Edges)*smallestEdge) + names*rounded
}

// SavingBytes is about what AppendBinary takes, its bytes included.
func (s Sizes) SavingBytes() int64 {
	const name = 40 // bytes of a usual one
	names := s.Nodes + s.Relations
	return int64(s.Edges)*usualEdge + int64(names)*(name+4+int64(unsafe.Sizeof(Name{}))) + 1<<20
}

package filter

import (
	"fmt"
	"io"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
)

// unpack reads the payload of a state whose header is accepted and makes a snapshot and a model of it, if memory allows
// that and the graph that is made of them. What it takes is promised until giveBack is called.
func (m *memory) unpack(c config.Config, h *fleet.Header, body io.Reader) (base *graphbuf.Snapshot, trained *model.Model, giveBack func(), err error) {
	need := takingBytes(c, h)
	a, back, ok := m.take(need)
	if !ok {
		return nil, nil, nil, fmt.Errorf("to take up its %d triplets between %d hosts would need about %d MiB for the moment, %s; %s, or lower graph.max_edges of the trainer",
			h.Edges, h.Nodes, m.withGarbage(need)>>20, a.by, a.remedy)
	}
	defer func() {
		if base == nil { // after a panic, too
			back()
		}
	}()
	graph, b, err := h.ReadPayload(body)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := fits(h, graph); err != nil {
		return nil, nil, nil, err
	}
	var made model.Model
	if err := made.UnmarshalBinary(b); err != nil {
		return nil, nil, nil, err
	}
	var s graphbuf.Snapshot
	if err := s.UnmarshalBinary(graph); err != nil {
		return nil, nil, nil, err
	}
	return &s, &made, back, nil
}

// takingBytes is what taking up a state needs for the moment, by its header: its bytes, the snapshot that is made of
// them, which has all of the trainer's triplets and hosts, and the graph, which has as many as the bounds allow.
func takingBytes(c config.Config, h *fleet.Header) int64 {
	read := graphbuf.Sizes{Nodes: int(h.Nodes), Relations: int(h.Relations), Edges: int(h.Edges)}
	return h.Memory() + read.ReadingBytes(h.GraphBytes()) + GraphBytes(c, takenSizes(c, h))
}

// takenSizes are those of a state's graph, as far as its header tells them and the bounds allow.
func takenSizes(c config.Config, h *fleet.Header) graphbuf.Sizes {
	nodes := min(int(h.Nodes), c.Graph.MaxNodes)
	return graphbuf.Sizes{Nodes: nodes, Sources: nodes, Destinations: nodes, Relations: min(int(h.Relations), c.Graph.MaxRelations),
		Edges: min(int(h.Edges), c.Graph.MaxEdges)}
}

// fits returns why the graph of a state is larger than its header says, by which memory was taken for it. While a trainer
// makes a state its graph may grow.
func fits(h *fleet.Header, graph []byte) error {
	has, err := graphbuf.SnapshotSizes(graph)
	if err != nil {
		return err
	}
	grown := func(n uint32) int { return int(n) + int(n)/4 + 4096 }
	if has.Nodes > grown(h.Nodes) || has.Relations > grown(h.Relations) || has.Edges > grown(h.Edges) {
		return fmt.Errorf("its graph has %d triplets between %d hosts by %d relations, and its header says %d, %d and %d: it is damaged or forged",
			has.Edges, has.Nodes, has.Relations, h.Edges, h.Nodes, h.Relations)
	}
	return nil
}

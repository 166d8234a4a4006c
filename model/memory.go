package model

import "flb-filter-rgcn/graphbuf"

// TrainingBytes is about how much memory Train takes for a snapshot on top of it and of the scorer in use, at most:
// the fixed part of the graph's tables, embeddings with their gradients, parameters with their
// moments. It allocates little itself, so that it can be asked before.
func TrainingBytes(snap *graphbuf.Snapshot, cfg Config) int64 {
	const float, source, target = 4, 1, 2
	cfg = cfg.sized(len(snap.Edges))
	if cfg.Objective == ReferenceGoal {
		nodes, k := int64(len(snap.Nodes)), int64(cfg.Dim)
		// The table with its moments and gradient, masks, outputs of two layers and their gradients; the
		// same four of the relations' weights; the split of the events.
		return nodes*k*float*10 + int64(len(snap.Relations))*k*(k+2)*float*4 + int64(len(snap.Edges))*40 + 8<<20
	}
	sides := make([]byte, len(snap.Nodes))
	for i := range snap.Edges {
		sides[snap.Edges[i].Source] |= source
		sides[snap.Edges[i].Destination] |= target
	}
	rows := int64(0) // of both sides
	for _, s := range sides {
		rows += int64(s&source) + int64(s&target)/target
	}
	edges := int64(len(snap.Edges))
	// Fixed inputs, outputs of two layers a side, their gradients, those that go back to first layers. The new
	// scorer, which has two rows a side, is made when all of these but the inputs are gone.
	bytes := rows * int64(cfg.Dim) * float * (1 + 2 + 2 + 1)
	// The data set with its look-ups and orders; of a large graph one window while the next is made.
	windows := int64(trainWindows + 1)
	if edges > keepEdges {
		windows = 2
	}
	bytes += edges * (275 + 65*windows)
	if cfg.Features != nil { // look-ups of three kinds of pairs, and a count of each in a window
		bytes += edges * int64(min(len(cfg.Features.Kinds()), MaxFeatures)) * 3 * (30 + 4*windows)
	}
	// Value and two moments, the same again of the model before, gradient twice, and a part of the gradient for
	// each further thread.
	for _, p := range layoutParams(cfg, len(snap.Relations)) {
		bytes += int64(p.rows) * int64(p.cols) * float * int64(8+cfg.Threads-1)
	}
	return bytes + 8<<20
}

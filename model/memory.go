package model

import (
	"unsafe"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/temporal"
)

// These functions predict the most memory that is live at one time, on top of the graph and of the scorer in use.
// Garbage that is not collected yet is for the caller to add. Bytes for each edge that are not spelt out were measured;
// TestTrainingBytes holds them to what trainings of many sizes take.

const float = 4

// fixedBytes is what does not grow with the graph: generators, tables, stacks.
const fixedBytes = 4 << 20

// TrainingBytes returns how much memory Train takes for a graph of such sizes, with its snapshot and the new
// scorer.
func TrainingBytes(s graphbuf.Sizes, cfg Config) int64 {
	cfg = cfg.sized(s.Edges)
	edges := int64(s.Edges)
	if cfg.Objective == ReferenceGoal {
		nodes, k := int64(s.Nodes), int64(cfg.Dim)
		// The table with its moments and gradient, masks, outputs of two layers and their gradients; the
		// same four of the relations' weights; the split of the events.
		training := nodes*k*float*10 + int64(s.Relations)*k*(k+2)*float*4 + edges*40
		return max(s.MakingBytes(), s.KeptBytes()+training) + fixedBytes
	}
	rows := int64(s.Sources + s.Destinations)
	// Fixed inputs, outputs of two layers a side, their gradients, those that go back to first layers. The new
	// scorer, which has two rows a side, is made when all of these but the inputs are gone.
	fitting := rows*int64(cfg.Dim)*float*(1+2+2+1) + batchBytes(cfg, s.Edges)
	scoring := rows*int64(cfg.Dim)*float*(1+2) + tableBytes(s)
	windows := int64(temporal.TrainWindows + 1)
	if cfg.OneWindow || edges > temporal.KeepEdges {
		windows = 1
	}
	training := max(fitting+(windows-1)*temporal.WindowBytes(s), scoring) + temporal.DatasetBytes(s) + temporal.OrderBytes(s) + temporal.WindowBytes(s)
	training += temporal.FeatureBytes(s, cfg.Features, windows)
	// Value and two moments, the same again of the model before, gradient twice, and a part of the gradient for
	// each further thread.
	training += gnn.NumParameters(cfg.network(), s.Relations) * float * int64(8+cfg.Threads-1)
	return max(s.MakingBytes(), s.KeptBytes()+training) + fixedBytes
}

// ScorerBytes returns how much memory Scorer takes for a graph of such sizes, with its snapshot.
func (m *Model) ScorerBytes(s graphbuf.Sizes, features HostFeatures) int64 {
	k, rows := int64(m.dim), int64(s.Sources+s.Destinations)
	if m.reference != nil {
		return s.MakingBytes() + fixedBytes
	}
	making := rows*k*float*2 + tableBytes(s) + temporal.DatasetBytes(s) + temporal.OrderBytes(s) + temporal.WindowBytes(s) + temporal.FeatureBytes(s, m.matching(features), 1)
	making += gnn.NumParameters(m.config().network(), s.Relations) * float * 3
	return max(s.MakingBytes(), s.KeptBytes()+making) + fixedBytes
}

// batchBytes is what the batches of a pass take, whose slices grow as they are filled.
func batchBytes(cfg Config, edges int) int64 {
	const growth = 1.5
	const triplet = temporal.TripletBytes + gnn.Hidden*float
	return int64(growth * float64(rounds(edges)*temporal.SampleSize*(1+cfg.Negatives)) * float64(triplet))
}

// tableBytes is what a scorer has beside its embeddings: rows by slot of the graph, and the scores that it keeps.
func tableBytes(s graphbuf.Sizes) int64 {
	const cell = unsafe.Sizeof(logitCell{}) + unsafe.Sizeof(staticCell{})
	return int64(3*s.Nodes)*int64(unsafe.Sizeof(slotRow{})) + int64(cacheCells(s.Edges))*int64(cell)
}

// smallerDims are the dimensions that Thriftier goes down.
var smallerDims = [...]int{256, 128, 64, 32, 16, 8}

// Thriftier returns the settings with which a training takes less memory: first windows one at a time, then
// smaller dimensions. It returns false where nothing is left to save. A dimension that the settings name stays.
func (c Config) Thriftier(edges int) (Config, bool) {
	if c.Objective == ReferenceGoal {
		return c, false
	}
	if !c.OneWindow && edges <= temporal.KeepEdges {
		c.OneWindow = true
		return c, true
	}
	if c.Dim != 0 && !c.shrunk {
		return c, false
	}
	now := c.sized(edges).Dim
	for _, dim := range smallerDims {
		if dim < now {
			c.Dim, c.shrunk = dim, true
			return c, true
		}
	}
	return c, false
}

// Width returns the dimension of a training of so many edges.
func (c Config) Width(edges int) int { return c.sized(edges).Dim }

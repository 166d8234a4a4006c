package model

import (
	"context"
	"errors"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/ranking"
)

// The values of Config.Objective.
const (
	Temporal      = "temporal"  // what follows after a cut in time, from what came before it
	ReferenceGoal = "reference" // the algorithm of the notebook, for comparison
)

// DefaultReference returns the notebook's settings, with the reference objective.
func DefaultReference() Config {
	r := baseline.Default()
	cfg := DefaultConfig()
	cfg.Objective = ReferenceGoal
	cfg.Dim, cfg.Dropout, cfg.Steps, cfg.LearningRate = r.Dim, r.Dropout, r.Epochs*r.StepsPerEpoch, r.LearningRate
	cfg.Sample, cfg.TrainShare = r.Sample, r.TrainShare
	cfg.Threshold.Method = Sigma
	return cfg
}

// reference returns the settings of the reference objective.
func (c Config) reference() baseline.Config {
	r := baseline.Default()
	r.Dim, r.Dropout, r.LearningRate, r.Decoder, r.Seed = c.Dim, c.Dropout, c.LearningRate, c.Decoder, c.Seed
	r.Epochs, r.StepsPerEpoch = 1, c.Steps // an epoch is nothing but a number of steps
	r.Sample, r.TrainShare = c.Sample, c.TrainShare
	return r
}

// trainByReference is Train for the reference objective. As the notebook does, it starts cold every time, and
// the new model always replaces the old one.
func trainByReference(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, progress func(step, steps int, loss float32)) (*Scorer, Report, error) {
	start := time.Now()
	report := Report{Nodes: len(snap.Nodes), Relations: len(snap.Relations), Edges: len(snap.Edges)}
	r, did, err := baseline.Train(ctx, snap, cfg.reference(), cfg.Device, progress)
	if cfg.Device == device.Auto && errors.Is(err, device.ErrFailed) {
		fallback := err
		r, did, err = baseline.Train(ctx, snap, cfg.reference(), device.CPU, progress)
		did.Fallback = fallback
	}
	report.Steps, report.Loss, report.Quality, report.Device, report.Fallback = did.Steps, did.Loss, did.Quality, did.Device, did.Fallback
	if errors.Is(err, baseline.ErrTooFew) {
		err = ErrTooLittle
	}
	if err != nil {
		return nil, report, err
	}
	m := &Model{
		Quality: report.Quality, reference: r, dim: cfg.Dim, decoderKind: cfg.Decoder, layer1: cfg.Layer1, layer2: cfg.Layer2,
		params: &optim.Params{}, heldOut: heldOutOf(r, snap.Edges),
	}
	num.Fill(m.scaling.Inv[:], 1)
	for _, n := range snap.Nodes {
		m.nodes = append(m.nodes, n.Name)
	}
	for _, n := range snap.Relations {
		m.relations = append(m.relations, n.Name)
	}
	m.SetThreshold(cfg.Threshold)
	report.Threshold = m.Threshold
	report.Duration = time.Since(start)
	return m.referenceScorer(snap), report, nil
}

// heldOutOf samples the scores of edges, for the methods of Threshold other than Sigma.
func heldOutOf(r *baseline.Model, edges []graphbuf.Edge) ranking.HeldOut {
	out := ranking.HeldOut{Even: 0.5}
	if len(edges) == 0 {
		return out
	}
	first, last := edges[0].First, edges[0].Last
	step := max(1, len(edges)/heldOutRows)
	for i := range edges {
		e := &edges[i]
		first, last = min(first, e.First), max(last, e.Last)
		if i%step == 0 {
			out.Scores = append(out.Scores, ranking.Weighted{Score: r.Score(e.Source, e.Relation, e.Destination), Weight: float32(step)})
		}
	}
	out.Days = float64(last-first) / float64(24*time.Hour)
	return out
}

// referenceScorer finds the model's hosts and relations in a snapshot by their names.
func (m *Model) referenceScorer(snap *graphbuf.Snapshot) *Scorer {
	find := func(known []string, names []graphbuf.Name) []slotRow {
		at := make(map[string]int32, len(known))
		for i, n := range known {
			at[n] = int32(i)
		}
		var top uint32
		for _, n := range names {
			top = max(top, n.ID.Slot)
		}
		out := make([]slotRow, top+1)
		for i := range out {
			out[i].row = -1
		}
		for _, n := range names {
			if row, ok := at[n.Name]; ok {
				out[n.ID.Slot] = slotRow{n.ID.Gen, row}
			}
		}
		return out
	}
	nodes := find(m.nodes, snap.Nodes)
	return &Scorer{model: m, sources: nodes, destinations: nodes, relations: find(m.relations, snap.Relations)}
}

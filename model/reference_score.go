package model

import (
	"context"

	"flb-filter-rgcn/graphbuf"
)

// ReferenceScorer scores by the reference objective, the algorithm of the notebook that this
// filter replaces. It is for comparison.
type ReferenceScorer struct {
	model            *reference
	nodes, relations []slotRow
}

// TrainReference trains by the reference objective with the notebook's settings.
func TrainReference(ctx context.Context, snap *graphbuf.Snapshot, seed uint64) (*ReferenceScorer, Report, error) {
	cfg := defaultReference()
	cfg.Seed = seed
	m, report, err := trainReference(ctx, snap, cfg, nil)
	if err != nil {
		return nil, report, err
	}
	return &ReferenceScorer{m, slotRows(snap.Nodes, indices(len(snap.Nodes))), slotRows(snap.Relations, indices(len(snap.Relations)))}, report, nil
}

func indices(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// Score tells how expected a session is, between 0 and 1. A host or a relation that came
// after the training scores 0: the notebook knows no others.
func (s *ReferenceScorer) Score(ref *graphbuf.Ref) float32 {
	return s.model.score(rowOf(s.nodes, ref.Source), rowOf(s.relations, ref.Relation), rowOf(s.nodes, ref.Destination))
}

// Threshold is the mean less two standard deviations of the scores of all events.
func (s *ReferenceScorer) Threshold() float32 { return s.model.threshold }

package model

import (
	"slices"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/ranking"
)

// Model is a trained network without a graph: its parameters, its threshold, and what is
// needed to go on training it or to score with it over another snapshot.
type Model struct {
	Trained   time.Time // when, in the trainer's clock; zero until SetTrained
	Threshold float32
	Quality   float64 // AUC over the held-out triplets of its training

	heldOut        ranking.HeldOut
	extent         // of the data that it learned from; its end is 0 in a model of a version that made too many steps, see due
	dim            int
	trainedText    string
	decoderKind    string
	layer1, layer2 string
	without        []string // of an ablation; not kept on disk
	features       []string // kinds of the hosts' features
	relations      []string
	params         *optim.Params
	scaling        gnn.Scaling
	measured       extent // of the data that scaling was measured on

	reference *baseline.Model // of the reference objective, which has nothing of params and scaling
	nodes     []string        // of its embeddings
}

// extent says how far data reach.
type extent struct {
	until    int64 // the newest event, unix nanoseconds
	triplets int
}

func newModel(snap *graphbuf.Snapshot, cfg Config) *Model {
	m := &Model{dim: cfg.Dim, decoderKind: cfg.Decoder, layer1: cfg.Layer1, layer2: cfg.Layer2, without: cfg.Without}
	for _, r := range snap.Relations {
		m.relations = append(m.relations, r.Name)
	}
	if cfg.Features != nil {
		m.features = cfg.Features.Kinds()
	}
	m.params = gnn.NewParams(cfg.network(), len(m.relations))
	return m
}

// SetThreshold computes the threshold anew from the held-out scores of the model's training.
func (m *Model) SetThreshold(t Threshold) {
	if m.reference != nil && t.Method == Sigma { // of the scores themselves, as the notebook has it
		m.Threshold = float32(m.reference.Mean - t.K*m.reference.SD)
		return
	}
	m.Threshold = t.of(m.heldOut.Scores, m.heldOut.Days, m.heldOut.Even)
}

// HeldOut returns the scores of the triplets that the model's training held out.
func (m *Model) HeldOut() ranking.HeldOut { return m.heldOut }

// Dim is the dimension of the embeddings.
func (m *Model) Dim() int { return m.dim }

// SetTrained records when the model was trained. The trainer calls it before it publishes the model.
func (m *Model) SetTrained(t time.Time) {
	m.Trained = t
	m.trainedText = t.UTC().Format(time.RFC3339)
}

// TrainedText is Trained as RFC 3339.
func (m *Model) TrainedText() string { return m.trainedText }

// config is the part of a Config that gives the network its shape.
func (m *Model) config() Config {
	return Config{Dim: m.dim, Decoder: m.decoderKind, Layer1: m.layer1, Layer2: m.layer2, Threads: 1, Without: m.without}
}

// adopt starts m from a previous model and tells whether that has the same shape.
func (m *Model) adopt(old *Model) bool {
	if old.reference != nil || m.dim != old.dim || m.decoderKind != old.decoderKind || m.layer1 != old.layer1 || m.layer2 != old.layer2 ||
		!slices.Equal(m.features, old.features) ||
		!m.params.Adopt(old.params, old.relations, m.relations) {
		return false
	}
	m.scaling, m.measured = old.scaling, old.measured
	return true
}

func (m *Model) clone() *Model {
	c := *m
	c.params = &optim.Params{Steps: m.params.Steps, Passes: m.params.Passes}
	for _, p := range m.params.List {
		q := *p
		q.Value, q.Mean, q.Square = slices.Clone(p.Value), slices.Clone(p.Mean), slices.Clone(p.Square)
		c.params.List = append(c.params.List, &q)
	}
	return &c
}

func (m *Model) decoder() *gnn.Decoder {
	d := gnn.NewDecoder(m.config().network(), m.params)
	d.Scaling = &m.scaling
	return d
}

// matching returns the features if the model was trained with their kinds, else nil.
func (m *Model) matching(features HostFeatures) HostFeatures {
	if features == nil || !slices.Equal(features.Kinds(), m.features) {
		return nil
	}
	return features
}

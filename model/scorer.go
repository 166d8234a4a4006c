package model

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
	"flb-filter-rgcn/model/ranking"
)

// Model is a trained network without a graph: its parameters, its threshold, and what is
// needed to go on training it or to score with it over another snapshot.
type Model struct {
	Trained   time.Time // when, in the trainer's clock; zero until SetTrained
	Threshold float32
	Quality   float64 // AUC over the held-out triplets of its training

	heldOut        ranking.HeldOut
	dim            int
	trainedText    string
	decoderKind    string
	layer1, layer2 string
	without        []string // of an ablation; not kept on disk
	features       []string // kinds of the hosts' features
	relations      []string
	params         *optim.Params
	scaling        gnn.Scaling

	reference *baseline.Model // of the reference objective, which has nothing of params and scaling
	nodes     []string        // of its embeddings
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

// SetThreshold sets the threshold anew by the scores that the model's training held out.
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

// SetTrained notes when the model was trained. It is for the trainer, before it publishes.
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

// adopt starts m from a previous model, if that has the same shape.
func (m *Model) adopt(old *Model) bool {
	if old.reference != nil || m.dim != old.dim || m.decoderKind != old.decoderKind || m.layer1 != old.layer1 || m.layer2 != old.layer2 ||
		!slices.Equal(m.features, old.features) ||
		!m.params.Adopt(old.params, old.relations, m.relations) {
		return false
	}
	m.scaling = old.scaling
	return true
}

// A model whose held-out AUC is below leastQuality, or was taken over fewer triplets than leastHeldOut, cannot
// tell an unusual session from a usual one.
const (
	leastQuality = 0.6
	leastHeldOut = 20
)

// IsWeak tells whether the model is not to be relied on for low scores.
func (m *Model) IsWeak() bool {
	return len(m.heldOut.Scores) < leastHeldOut || m.Quality < leastQuality
}

// Weak returns why the model is weak, "" for one that is not.
func (m *Model) Weak() string {
	switch n := len(m.heldOut.Scores); {
	case !m.IsWeak():
		return ""
	case n < leastHeldOut:
		return fmt.Sprintf("%d sessions were held out of the training to judge it, want %d; more data will do", n, leastHeldOut)
	}
	return fmt.Sprintf("the model's held-out AUC is %.3f, want %.1f: it can hardly tell sessions that came from made-up ones. "+
		"Check that source, relation and destination are the right fields", m.Quality, leastQuality)
}

func (m *Model) clone() *Model {
	c := *m
	c.params = &optim.Params{Steps: m.params.Steps}
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

// Scorer scores triplets over the graph of one snapshot. It is safe for many goroutines
// and, but for the scores that it keeps to be faster, immutable.
type Scorer struct {
	model   *Model
	decoder *gnn.Decoder
	gnn.Embeddings
	// By slot of the graph: the row of a source, of a destination, the number of a
	// relation, each with the generation that it holds for. Slot 0 is nobody's.
	sources, destinations, relations []slotRow
	banners                          *temporal.Trigrams
	relationsOf                      temporal.RelationTimes
	peers                            *peerIndex // nil: hosts have no features
	tenures                          temporal.Tenures
	cache                            cache
}

type slotRow struct {
	gen uint32
	row int32
}

// peerIndex is what features of hosts are asked about: see peers.
type peerIndex struct {
	peers  *temporal.Peers
	met    *temporal.Cooccurrence
	sd, sr *num.Pairs
}

// Scorer makes a scorer over a snapshot: one forward pass over its edges. Features of kinds
// that the model was not trained with count for nothing.
func (m *Model) Scorer(snap *graphbuf.Snapshot, threads int, features NodeFeatures) *Scorer {
	if m.reference != nil {
		return m.referenceScorer(snap)
	}
	fresh := newModel(snap, Config{Dim: m.dim, Decoder: m.decoderKind, Layer1: m.layer1, Layer2: m.layer2, Seed: 1})
	fresh.features = m.features
	fresh.adopt(m)
	fresh.Threshold, fresh.Quality, fresh.heldOut = m.Threshold, m.Quality, m.heldOut
	fresh.SetTrained(m.Trained)
	ds := temporal.NewDataset(snap, m.matching(features))
	cfg := m.config().network()
	cfg.Threads = threads
	sh := gnn.Shape{Sources: len(ds.Sources), Destinations: len(ds.Destinations), Relations: ds.Relations}
	s, _ := fresh.scorer(snap, ds, func(p *optim.Params, c *temporal.Cut) (*gnn.Embeddings, error) {
		input := func(side []int32) func() []float32 {
			return func() []float32 { return gnn.FixedInputs(snap, side, m.dim) }
		}
		return gnn.Embed(cfg, sh, p, c.Messages(), input(ds.Destinations), input(ds.Sources)), nil
	})
	return s
}

// scorer makes a scorer over all of a snapshot by the embeddings that embed computes.
func (m *Model) scorer(snap *graphbuf.Snapshot, ds *temporal.Dataset, embed func(*optim.Params, *temporal.Cut) (*gnn.Embeddings, error)) (*Scorer, error) {
	all := temporal.NewCut(ds, ds.End+1, temporal.NewOrders(ds))
	e, err := embed(m.params, all)
	if err != nil {
		return nil, err
	}
	s := &Scorer{model: m, decoder: m.decoder(), Embeddings: *e}
	s.banners, s.relationsOf, s.tenures = ds.Names, ds.RelationsOf, ds.Tenures
	if ds.Peers != nil {
		s.peers = &peerIndex{ds.Peers, all.Cooccurrence, ds.SD, ds.SR}
	}
	s.sources = slotRows(snap.Nodes, ds.Sources)
	s.destinations = slotRows(snap.Nodes, ds.Destinations)
	s.relations = slotRows(snap.Relations, indices(len(snap.Relations)))
	s.cache = newCache(len(snap.Edges))
	return s, nil
}

// indices are the numbers from 0 to n-1.
func indices(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

func slotRows(names []graphbuf.Name, rows []int32) []slotRow {
	var top uint32
	for _, i := range rows {
		top = max(top, names[i].ID.Slot)
	}
	out := make([]slotRow, top+1)
	for i := range out {
		out[i].row = -1
	}
	for r, i := range rows {
		out[names[i].ID.Slot] = slotRow{names[i].ID.Gen, int32(r)}
	}
	return out
}

func rowOf(rows []slotRow, id graphbuf.ID) int32 {
	if int(id.Slot) < len(rows) && rows[id.Slot].gen == id.Gen {
		return rows[id.Slot].row
	}
	return -1
}

// Model returns what the scorer scores with.
func (s *Scorer) Model() *Model { return s.model }

// Threshold is the score below which a session is unusually unexpected.
func (s *Scorer) Threshold() float32 { return s.model.Threshold }

// Score tells how expected an event is, between 0 and 1, from what the graph knew just
// before it. Of hosts that came after the training it asks g, which may be nil. It does not allocate. By the reference objective whatever came after the
// training scores 0: it has no embedding for that.
func (s *Scorer) Score(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref) float32 {
	if r := s.model.reference; r != nil {
		return r.Score(rowOf(s.sources, ref.Source), rowOf(s.relations, ref.Relation), rowOf(s.destinations, ref.Destination))
	}
	src, rel, dst := rowOf(s.sources, ref.Source), rowOf(s.relations, ref.Relation), rowOf(s.destinations, ref.Destination)
	return num.Sigmoid(s.logit(g, event, ref, src, rel, dst) + s.tenures.Factor(ref.SourceSince, ref.RelationSince, ref.Time))
}

// logit is what the decoder makes of an event, kept or computed.
func (s *Scorer) logit(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	if src < 0 || rel < 0 || dst < 0 {
		return s.compute(g, event, ref, src, rel, dst)
	}
	lasting := staticKey(ref, s.relationsOf.SettledBy(src, ref.Time))
	cell, key := s.cache.logit(ref.Edge), logitKey(lasting, ref)
	logit, ok := cell.get(key)
	if !ok {
		seen := coarsen(*ref)
		x := scratches.Get().(*scratch)
		logit = s.decode(x, event, &seen, src, rel, dst, s.static(lasting, ref, src, rel, dst))
		scratches.Put(x)
		cell.put(key, logit)
	}
	return logit
}

// static is what of a triplet that the model knows stays as it is from session to session, kept or computed.
func (s *Scorer) static(key uint64, ref *graphbuf.Ref, src, rel, dst int32) staticInputs {
	cell := s.cache.static(ref.Edge)
	x, ok := cell.get(key)
	if !ok {
		x.Structure = s.decoder.Structure(&s.Embeddings, src, rel, dst, &temporal.Neighbours{})
		x.similar = s.relationsOf.Similarity(s.banners, s.banners.Row(rel), src, ref.Time)
		cell.put(key, x)
	}
	return x
}

// compute is logit for the rows of source, relation and destination, -1 where unknown.
func (s *Scorer) compute(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	seen := coarsen(*ref)
	return s.computeOf(g, event, &seen, src, rel, dst)
}

// computeOf is compute for a ref that need not be coarse.
func (s *Scorer) computeOf(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	var l staticInputs
	switch {
	case src >= 0 && rel >= 0:
		l.similar = s.relationsOf.Similarity(s.banners, s.banners.Row(rel), src, ref.Time)
	case src >= 0:
		v := s.banners.Vector(event.Relation)
		l.similar = s.relationsOf.Similarity(s.banners, v[:], src, ref.Time)
	}
	x := scratches.Get().(*scratch)
	defer scratches.Put(x)
	near := s.near(g, x, ref, src, dst)
	l.Structure = s.decoder.Structure(&s.Embeddings, src, rel, dst, &near)
	return s.decode(x, event, ref, src, rel, dst, l)
}

// decode is computeOf from what lasts of the triplet.
func (s *Scorer) decode(x *scratch, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32, l staticInputs) float32 {
	n := temporal.LiveCounts(ref)
	n[temporal.Similar] = l.similar
	if s.peers != nil {
		s.peers.facts(&n, x, event, src, rel, dst)
	}
	s.decoder.Inputs(&x.f, &n, l.Structure)
	return s.decoder.Logit(&x.f, &x.h, nil)
}

// facts adds those that features bring to an event.
func (k *peerIndex) facts(f *temporal.Counts, x *scratch, event *graphbuf.Event, src, rel, dst int32) {
	features := func(lists *temporal.FeatureLists, row int32, host []byte, room *[MaxFeatures]int32) []int32 {
		if row >= 0 {
			return lists.Of(row)
		}
		x.hashes = k.peers.Features.Append(x.hashes[:0], host)
		return k.peers.Find(room[:0], x.hashes)
	}
	of := features(&k.peers.Source, src, event.Source, &x.source)
	to := features(&k.peers.Destination, dst, event.Destination, &x.destination)
	k.peers.AddCounts(f, k.met, of, to, src, rel, dst, k.sd.Find(src, dst) >= 0, k.sr.Find(src, rel) >= 0)
}

// matching returns the features if the model was trained with their kinds, else nil.
func (m *Model) matching(features NodeFeatures) NodeFeatures {
	if features == nil || !slices.Equal(features.Kinds(), m.features) {
		return nil
	}
	return features
}

// scratch is what one score needs. It would go to the heap from the stack: not everything that
// is called promises to let go of its arguments.
type scratch struct {
	f [gnn.NumInputs]float32
	h [gnn.Hidden]float32
	// Of hosts that the training did not know.
	ids                 [temporal.MaxNeighbours]graphbuf.ID
	hashes              []uint64
	source, destination [MaxFeatures]int32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

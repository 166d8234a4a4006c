package model

import (
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// Scorer scores triplets over the graph of one snapshot. It is safe for many goroutines. Except for its cache,
// it is immutable.
type Scorer struct {
	model   *Model
	decoder *gnn.Decoder
	gnn.Embeddings
	// By slot of the graph: the row of a source, of a destination, the number of a
	// relation, each with the generation that it holds for. Slot 0 is nobody's.
	sources, destinations, relations []slotRow
	names                            *temporal.Trigrams
	relationsOf                      temporal.RelationTimes
	peers                            *peerIndex // nil: hosts have no features
	tenures                          temporal.Tenures
	recent                           temporal.Recent
	end                              int64 // unix nanoseconds of the snapshot's last event
	cache                            cache
}

// slotRow is the row of a name; -1: none. A newcomer, see temporal.Dataset.Newcomer, has -2 less its row.
type slotRow struct {
	gen uint32
	row int32
}

// peerIndex answers what the features of hosts tell of an event, see temporal.Peers.
type peerIndex struct {
	peers        *temporal.Peers
	cooccurrence *temporal.Cooccurrence
	sd, sr       *num.Pairs
}

// Scorer makes a scorer over a snapshot, by one forward pass over its edges. Features of kinds other than those
// of the training are ignored.
func (m *Model) Scorer(snap *graphbuf.Snapshot, threads int, features HostFeatures) *Scorer {
	if m.reference != nil {
		return m.referenceScorer(snap)
	}
	fresh := newModel(snap, Config{Dim: m.dim, Decoder: m.decoderKind, Layer1: m.layer1, Layer2: m.layer2, Seed: 1})
	fresh.features = m.features
	fresh.adopt(m)
	fresh.Threshold, fresh.Quality, fresh.heldOut, fresh.until, fresh.triplets = m.Threshold, m.Quality, m.heldOut, m.until, m.triplets
	fresh.SetTrained(m.Trained)
	pool := num.NewPool(threads, nil)
	defer pool.Close()
	ds := temporal.NewDataset(snap, m.matching(features), pool)
	cfg := m.config().network()
	cfg.Pool = pool
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
	s.names, s.relationsOf, s.tenures, s.recent, s.end = ds.Names, ds.RelationsOf, ds.Tenures, all.Recent, ds.End
	if ds.Peers != nil {
		s.peers = &peerIndex{ds.Peers, all.Cooccurrence, ds.SD, ds.SR}
	}
	s.sources = slotRows(snap.Nodes, ds.Sources)
	for row, i := range ds.Sources {
		if ds.Newcomer(int32(row)) {
			s.sources[snap.Nodes[i].ID.Slot].row = int32(-2 - row)
		}
	}
	s.destinations = slotRows(snap.Nodes, ds.Destinations)
	s.relations = slotRows(snap.Relations, indices(len(snap.Relations)))
	s.cache = newCache(len(snap.Edges))
	return s, nil
}

// indices returns the numbers from 0 to n-1.
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

// rowOf returns the row of a name, -1 where the model does not know it or takes it for a newcomer.
func rowOf(rows []slotRow, id graphbuf.ID) int32 { return max(slotOf(rows, id), -1) }

// anyRowOf is rowOf, and has the rows of newcomers too.
func anyRowOf(rows []slotRow, id graphbuf.ID) int32 {
	row := slotOf(rows, id)
	if row < -1 {
		return -2 - row
	}
	return row
}

func slotOf(rows []slotRow, id graphbuf.ID) int32 {
	if int(id.Slot) < len(rows) && rows[id.Slot].gen == id.Gen {
		return rows[id.Slot].row
	}
	return -1
}

// Model returns what the scorer scores with.
func (s *Scorer) Model() *Model { return s.model }

// Threshold returns the score below which a session is unusual.
func (s *Scorer) Threshold() float32 { return s.model.Threshold }

// Score returns how expected an event is, between 0 and 1, from what the graph knew just before it. About hosts
// that came after the training it asks g, which may be nil. It does not allocate. With the reference objective
// whatever came after the training scores 0, since it has no embedding.
func (s *Scorer) Score(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref) float32 {
	src, rel, dst := rowOf(s.sources, ref.Source), rowOf(s.relations, ref.Relation), rowOf(s.destinations, ref.Destination)
	if r := s.model.reference; r != nil {
		return r.Score(src, rel, dst)
	}
	var logit float32
	if src >= 0 && rel >= 0 && dst >= 0 {
		logit = s.logit(event, ref, src, rel, dst)
	} else {
		logit = s.compute(g, event, ref, src, rel, dst)
	}
	logit += s.tenure(event, ref, src, rel, dst)
	if logit < 0 && s.mayBeAnothers(ref, src) {
		fresh := asFresh(*ref)
		logit = max(logit, s.compute(nil, event, &fresh, -1, rel, dst)+s.tenure(event, &fresh, -1, rel, dst))
	}
	return num.Sigmoid(logit)
}

const (
	// quietFor is for how long a host has to be quiet, in nanoseconds, so that its name may be another's: longer than over a
	// long weekend, on which most hosts are.
	quietFor = int64(4 * 24 * time.Hour)
	// quietTriplets is how many triplets of a quiet source count as active lately at most: see temporal.Recent.
	quietTriplets = 0.7
)

// mayBeAnothers tells that an event's source may be another machine than the one that had its name or address before. It
// was quiet, did little lately, and does now what it never did. An address of a pool that goes from one user to the next
// is the rule in many networks. Where hosts have no features, nothing tells who could have it now. src is the source's row.
func (s *Scorer) mayBeAnothers(ref *graphbuf.Ref, src int32) bool {
	return src >= 0 && s.peers != nil && ref.Counts.SRD == 0 && ref.HostQuiet >= quietFor &&
		s.recent.OfS[src]*graphbuf.Fade(ref.Time-s.end) < quietTriplets && ref.NewDestinations < quietTriplets
}

// asFresh takes all that the source did out of what the graph knew of an event of a new triplet. Whoever holds a name that
// somebody had before is no stranger than whoever holds one that nobody had: the score is at least that of a host never
// seen, with the same features.
func asFresh(ref graphbuf.Ref) graphbuf.Ref {
	c := &ref.Counts
	c.SD, c.SR, c.S, c.DestinationsOfS, c.RelationsOfS = 0, 0, 0, 0, 0
	ref.NewDestinations = 0
	ref.SourceSince, ref.HostSince = ref.Time, ref.Time
	return ref
}

// tenure is what the ages of an event's source and relation add to its logit, from the rows of its parts.
func (s *Scorer) tenure(event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	var similar float32
	switch {
	case !s.tenures.IsYoung(ref.RelationSince, ref.Time):
	case src >= 0 && rel >= 0 && dst >= 0: // it is kept with the other inputs
		similar = s.static(staticKey(ref, s.relationsOf.SettledBy(src, ref.Time)), ref, src, rel, dst).similar
	default:
		similar = s.similarity(event, ref, src, rel)
	}
	return s.tenures.Factor(temporal.Since{Source: ref.SourceSince, Host: ref.HostSince, Relation: ref.RelationSince}, ref.Time, similar)
}

// similarity is how much an event's relation resembles those its source is known by, from their rows, -1 where unknown.
func (s *Scorer) similarity(event *graphbuf.Event, ref *graphbuf.Ref, src, rel int32) float32 {
	switch {
	case src < 0:
		return 0
	case rel >= 0:
		return s.relationsOf.Similarity(s.names, s.names.Row(rel), src, ref.Time)
	}
	v := s.names.Vector(event.Relation)
	return s.relationsOf.Similarity(s.names, v[:], src, ref.Time)
}

// unlearned tells that an event repeats one of a triplet that the training did not know, or whose source it takes for
// unknown. src is the source's row.
func (s *Scorer) unlearned(ref *graphbuf.Ref, src int32) bool {
	return ref.Counts.SRD > 0 && (src < 0 || ref.TripletSince > s.end)
}

// isOldRepeat tells that an event repeats a triplet of a host that came so long ago that trainings draw no returns of it.
// What such a host does once a week is drawn as a corrupted triplet that paused, and what it never did is not.
func (s *Scorer) isOldRepeat(ref *graphbuf.Ref) bool {
	return ref.Counts.SRD > 0 && ref.Time-ref.HostSince > temporal.Youngest
}

// asAtFirst takes the triplet's own earlier events out of what the graph knew of an event. In training no triplet comes
// again before a later cut, so nothing is learned of such repeats, and on some networks they looked much less expected
// than the first session did. So the score of a repeat is at least that of the first session: to try again is no anomaly.
// That holds for repeats that the training did not know, and for low scores of hosts that are old. Those of young ones may
// be an intruder's returns.
func asAtFirst(ref graphbuf.Ref) graphbuf.Ref {
	c := &ref.Counts
	ref.HalfDays = 0
	own := c.SRD
	for _, n := range []*uint32{&c.SRD, &c.SD, &c.SR, &c.RD, &c.S, &c.D, &c.R} {
		*n -= min(*n, own)
	}
	if c.SD == 0 {
		c.DestinationsOfS -= min(c.DestinationsOfS, 1)
		c.SourcesOfD -= min(c.SourcesOfD, 1)
		ref.NewDestinations = max(0, ref.NewDestinations-graphbuf.Fade(ref.Time-ref.TripletSince))
	}
	if c.SR == 0 {
		c.RelationsOfS -= min(c.RelationsOfS, 1)
		c.SourcesOfR -= min(c.SourcesOfR, 1)
	}
	return ref
}

// logit returns the logit of an event whose parts the training knew, from the cache or computed.
func (s *Scorer) logit(event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	lasting := staticKey(ref, s.relationsOf.SettledBy(src, ref.Time))
	cell, key := s.cache.logit(ref.Edge), logitKey(lasting, ref)
	logit, ok := cell.get(key)
	repeat := s.unlearned(ref, src)
	if ok && !repeat && (logit >= 0 || !s.isOldRepeat(ref)) {
		return logit
	}
	x := scratches.Get().(*scratch)
	defer scratches.Put(x)
	l := s.static(lasting, ref, src, rel, dst)
	if !ok {
		seen := coarsen(*ref)
		logit = s.decode(x, event, &seen, src, rel, dst, l)
		cell.put(key, logit)
	}
	if repeat || logit < 0 && s.isOldRepeat(ref) {
		logit = max(logit, s.decodeFirst(x, event, ref, src, rel, dst, l))
	}
	return logit
}

// static returns the inputs of a known triplet that no count changes, from the cache or computed.
func (s *Scorer) static(key uint64, ref *graphbuf.Ref, src, rel, dst int32) staticInputs {
	cell := s.cache.static(ref.Edge)
	x, ok := cell.get(key)
	if !ok {
		x.Structure = s.decoder.Structure(&s.Embeddings, src, rel, dst, &temporal.Neighbours{})
		x.similar = s.similarity(nil, ref, src, rel)
		cell.put(key, x)
	}
	return x
}

// compute computes the logit from the rows of source, relation and destination, -1 where unknown.
func (s *Scorer) compute(g Neighbours, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	x := scratches.Get().(*scratch)
	defer scratches.Put(x)
	l := s.lasting(g, x, event, ref, src, rel, dst)
	seen := coarsen(*ref)
	logit := s.decode(x, event, &seen, src, rel, dst, l)
	if s.unlearned(ref, src) || logit < 0 && s.isOldRepeat(ref) {
		logit = max(logit, s.decodeFirst(x, event, ref, src, rel, dst, l))
	}
	return logit
}

// lasting computes the inputs of an event that no count changes.
func (s *Scorer) lasting(g Neighbours, x *scratch, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) (l staticInputs) {
	l.similar = s.similarity(event, ref, src, rel)
	near := s.near(g, x, ref, src, dst)
	l.Structure = s.decoder.Structure(&s.Embeddings, src, rel, dst, &near)
	return l
}

// decodeFirst is decode of the first session of the event's triplet, as it would score at the event's time.
func (s *Scorer) decodeFirst(x *scratch, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32, l staticInputs) float32 {
	first := coarsen(asAtFirst(*ref))
	return s.decode(x, event, &first, src, rel, dst, l)
}

// decode computes the logit of an event from its counts, as they are, and the inputs that no count changes.
func (s *Scorer) decode(x *scratch, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32, l staticInputs) float32 {
	n := temporal.LiveCounts(ref)
	n[temporal.Similar] = l.similar
	s.recent.Fill(&n, src, dst)
	if s.peers != nil {
		s.peers.addCounts(&n, x, event, anyRowOf(s.sources, ref.Source), rel, dst) // no host is its own peer
	}
	s.decoder.Inputs(&x.f, &n, l.Structure)
	return s.decoder.Logit(&x.f, &x.h, nil)
}

// addCounts fills in the counts that features of hosts bring to an event.
func (k *peerIndex) addCounts(f *temporal.Counts, x *scratch, event *graphbuf.Event, src, rel, dst int32) {
	features := func(lists *temporal.FeatureLists, row int32, host []byte, room *[MaxFeatures]int32) []int32 {
		if row >= 0 {
			return lists.Of(row)
		}
		x.hashes = k.peers.Features.Append(x.hashes[:0], host)
		return k.peers.Find(room[:0], x.hashes)
	}
	of := features(&k.peers.Source, src, event.Source, &x.source)
	to := features(&k.peers.Destination, dst, event.Destination, &x.destination)
	k.peers.AddCounts(f, k.cooccurrence, of, to, src, rel, dst, temporal.Own{
		SD: k.sd.Find(src, dst) >= 0, SR: k.sr.Find(src, rel) >= 0, S: src >= 0, D: dst >= 0,
	})
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

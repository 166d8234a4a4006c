package temporal

import "flb-filter-rgcn/graphbuf"

// Counts are what was counted of a triplet's parts just before its event.
type Counts [NumCounts]float32

// The entries of Counts: events of each part of the triplet, numbers of different partners, the source's new
// destinations, the triplets of both ends that were active lately, how similar the relation's name is to the source's
// others, and on how many half days the triplet was seen. What was never seen is 0. The age of the parts is not among
// them, see Tenures.
const (
	CountSRD = iota
	CountSD
	CountSR
	CountRD
	CountS
	CountD
	CountR
	DestinationsOfS
	RelationsOfS
	SourcesOfD
	SourcesOfR
	NewDestinations // each fading by half in a day
	RecentOfS       // triplets of the source that were active lately: see Recent
	RecentOfD       // those of the destination
	Similar         // 0 to 1: see Trigrams
	HalfDays        // on which the triplet was seen
	PeersToD        // peers of the source that met the destination: see peers; 0 where hosts have no features
	ToPeersOfD      // peers of the destination that the source met
	PeersUseR       // peers of the source that use the relation
	PeersOfS        // peers of the source: of how many the two above speak
	PeersOfD        // peers of the destination
	GroupsMet       // pairs of a host of the source's group and one of the destination's that met, see Peers.group
	NumCounts

	NumPeerCounts  = NumCounts - PeersToD
	NumEventCounts = CountR + 1 // those of which it also matters whether they are zero
)

// LiveCounts returns the counts that the graph gave for an event. Recent ones, Similar and the counts of peers are 0:
// the caller fills them in.
func LiveCounts(ref *graphbuf.Ref) Counts {
	c := &ref.Counts
	return Counts{
		float32(c.SRD), float32(c.SD), float32(c.SR), float32(c.RD), float32(c.S), float32(c.D), float32(c.R),
		float32(c.DestinationsOfS), float32(c.RelationsOfS), float32(c.SourcesOfD), float32(c.SourcesOfR),
		ref.NewDestinations,
		0, 0, 0, float32(ref.HalfDays), 0, 0, 0, 0, 0, 0,
	}
}

// counts returns the counts of a triplet at a time of the window. A part that is -1 is unknown.
func (w *Window) counts(ds *Dataset, s, r, d int32, t int64) (f Counts) {
	pair := ds.SD.Find(s, d)
	if i := ds.triplet.Find(pair, r); i >= 0 && ds.Edges[i].First < t {
		f[CountSRD] = max(1, w.srd[i])
		f[HalfDays] = float32(ds.halfDays(&ds.Edges[i], w.At))
	}
	if pair >= 0 {
		f[CountSD] = w.sd[pair] + w.deltas.sd.before(pair, t)
	}
	if i := ds.SR.Find(s, r); i >= 0 {
		f[CountSR] = w.sr[i] + w.deltas.sr.before(i, t)
	}
	if i := ds.rd.Find(r, d); i >= 0 {
		f[CountRD] = w.rd[i] + w.deltas.rd.before(i, t)
	}
	if s >= 0 {
		f[CountS] = w.s[s] + w.deltas.s.before(s, t)
		f[DestinationsOfS] = w.destinationsOfS[s] + w.deltas.destinationsOfS.before(s, t)
		f[RelationsOfS] = w.relationsOfS[s] + w.deltas.relationsOfS.before(s, t)
		f[NewDestinations] = ds.newDestinations(s, t)
	}
	if d >= 0 {
		f[CountD] = w.d[d] + w.deltas.d.before(d, t)
		f[SourcesOfD] = w.sourcesOfD[d] + w.deltas.sourcesOfD.before(d, t)
	}
	if r >= 0 {
		f[CountR] = w.r[r] + w.deltas.r.before(r, t)
		f[SourcesOfR] = w.sourcesOfR[r] + w.deltas.sourcesOfR.before(r, t)
	}
	w.Recent.Fill(&f, s, d)
	if s >= 0 && r >= 0 {
		f[Similar] = ds.RelationsOf.Similarity(ds.Names, ds.Names.Row(r), s, t)
	}
	return f
}

// clearRelation turns the counts into those of a relation with the same name that was never seen.
func (f *Counts) clearRelation() {
	for _, i := range []int{CountSRD, HalfDays, CountSR, CountRD, CountR, SourcesOfR, PeersUseR} {
		f[i] = 0
	}
}

// newDestinations counts the source's new destinations before t, each fading with its age as in the graph.
func (ds *Dataset) newDestinations(s int32, t int64) (sum float32) {
	const enough = 32 // older ones have faded, or there are so many that it does not matter
	times := ds.destinationsOf.times[ds.destinationsOf.start[s]:ds.destinationsOf.start[s+1]]
	n := int(ds.destinationsOf.before(s, t))
	for _, first := range times[max(0, n-enough):n] {
		sum += graphbuf.Fade(t - first)
	}
	return sum
}

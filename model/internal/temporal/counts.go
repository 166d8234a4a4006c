package temporal

import (
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// Counts are what was counted of a triplet's parts just before its event.
type Counts [NumCounts]float32

// The entries of Counts: events of each part of the triplet, numbers of different partners, the source's new
// destinations, and how similar the relation's name is to the source's others. What was never seen is 0. The age
// of the parts is not among them, see Tenures.
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
	Similar         // 0 to 1: see banners
	PeersToD        // peers of the source that met the destination: see peers; 0 where hosts have no features
	ToPeersOfD      // peers of the destination that the source met
	PeersUseR       // peers of the source that use the relation
	NumCounts

	NumPeerCounts  = NumCounts - PeersToD
	NumEventCounts = CountR + 1 // those of which it also matters whether they are zero
)

// LiveCounts returns the counts that the graph gave for an event. Similar and the counts of peers are 0: the
// caller fills them in.
func LiveCounts(ref *graphbuf.Ref) Counts {
	c := &ref.Counts
	return Counts{
		float32(c.SRD), float32(c.SD), float32(c.SR), float32(c.RD), float32(c.S), float32(c.D), float32(c.R),
		float32(c.DestinationsOfS), float32(c.RelationsOfS), float32(c.SourcesOfD), float32(c.SourcesOfR),
		ref.NewDestinations,
		0, 0, 0, 0,
	}
}

// eventTimes are lists of times by key, each in ascending order.
type eventTimes struct {
	start []int32
	times []int64
	other []int32 // the other end of the pair that came; nil where nobody asks
}

// newEventTimes lists the first times of the edges by key, 0 to n-1. An edge whose key is -1 is left out. The
// edges are in order of time.
func newEventTimes(n int, edges []Edge, key, other func(e *Edge) int32) eventTimes {
	keys := make([]int32, len(edges))
	for i := range edges {
		keys[i] = key(&edges[i])
	}
	var g num.Grouping
	g.By(keys, n, nil)
	t := eventTimes{start: g.Start, times: make([]int64, len(g.Items))}
	for at, i := range g.Items {
		t.times[at] = edges[i].First
	}
	if other != nil {
		t.other = g.Items
		for at, i := range g.Items {
			t.other[at] = other(&edges[i])
		}
	}
	return t
}

// eachLast calls do with the other ends of the last few pairs of key i before t, the latest first.
func (a *eventTimes) eachLast(i int32, t int64, do func(other int32)) {
	const few = 2 * MaxNeighbours // some are left out
	from := a.start[i]
	n := int32(a.before(i, t))
	for j := from + n - 1; j >= max(from, from+n-few); j-- {
		do(a.other[j])
	}
}

// before returns how many times of key i lie before t.
func (a *eventTimes) before(i int32, t int64) float32 {
	list := a.times[a.start[i]:a.start[i+1]]
	n, _ := slices.BinarySearch(list, t)
	return float32(n)
}

// deltas are the edges first seen within a window, by each of their parts. Added to the counts at the cut they
// give the counts at any moment of the window, as a scorer with live counts sees them.
type deltas struct {
	sd, sr, rd, s, d, r                                   eventTimes
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR eventTimes
}

func newDeltas(ds *Dataset, c *Cut, end int64) *deltas {
	from, _ := slices.BinarySearchFunc(ds.Edges, c.At, func(e Edge, t int64) int { return int(min(max(e.First-t, -1), 1)) })
	to, _ := slices.BinarySearchFunc(ds.Edges, end, func(e Edge, t int64) int { return int(min(max(e.First-t, -1), 1)) })
	edges := ds.Edges[from:to]
	// Of a pair that is new, its first edge counts.
	freshSD, freshSR := make([]bool, len(edges)), make([]bool, len(edges))
	seenSD, seenSR := make(map[int32]bool, len(edges)), make(map[int32]bool, len(edges))
	for i := range edges {
		e := &edges[i]
		freshSD[i] = c.sd[e.sd] == 0 && !seenSD[e.sd]
		freshSR[i] = c.sr[e.sr] == 0 && !seenSR[e.sr]
		seenSD[e.sd], seenSR[e.sr] = true, true
	}
	all := func(n int, key func(e *Edge) int32) eventTimes { return newEventTimes(n, edges, key, nil) }
	fresh := func(n int, is []bool, key, other func(e *Edge) int32) eventTimes {
		i := -1
		return newEventTimes(n, edges, func(e *Edge) int32 {
			if i++; is[i] {
				return key(e)
			}
			return -1
		}, other)
	}
	source, target := len(ds.Sources), len(ds.Destinations)
	s := func(e *Edge) int32 { return e.S }
	d := func(e *Edge) int32 { return e.D }
	r := func(e *Edge) int32 { return e.R }
	return &deltas{
		sd: all(ds.sdN, func(e *Edge) int32 { return e.sd }),
		sr: all(ds.srN, func(e *Edge) int32 { return e.sr }),
		rd: all(ds.rdN, func(e *Edge) int32 { return e.rd }),
		s:  all(source, s), d: all(target, d), r: all(ds.Relations, r),
		destinationsOfS: fresh(source, freshSD, s, d), sourcesOfD: fresh(target, freshSD, d, s),
		relationsOfS: fresh(source, freshSR, s, nil), sourcesOfR: fresh(ds.Relations, freshSR, r, nil),
	}
}

// counts returns the counts of a triplet at a time of the window. A part that is -1 is unknown.
func (w *Window) counts(ds *Dataset, s, r, d int32, t int64) (f Counts) {
	pair := ds.SD.Find(s, d)
	if i := ds.triplet.Find(pair, r); i >= 0 && ds.Edges[i].First < t {
		f[CountSRD] = max(1, w.srd[i])
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
	if s >= 0 && r >= 0 {
		f[Similar] = ds.RelationsOf.Similarity(ds.Names, ds.Names.Row(r), s, t)
	}
	return f
}

// clearRelation turns the counts into those of a relation with the same name that was never seen.
func (f *Counts) clearRelation() {
	for _, i := range []int{CountSRD, CountSR, CountRD, CountR, SourcesOfR, PeersUseR} {
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

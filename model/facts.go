package model

import (
	"slices"

	"flb-filter-rgcn/graphbuf"
)

// facts are what counting says about a triplet just before its event.
type facts [factCount]float32

// Events seen of the parts of the triplet, different neighbours, the source's new
// destinations, and how its relations' names compare with this one; zero for what was never
// seen. How old the parts are is none: see tenures.
const (
	factSRD = iota
	factSD
	factSR
	factRD
	factS
	factD
	factR
	factDestinationsOfS
	factRelationsOfS
	factSourcesOfD
	factSourcesOfR
	factNewDestinations // each fading by half in a day
	factSimilar         // 0 to 1: see banners
	factPeersToD        // peers of the source that met the destination: see peers; 0 where hosts have no features
	factToPeersOfD      // peers of the destination that the source met
	factPeersUseR       // peers of the source that use the relation
	factCount

	peerFacts  = factCount - factPeersToD
	eventFacts = factR + 1 // those of which it also matters whether they are zero
)

// liveFacts are the facts of an event that the graph has just looked up.
func liveFacts(ref *graphbuf.Ref) facts {
	c := &ref.Counts
	return facts{
		float32(c.SRD), float32(c.SD), float32(c.SR), float32(c.RD), float32(c.S), float32(c.D), float32(c.R),
		float32(c.DestinationsOfS), float32(c.RelationsOfS), float32(c.SourcesOfD), float32(c.SourcesOfR),
		ref.NewDestinations,
		0, 0, 0, 0,
	}
}

// arrivals are times by number, each list in order.
type arrivals struct {
	start []int32
	times []int64
	other []int32 // the other end of the pair that came; nil where nobody asks
}

// newArrivals gathers for each of n numbers the times of the edges that key gives that
// number; -1 is none. The edges are in order of time.
func newArrivals(n int, edges []dataEdge, key, other func(e *dataEdge) int32) arrivals {
	a := arrivals{start: make([]int32, n+1)}
	keys := make([]int32, len(edges))
	for i := range edges {
		if keys[i] = key(&edges[i]); keys[i] >= 0 {
			a.start[keys[i]+1]++
		}
	}
	for i := range n {
		a.start[i+1] += a.start[i]
	}
	a.times = make([]int64, a.start[n])
	if other != nil {
		a.other = make([]int32, a.start[n])
	}
	next := slices.Clone(a.start)
	for i, k := range keys {
		if k < 0 {
			continue
		}
		a.times[next[k]] = edges[i].first
		if other != nil {
			a.other[next[k]] = other(&edges[i])
		}
		next[k]++
	}
	return a
}

// last calls do with the other ends of a number's last few pairs before t, the latest first.
func (a *arrivals) last(i int32, t int64, do func(other int32)) {
	const few = 2 * maxNear // some are left out
	from := a.start[i]
	n := int32(a.before(i, t))
	for j := from + n - 1; j >= max(from, from+n-few); j-- {
		do(a.other[j])
	}
}

// before is how many of a number's times lie before t.
func (a *arrivals) before(i int32, t int64) float32 {
	list := a.times[a.start[i]:a.start[i+1]]
	n, _ := slices.BinarySearch(list, t)
	return float32(n)
}

// news is what is new in a window: the edges first seen there, by each part. Added to what
// was known at the cut they give the facts as they stood at any moment of the window, as a
// scorer with live counts will see them.
type news struct {
	sd, sr, rd, s, d, r                                   arrivals
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR arrivals
}

func newNews(ds *dataset, c *cut, end int64) *news {
	from, _ := slices.BinarySearchFunc(ds.edges, c.at, func(e dataEdge, t int64) int { return int(min(max(e.first-t, -1), 1)) })
	to, _ := slices.BinarySearchFunc(ds.edges, end, func(e dataEdge, t int64) int { return int(min(max(e.first-t, -1), 1)) })
	edges := ds.edges[from:to]
	// Of a pair that is new, its first edge counts.
	freshSD, freshSR := make([]bool, len(edges)), make([]bool, len(edges))
	seenSD, seenSR := make(map[int32]bool, len(edges)), make(map[int32]bool, len(edges))
	for i := range edges {
		e := &edges[i]
		freshSD[i] = c.sd[e.sd] == 0 && !seenSD[e.sd]
		freshSR[i] = c.sr[e.sr] == 0 && !seenSR[e.sr]
		seenSD[e.sd], seenSR[e.sr] = true, true
	}
	all := func(n int, key func(e *dataEdge) int32) arrivals { return newArrivals(n, edges, key, nil) }
	fresh := func(n int, is []bool, key, other func(e *dataEdge) int32) arrivals {
		i := -1
		return newArrivals(n, edges, func(e *dataEdge) int32 {
			if i++; is[i] {
				return key(e)
			}
			return -1
		}, other)
	}
	source, target := len(ds.sources), len(ds.destinations)
	s := func(e *dataEdge) int32 { return e.s }
	d := func(e *dataEdge) int32 { return e.d }
	r := func(e *dataEdge) int32 { return e.r }
	return &news{
		sd: all(ds.sdN, func(e *dataEdge) int32 { return e.sd }),
		sr: all(ds.srN, func(e *dataEdge) int32 { return e.sr }),
		rd: all(ds.rdN, func(e *dataEdge) int32 { return e.rd }),
		s:  all(source, s), d: all(target, d), r: all(ds.relations, r),
		destinationsOfS: fresh(source, freshSD, s, d), sourcesOfD: fresh(target, freshSD, d, s),
		relationsOfS: fresh(source, freshSR, s, nil), sourcesOfR: fresh(ds.relations, freshSR, r, nil),
	}
}

// facts are those of a triplet at a time of the window; a part that is -1 is unknown.
func (w *window) facts(ds *dataset, s, r, d int32, t int64) (f facts) {
	pair := ds.sd.Find(s, d)
	if i := ds.triplet.Find(pair, r); i >= 0 && ds.edges[i].first < t {
		f[factSRD] = max(1, w.srd[i])
	}
	if pair >= 0 {
		f[factSD] = w.sd[pair] + w.news.sd.before(pair, t)
	}
	if i := ds.sr.Find(s, r); i >= 0 {
		f[factSR] = w.sr[i] + w.news.sr.before(i, t)
	}
	if i := ds.rd.Find(r, d); i >= 0 {
		f[factRD] = w.rd[i] + w.news.rd.before(i, t)
	}
	if s >= 0 {
		f[factS] = w.s[s] + w.news.s.before(s, t)
		f[factDestinationsOfS] = w.destinationsOfS[s] + w.news.destinationsOfS.before(s, t)
		f[factRelationsOfS] = w.relationsOfS[s] + w.news.relationsOfS.before(s, t)
		f[factNewDestinations] = ds.newDestinations(s, t)
	}
	if d >= 0 {
		f[factD] = w.d[d] + w.news.d.before(d, t)
		f[factSourcesOfD] = w.sourcesOfD[d] + w.news.sourcesOfD.before(d, t)
	}
	if r >= 0 {
		f[factR] = w.r[r] + w.news.r.before(r, t)
		f[factSourcesOfR] = w.sourcesOfR[r] + w.news.sourcesOfR.before(r, t)
	}
	if s >= 0 && r >= 0 {
		f[factSimilar] = ds.relationsOf.similarity(ds.banners, ds.banners.row(r), s, t)
	}
	return f
}

// forgetRelation makes the facts those of a relation with the same name that was never seen.
func (f *facts) forgetRelation() {
	for _, i := range []int{factSRD, factSR, factRD, factR, factSourcesOfR, factPeersUseR} {
		f[i] = 0
	}
}

// newDestinations fades the source's new destinations before t as the graph does.
func (ds *dataset) newDestinations(s int32, t int64) (sum float32) {
	const enough = 32 // older ones have faded, or there are so many that it does not matter
	times := ds.destinationsOf.times[ds.destinationsOf.start[s]:ds.destinationsOf.start[s+1]]
	n := int(ds.destinationsOf.before(s, t))
	for _, first := range times[max(0, n-enough):n] {
		sum += graphbuf.Fade(t - first)
	}
	return sum
}

package temporal

import (
	"sort"

	"flb-filter-rgcn/model/internal/num"
)

// An intruder who got in comes back: to the same server, on the next days, from the same machine. By then his triplet
// has been seen, and if all corrupted triplets were ones that nobody has seen, a model would learn that what came once
// is benign. So some of the corrupted triplets are returns: true triplets whose source came to the network lately, and
// was no server before. Nobody knows which of these are an intruder's, and most are not. That is the point: the decoder
// weighs how often what looks like this comes back, which is the rule where newcomers are employees, against their share.
//
// What many hosts of the same network, or with names of the same kind, do as well is hardly an intruder's: the addresses
// of a pool come, go and come back. Of n such hosts at most one is, so a return weighs one n-th of a lone one.
//
// The sources of the graph's first half are new because the graph is, so returns are drawn after it alone.
const (
	// The share of the corrupted triplets that are returns, where there are enough different ones: see findReturns.
	returnShare = 0.12
	// Youngest is the age in nanoseconds up to which a source is young, or a quarter of the graph's, if that is less.
	Youngest      = 5 * dayNanos
	youngestShare = 4
	// newcomerShare bounds the age of newcomers, as a part of the graph's: one in so many.
	newcomerShare = 8
	// A return comes no earlier than so long after the triplet's first session: campaigns stand for the hours before.
	returnsAfter = dayNanos / 4
)

// findReturns finds the edges that may be an intruder's return within the window, and the share of returns among the
// corrupted triplets. Where few sources are young, the share is below returnShare: no return weighs more than the
// corrupted triplets of one positive that was seen before, on average. Without that bound, the few returns would be
// drawn so often that all they have in common would count as an attack.
func (w *Window) findReturns(ds *Dataset) {
	start, sum := ds.Tenures.start, float32(0)
	if life := w.At - start; life > 0 && life >= (ds.End-start)/2 {
		w.returns = ds.returns(w.At-min(Youngest, life/youngestShare), w.At-returnsAfter)
	}
	w.returnSums = make([]float32, len(w.returns))
	for i, e := range w.returns {
		sum += w.returnWeight(ds, &ds.Edges[e])
		w.returnSums[i] = sum
	}
	w.returnShare = min(returnShare, (1-unseenShare)*sum/float32(max(len(w.seen), 1)))
}

// returnWeight is one over the number of hosts that do what the source of an edge that was active before the cut does:
// itself and its peers at the same destination.
func (w *Window) returnWeight(ds *Dataset, e *Edge) float32 {
	if ds.Peers == nil {
		return 1
	}
	peers := geometricMean(ds.Peers.Source.Of(e.S), true, func(g int32) int32 { return ds.Peers.toD.Find(g, e.D) }, w.Cooccurrence.toD)
	return 1 / (1 + peers)
}

// drawReturn draws one of the returns, of which there has to be one, by their weights.
func (w *Window) drawReturn(ds *Dataset, rng *num.Philox) *Edge {
	last := len(w.returnSums) - 1
	at := rng.Float() * w.returnSums[last]
	return &ds.Edges[w.returns[sort.Search(last, func(i int) bool { return w.returnSums[i] > at })]]
}

// returns are the edges first seen between two times whose sources' hosts came, in either role, after the first of them.
func (ds *Dataset) returns(from, to int64) (edges []int32) {
	for i, end := ds.firstSince(from), ds.firstSince(to); i < end; i++ {
		if ds.hostSince[ds.Edges[i].S] >= from {
			edges = append(edges, int32(i))
		}
	}
	return edges
}

// Newcomer tells whether a source came less than returnsAfter before the end of the data, leaving aside the few
// triplets that a wrong clock may have put at a later time. Training meets sources that young only within a window,
// where they are unknown, so a scorer takes a newcomer for unknown, too. As a known source's, its sessions of the next
// minutes would look like returns.
func (ds *Dataset) Newcomer(source int32) bool {
	return ds.busyUntil-ds.sourceSince[source] < min(returnsAfter, (ds.End-ds.start)/newcomerShare)
}

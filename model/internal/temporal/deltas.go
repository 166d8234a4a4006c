package temporal

// deltas are the edges first seen within a window, by each of their parts. Added to the counts at the cut they
// give the counts at any moment of the window, as a scorer with live counts sees them.
type deltas struct {
	sd, sr, rd, s, d, r                                   eventTimes
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR eventTimes
}

func newDeltas(ds *Dataset, c *Cut, end int64) *deltas {
	edges := ds.Edges[ds.firstSince(c.At):ds.firstSince(end)]
	source, target := len(ds.Sources), len(ds.Destinations)
	x := new(deltas)
	list := func(to *eventTimes, n int, key, other part) func() {
		return func() { *to = newEventTimes(n, edges, key, other) }
	}
	ds.pool.Do(
		list(&x.sd, ds.sdN, func(e *Edge) int32 { return e.sd }, nil),
		list(&x.sr, ds.srN, func(e *Edge) int32 { return e.sr }, nil),
		list(&x.rd, ds.rdN, func(e *Edge) int32 { return e.rd }, nil),
		list(&x.s, source, ofSource, nil), list(&x.d, target, ofDestination, nil), list(&x.r, ds.Relations, ofRelation, nil),
		list(&x.destinationsOfS, source, ofSource.where(firstOfSD), ofDestination),
		list(&x.sourcesOfD, target, ofDestination.where(firstOfSD), ofSource),
		list(&x.relationsOfS, source, ofSource.where(firstOfSR), nil),
		list(&x.sourcesOfR, ds.Relations, ofRelation.where(firstOfSR), nil),
	)
	return x
}

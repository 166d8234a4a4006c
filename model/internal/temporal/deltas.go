package temporal

// deltas are the edges first seen within a window, by each of their parts. Added to the counts at the cut they
// give the counts at any moment of the window, as a scorer with live counts sees them.
type deltas struct {
	sd, sr, rd, s, d, r                                   eventTimes
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR eventTimes
}

func newDeltas(ds *Dataset, c *Cut, end int64) *deltas {
	edges := ds.Edges[ds.firstSince(c.At):ds.firstSince(end)]
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

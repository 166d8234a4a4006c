package temporal

// Cut is what is known at one moment: the edges first seen before it, as messages, and the counts up to it.
type Cut struct {
	At              int64
	ds              *Dataset
	orders          *Orders
	relationsOfPair []float32 // before the cut, by pair number
	built           *Messages // nil until asked for
	// Estimated events before the cut: by edge, by pair number, by row, by relation.
	srd, sd, sr, rd, s, d, r []float32
	// Different neighbours before the cut: by row, by relation.
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR []float32
	Recent                                                Recent
	Cooccurrence                                          *Cooccurrence // of peers; nil: hosts have no features
	// Rows and relations that were seen before the cut, to draw negatives from.
	knownSources, knownDestinations, knownRelations []int32
}

// NewCut gathers what was known before the time at; orders are those of NewOrders.
func NewCut(ds *Dataset, at int64, orders *Orders) *Cut {
	c := newCut(ds)
	c.At, c.orders = at, orders
	c.Recent = newRecent(len(ds.Sources), len(ds.Destinations))
	ds.pool.For(len(ds.Edges), func(_, from, to int) {
		for i := from; i < to; i++ {
			c.srd[i] = ds.before(&ds.Edges[i], at)
		}
	})
	each := func(do func(e *Edge, n float32)) {
		for i, n := range c.srd {
			if n > 0 {
				do(&ds.Edges[i], n)
			}
		}
	}
	ds.pool.Do(
		func() { each(c.addPair) },
		func() { each(c.addUse) },
		func() { each(c.addEvents) },
		func() { each(func(e *Edge, _ float32) { c.Recent.add(e, ds.lastBefore(e, at), at) }) },
	)
	c.knownSources, c.knownDestinations, c.knownRelations = known(c.s), known(c.d), known(c.r)
	return c
}

// Relations is how many relations the dataset has.
func (c *Cut) Relations() int { return len(c.r) }

// newCut is a cut at which nothing is known.
func newCut(ds *Dataset) *Cut {
	sources, destinations, relations := len(ds.Sources), len(ds.Destinations), ds.Relations
	c := &Cut{
		ds: ds, relationsOfPair: make([]float32, ds.sdN),
		srd: make([]float32, len(ds.Edges)),
		sd:  make([]float32, ds.sdN), sr: make([]float32, ds.srN), rd: make([]float32, ds.rdN),
		s: make([]float32, sources), d: make([]float32, destinations), r: make([]float32, relations),
		destinationsOfS: make([]float32, sources), relationsOfS: make([]float32, sources),
		sourcesOfD: make([]float32, destinations), sourcesOfR: make([]float32, relations),
	}
	if ds.Peers != nil {
		c.Cooccurrence = ds.Peers.newCooccurrence()
	}
	return c
}

// addPair counts an edge with n events before the cut for its pair of source and destination.
func (c *Cut) addPair(e *Edge, n float32) {
	if c.relationsOfPair[e.sd] == 0 {
		if c.Cooccurrence != nil && c.destinationsOfS[e.S] == 0 {
			c.Cooccurrence.addSource(c.ds.Peers, e.S)
		}
		if c.Cooccurrence != nil && c.sourcesOfD[e.D] == 0 {
			c.Cooccurrence.addDestination(c.ds.Peers, e.D)
		}
		c.destinationsOfS[e.S]++
		c.sourcesOfD[e.D]++
		if c.Cooccurrence != nil {
			c.Cooccurrence.addPair(c.ds.Peers, e.S, e.D)
		}
	}
	c.relationsOfPair[e.sd]++
	c.sd[e.sd] += n
}

// addUse counts it for its pair of source and relation.
func (c *Cut) addUse(e *Edge, n float32) {
	if c.sr[e.sr] == 0 {
		c.relationsOfS[e.S]++
		c.sourcesOfR[e.R]++
		if c.Cooccurrence != nil {
			c.Cooccurrence.addUse(c.ds.Peers, e.S, e.R)
		}
	}
	c.sr[e.sr] += n
}

// addEvents counts its events for the rest of its parts.
func (c *Cut) addEvents(e *Edge, n float32) {
	c.rd[e.rd] += n
	c.s[e.S] += n
	c.d[e.D] += n
	c.r[e.R] += n
}

// known returns the indices that have events.
func known(events []float32) (list []int32) {
	for i, n := range events {
		if n > 0 {
			list = append(list, int32(i))
		}
	}
	return list
}

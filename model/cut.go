package model

import "math"

// cut is what the network may know at one moment: the edges first seen before it as
// messages, and the counts up to it.
type cut struct {
	at              int64
	ds              *dataset
	orders          [2][]int32
	relationsOfPair []float32 // before the cut, by pair number
	built           *messages // nil until asked for
	// Estimated events before the cut: by edge, by pair number, by row, by relation.
	srd, sd, sr, rd, s, d, r []float32
	// Different neighbours before the cut: by row, by relation.
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR []float32
	met                                                   *met // nil: hosts have no features
	// Rows and relations that were seen before the cut, to draw negatives from.
	knownSources, knownDestinations, knownRelations []int32
}

// messages are the edges of a cut with their normalisations, in two orders: grouped by
// source row and by destination row, each group by relation. A message in one direction
// is the backward pass of the other, so both orders serve both.
//
// Of a pair with several relations, each edge carries an equal part. Let A be the 0/1
// matrix of source by destination, deg the degrees of its rows and columns. The three
// normalisations of an edge of the pair (s, d) with m relations are
//
//	walk    1 / (m sqrt(deg s * deg d)): P, the normalised A
//	profile 1 / (m log(2 + deg s) * norm d): columns of A of unit length, in which a source
//	        that goes everywhere says little
//	mean    1 / (m deg s): the average over a source's destinations
type messages struct {
	bySource, byDestination *csr
}

// csr is a sparse matrix for each normalisation, rows one side of the graph.
type csr struct {
	row   []int32 // [rows+1] groups of a row
	group []int32 // [groups+1] edges of a group
	rel   []int32 // [groups] relation of a group
	col   []int32 // [edges] row of the other side
	norm  [3][]float32
}

const (
	walk = iota
	profile
	mean
)

// newCut gathers what was known before the time at. order lists all edges by (source,
// relation) and by (destination, relation), as newOrders makes it.
func newCut(ds *dataset, at int64, orders [2][]int32) *cut {
	c := &cut{
		at: at, ds: ds, orders: orders, relationsOfPair: make([]float32, ds.sdN),
		srd: make([]float32, len(ds.edges)),
		sd:  make([]float32, ds.sdN), sr: make([]float32, ds.srN), rd: make([]float32, ds.rdN),
		s: make([]float32, len(ds.sources)), d: make([]float32, len(ds.destinations)), r: make([]float32, ds.relations),
		destinationsOfS: make([]float32, len(ds.sources)), relationsOfS: make([]float32, len(ds.sources)),
		sourcesOfD: make([]float32, len(ds.destinations)), sourcesOfR: make([]float32, ds.relations),
	}
	if ds.peers != nil {
		c.met = ds.peers.newMet()
	}
	degS, degD := c.destinationsOfS, c.sourcesOfD
	for i := range ds.edges {
		e := &ds.edges[i]
		n := e.before(at)
		if n == 0 {
			continue
		}
		c.srd[i] = n
		if c.relationsOfPair[e.sd] == 0 {
			degS[e.s]++
			degD[e.d]++
			if c.met != nil {
				c.met.pair(ds.peers, e.s, e.d)
			}
		}
		c.relationsOfPair[e.sd]++
		if c.sr[e.sr] == 0 {
			c.relationsOfS[e.s]++
			c.sourcesOfR[e.r]++
			if c.met != nil {
				c.met.use(ds.peers, e.s, e.r)
			}
		}
		c.sd[e.sd] += n
		c.sr[e.sr] += n
		c.rd[e.rd] += n
		c.s[e.s] += n
		c.d[e.d] += n
		c.r[e.r] += n
	}
	for i, n := range c.s {
		if n > 0 {
			c.knownSources = append(c.knownSources, int32(i))
		}
	}
	for i, n := range c.d {
		if n > 0 {
			c.knownDestinations = append(c.knownDestinations, int32(i))
		}
	}
	for i, n := range c.r {
		if n > 0 {
			c.knownRelations = append(c.knownRelations, int32(i))
		}
	}
	return c
}

// forgetMessages lets the messages go; they are made anew when asked for.
func (c *cut) forgetMessages() { c.built = nil }

// messages returns the edges before the cut with their normalisations. They are made when first asked
// for: scaling needs counts alone, and a card keeps the messages of the cuts that it had.
func (c *cut) messages() *messages {
	if c.built != nil {
		return c.built
	}
	ds, degS, degD := c.ds, c.destinationsOfS, c.sourcesOfD
	// A source that goes everywhere says little about what its destinations share.
	says := make([]float32, len(degS))
	for i, n := range degS {
		says[i] = 1 / float32(math.Log(2+float64(n)))
	}
	say := func(s int32) float32 { return says[s] }
	length := make([]float32, len(ds.destinations))
	seen := make([]bool, ds.sdN)
	for i := range ds.edges {
		if e := &ds.edges[i]; c.srd[i] > 0 && !seen[e.sd] {
			seen[e.sd] = true
			length[e.d] += say(e.s) * say(e.s)
		}
	}
	norm := func(e *dataEdge) [3]float32 {
		m := c.relationsOfPair[e.sd]
		return [3]float32{
			walk:    1 / (m * float32(math.Sqrt(float64(degS[e.s]*degD[e.d])))),
			profile: say(e.s) / (m * float32(math.Sqrt(float64(length[e.d])))),
			mean:    1 / (m * degS[e.s]),
		}
	}
	c.built = &messages{
		bySource: newCSR(ds, c.srd, c.orders[0], len(ds.sources), norm,
			func(e *dataEdge) (Row, col int32) { return e.s, e.d }),
		byDestination: newCSR(ds, c.srd, c.orders[1], len(ds.destinations), norm,
			func(e *dataEdge) (Row, col int32) { return e.d, e.s }),
	}
	return c.built
}

func newCSR(ds *dataset, known []float32, order []int32, rows int, norm func(*dataEdge) [3]float32, ends func(*dataEdge) (Row, col int32)) *csr {
	// Two passes: the first finds the sizes, since growing by doubling would take half as much again.
	edges, groups := 0, 0
	lastRow, lastRel := int32(-1), int32(-1)
	for _, i := range order {
		if known[i] == 0 {
			continue
		}
		e := &ds.edges[i]
		if Row, _ := ends(e); Row != lastRow || e.r != lastRel {
			groups++
			lastRow, lastRel = Row, e.r
		}
		edges++
	}
	m := &csr{row: make([]int32, rows+1), group: make([]int32, 0, groups+1), rel: make([]int32, 0, groups), col: make([]int32, 0, edges)}
	for k := range m.norm {
		m.norm[k] = make([]float32, 0, edges)
	}
	next := 0
	lastRel = -1
	for _, i := range order {
		if known[i] == 0 {
			continue
		}
		e := &ds.edges[i]
		Row, col := ends(e)
		for ; next <= int(Row); next++ {
			m.row[next] = int32(len(m.rel))
			lastRel = -1
		}
		if e.r != lastRel {
			m.group = append(m.group, int32(len(m.col)))
			m.rel = append(m.rel, e.r)
			lastRel = e.r
		}
		m.col = append(m.col, col)
		for k, n := range norm(e) {
			m.norm[k] = append(m.norm[k], n)
		}
	}
	for ; next <= rows; next++ {
		m.row[next] = int32(len(m.rel))
	}
	m.group = append(m.group, int32(len(m.col)))
	return m
}

// newOrders sorts the edges by (source, relation, destination) and by (destination, relation, source).
func newOrders(ds *dataset) [2][]int32 {
	by := func(key func(e *dataEdge) [3]int32, sizes [3]int) []int32 {
		order := make([]int32, len(ds.edges))
		for i := range order {
			order[i] = int32(i)
		}
		// Least significant key first; each pass keeps the order of the one before.
		scratch := make([]int32, len(order))
		for k := 2; k >= 0; k-- {
			start := make([]int32, sizes[k]+1)
			for i := range ds.edges {
				start[key(&ds.edges[i])[k]+1]++
			}
			for i := range sizes[k] {
				start[i+1] += start[i]
			}
			for _, i := range order {
				v := key(&ds.edges[i])[k]
				scratch[start[v]] = i
				start[v]++
			}
			order, scratch = scratch, order
		}
		return order
	}
	s, r, d := len(ds.sources), ds.relations, len(ds.destinations)
	return [2][]int32{
		by(func(e *dataEdge) [3]int32 { return [3]int32{e.s, e.r, e.d} }, [3]int{s, r, d}),
		by(func(e *dataEdge) [3]int32 { return [3]int32{e.d, e.r, e.s} }, [3]int{d, r, s}),
	}
}

package temporal

import "math"

// Cut is what the network may know at one moment: the edges first seen before it as
// messages, and the counts up to it.
type Cut struct {
	At              int64
	ds              *Dataset
	orders          [2][]int32
	relationsOfPair []float32 // before the cut, by pair number
	built           *Messages // nil until asked for
	// Estimated events before the cut: by edge, by pair number, by row, by relation.
	srd, sd, sr, rd, s, d, R []float32
	// Different neighbours before the cut: by row, by relation.
	destinationsOfS, relationsOfS, sourcesOfD, sourcesOfR []float32
	Cooccurrence                                          *Cooccurrence // nil: hosts have no features
	// Rows and relations that were seen before the cut, to draw negatives from.
	knownSources, knownDestinations, knownRelations []int32
}

// Messages are the edges of a cut with their normalisations, in two orders: grouped by
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
type Messages struct {
	BySource, ByDestination *CSR
}

// CSR is a sparse matrix for each normalisation, rows one side of the graph.
type CSR struct {
	Row   []int32 // [rows+1] groups of a row
	Group []int32 // [groups+1] edges of a group
	Rel   []int32 // [groups] relation of a group
	Col   []int32 // [edges] row of the other side
	Norm  [3][]float32
}

const (
	NormWalk = iota
	NormProfile
	NormMean
)

// NewCut gathers what was known before the time at. order lists all edges by (source,
// relation) and by (destination, relation), as newOrders makes it.
func NewCut(ds *Dataset, at int64, orders [2][]int32) *Cut {
	c := &Cut{
		At: at, ds: ds, orders: orders, relationsOfPair: make([]float32, ds.sdN),
		srd: make([]float32, len(ds.Edges)),
		sd:  make([]float32, ds.sdN), sr: make([]float32, ds.srN), rd: make([]float32, ds.rdN),
		s: make([]float32, len(ds.Sources)), d: make([]float32, len(ds.Destinations)), R: make([]float32, ds.Relations),
		destinationsOfS: make([]float32, len(ds.Sources)), relationsOfS: make([]float32, len(ds.Sources)),
		sourcesOfD: make([]float32, len(ds.Destinations)), sourcesOfR: make([]float32, ds.Relations),
	}
	if ds.Peers != nil {
		c.Cooccurrence = ds.Peers.newCooccurrence()
	}
	degS, degD := c.destinationsOfS, c.sourcesOfD
	for i := range ds.Edges {
		e := &ds.Edges[i]
		n := e.before(at)
		if n == 0 {
			continue
		}
		c.srd[i] = n
		if c.relationsOfPair[e.sd] == 0 {
			degS[e.S]++
			degD[e.D]++
			if c.Cooccurrence != nil {
				c.Cooccurrence.pair(ds.Peers, e.S, e.D)
			}
		}
		c.relationsOfPair[e.sd]++
		if c.sr[e.sr] == 0 {
			c.relationsOfS[e.S]++
			c.sourcesOfR[e.R]++
			if c.Cooccurrence != nil {
				c.Cooccurrence.use(ds.Peers, e.S, e.R)
			}
		}
		c.sd[e.sd] += n
		c.sr[e.sr] += n
		c.rd[e.rd] += n
		c.s[e.S] += n
		c.d[e.D] += n
		c.R[e.R] += n
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
	for i, n := range c.R {
		if n > 0 {
			c.knownRelations = append(c.knownRelations, int32(i))
		}
	}
	return c
}

// ForgetMessages lets the messages go; they are made anew when asked for.
func (c *Cut) ForgetMessages() { c.built = nil }

// Messages returns the edges before the cut with their normalisations. They are made when first asked
// for: scaling needs counts alone, and a card keeps the messages of the cuts that it had.
func (c *Cut) Messages() *Messages {
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
	length := make([]float32, len(ds.Destinations))
	seen := make([]bool, ds.sdN)
	for i := range ds.Edges {
		if e := &ds.Edges[i]; c.srd[i] > 0 && !seen[e.sd] {
			seen[e.sd] = true
			length[e.D] += say(e.S) * say(e.S)
		}
	}
	norm := func(e *Edge) [3]float32 {
		m := c.relationsOfPair[e.sd]
		return [3]float32{
			NormWalk:    1 / (m * float32(math.Sqrt(float64(degS[e.S]*degD[e.D])))),
			NormProfile: say(e.S) / (m * float32(math.Sqrt(float64(length[e.D])))),
			NormMean:    1 / (m * degS[e.S]),
		}
	}
	c.built = &Messages{
		BySource: newCSR(ds, c.srd, c.orders[0], len(ds.Sources), norm,
			func(e *Edge) (row, col int32) { return e.S, e.D }),
		ByDestination: newCSR(ds, c.srd, c.orders[1], len(ds.Destinations), norm,
			func(e *Edge) (row, col int32) { return e.D, e.S }),
	}
	return c.built
}

func newCSR(ds *Dataset, known []float32, order []int32, rows int, norm func(*Edge) [3]float32, ends func(*Edge) (row, col int32)) *CSR {
	// Two passes: the first finds the sizes, since growing by doubling would take half as much again.
	edges, groups := 0, 0
	lastRow, lastRel := int32(-1), int32(-1)
	for _, i := range order {
		if known[i] == 0 {
			continue
		}
		e := &ds.Edges[i]
		if row, _ := ends(e); row != lastRow || e.R != lastRel {
			groups++
			lastRow, lastRel = row, e.R
		}
		edges++
	}
	m := &CSR{Row: make([]int32, rows+1), Group: make([]int32, 0, groups+1), Rel: make([]int32, 0, groups), Col: make([]int32, 0, edges)}
	for k := range m.Norm {
		m.Norm[k] = make([]float32, 0, edges)
	}
	next := 0
	lastRel = -1
	for _, i := range order {
		if known[i] == 0 {
			continue
		}
		e := &ds.Edges[i]
		row, col := ends(e)
		for ; next <= int(row); next++ {
			m.Row[next] = int32(len(m.Rel))
			lastRel = -1
		}
		if e.R != lastRel {
			m.Group = append(m.Group, int32(len(m.Col)))
			m.Rel = append(m.Rel, e.R)
			lastRel = e.R
		}
		m.Col = append(m.Col, col)
		for k, n := range norm(e) {
			m.Norm[k] = append(m.Norm[k], n)
		}
	}
	for ; next <= rows; next++ {
		m.Row[next] = int32(len(m.Rel))
	}
	m.Group = append(m.Group, int32(len(m.Col)))
	return m
}

// NewOrders sorts the edges by (source, relation, destination) and by (destination, relation, source).
func NewOrders(ds *Dataset) [2][]int32 {
	by := func(key func(e *Edge) [3]int32, sizes [3]int) []int32 {
		order := make([]int32, len(ds.Edges))
		for i := range order {
			order[i] = int32(i)
		}
		// Least significant key first; each pass keeps the order of the one before.
		scratch := make([]int32, len(order))
		for k := 2; k >= 0; k-- {
			start := make([]int32, sizes[k]+1)
			for i := range ds.Edges {
				start[key(&ds.Edges[i])[k]+1]++
			}
			for i := range sizes[k] {
				start[i+1] += start[i]
			}
			for _, i := range order {
				v := key(&ds.Edges[i])[k]
				scratch[start[v]] = i
				start[v]++
			}
			order, scratch = scratch, order
		}
		return order
	}
	s, r, d := len(ds.Sources), ds.Relations, len(ds.Destinations)
	return [2][]int32{
		by(func(e *Edge) [3]int32 { return [3]int32{e.S, e.R, e.D} }, [3]int{s, r, d}),
		by(func(e *Edge) [3]int32 { return [3]int32{e.D, e.R, e.S} }, [3]int{d, r, s}),
	}
}

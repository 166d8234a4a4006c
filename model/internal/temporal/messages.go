package temporal

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
)

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

// The normalisations, by which CSR.Norm goes.
const (
	NormWalk = iota
	NormProfile
	NormMean
)

// Messages returns the edges before the cut with their normalisations. They are built at the first call, since
// measuring the scaling needs counts only, and a card keeps copies of its own.
func (c *Cut) Messages() *Messages {
	if c.built != nil {
		return c.built
	}
	ds, degS, degD := c.ds, c.destinationsOfS, c.sourcesOfD
	// The weight of a source in the profiles of its destinations (Adamic and Adar 2003): one that goes everywhere
	// says little about what its destinations share.
	weight := make([]float32, len(degS))
	for i, n := range degS {
		weight[i] = 1 / float32(math.Log(2+float64(n)))
	}
	squares := make([]float32, len(ds.Destinations)) // of the lengths of profiles
	for i := range ds.Edges {
		if e := &ds.Edges[i]; e.firstSD && c.srd[i] > 0 {
			squares[e.D] += weight[e.S] * weight[e.S]
		}
	}
	norms := make([][3]float32, len(ds.Edges)) // 0 where an edge is not known yet
	ds.pool.For(len(norms), func(_, from, to int) {
		for i := from; i < to; i++ {
			if c.srd[i] == 0 {
				continue
			}
			e := &ds.Edges[i]
			m := c.relationsOfPair[e.sd]
			norms[i] = [3]float32{
				NormWalk:    1 / (m * float32(math.Sqrt(float64(degS[e.S]*degD[e.D])))),
				NormProfile: weight[e.S] / (m * float32(math.Sqrt(float64(squares[e.D])))),
				NormMean:    1 / (m * degS[e.S]),
			}
		}
	})
	c.built = new(Messages)
	ds.pool.Do(
		func() {
			c.built.BySource = newCSR(c.orders.bySource, norms, len(ds.Sources))
		},
		func() {
			c.built.ByDestination = newCSR(c.orders.byDestination, norms, len(ds.Destinations))
		},
	)
	return c.built
}

// ReleaseMessages frees the messages. The next call of Messages builds them again.
func (c *Cut) ReleaseMessages() { c.built = nil }

// newCSR makes a matrix of the edges that have normalisations, from a list of all edges.
func newCSR(list []listed, norms [][3]float32, rows int) *CSR {
	// Two passes: the first finds the sizes, since growing by doubling would take half as much again.
	edges, groups := 0, 0
	lastRow, lastRel := int32(-1), int32(-1)
	for _, e := range list {
		if norms[e.edge][NormWalk] == 0 {
			continue
		}
		if e.row != lastRow || e.relation != lastRel {
			groups++
			lastRow, lastRel = e.row, e.relation
		}
		edges++
	}
	m := &CSR{Row: make([]int32, rows+1), Group: make([]int32, 0, groups+1), Rel: make([]int32, 0, groups), Col: make([]int32, edges)}
	for k := range m.Norm {
		m.Norm[k] = make([]float32, edges)
	}
	next, at := 0, 0
	lastRel = -1
	for _, e := range list {
		n := &norms[e.edge]
		if n[NormWalk] == 0 {
			continue
		}
		for ; next <= int(e.row); next++ {
			m.Row[next] = int32(len(m.Rel))
			lastRel = -1
		}
		if e.relation != lastRel {
			m.Group = append(m.Group, int32(at))
			m.Rel = append(m.Rel, e.relation)
			lastRel = e.relation
		}
		m.Col[at] = e.col
		for k := range n {
			m.Norm[k][at] = n[k]
		}
		at++
	}
	for ; next <= rows; next++ {
		m.Row[next] = int32(len(m.Rel))
	}
	m.Group = append(m.Group, int32(at))
	return m
}

// Orders are all edges of a dataset in two orders: by (source, relation, destination) and by (destination, relation,
// source).
type Orders struct{ bySource, byDestination []listed }

// listed is an edge as one side sees it. Its parts are copies: a matrix is made of them in the order of the list, in
// which the edges themselves lie far apart.
type listed struct{ edge, row, relation, col int32 }

// NewOrders sorts the edges.
func NewOrders(ds *Dataset) *Orders {
	order := func(rows, cols int, row, col part) []listed {
		var g num.Grouping
		keys := make([]int32, len(ds.Edges))
		sort := func(n int, key part) {
			for i := range ds.Edges {
				keys[i] = key(&ds.Edges[i])
			}
			g.By(keys, n, g.Items)
		}
		// The least significant key first.
		sort(cols, col)
		sort(ds.Relations, ofRelation)
		sort(rows, row)
		list := make([]listed, len(g.Items))
		for at, i := range g.Items {
			e := &ds.Edges[i]
			list[at] = listed{i, row(e), e.R, col(e)}
		}
		return list
	}
	o := new(Orders)
	s, d := len(ds.Sources), len(ds.Destinations)
	ds.pool.Do(
		func() { o.bySource = order(s, d, ofSource, ofDestination) },
		func() { o.byDestination = order(d, s, ofDestination, ofSource) },
	)
	return o
}

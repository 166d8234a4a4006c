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
	seen := make([]bool, ds.sdN)
	for i := range ds.Edges {
		if e := &ds.Edges[i]; c.srd[i] > 0 && !seen[e.sd] {
			seen[e.sd] = true
			squares[e.D] += weight[e.S] * weight[e.S]
		}
	}
	norm := func(e *Edge) [3]float32 {
		m := c.relationsOfPair[e.sd]
		return [3]float32{
			NormWalk:    1 / (m * float32(math.Sqrt(float64(degS[e.S]*degD[e.D])))),
			NormProfile: weight[e.S] / (m * float32(math.Sqrt(float64(squares[e.D])))),
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

// ReleaseMessages frees the messages. The next call of Messages builds them again.
func (c *Cut) ReleaseMessages() { c.built = nil }

// newCSR makes a matrix of the edges with known events, in an order that has them by row, by relation and by column.
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
func NewOrders(ds *Dataset) (orders [2][]int32) {
	rows := [2]int{len(ds.Sources), len(ds.Destinations)}
	keys := make([]int32, len(ds.Edges))
	for side := range orders {
		var g num.Grouping
		sort := func(n int, key func(e *Edge) int32) {
			for i := range ds.Edges {
				keys[i] = key(&ds.Edges[i])
			}
			g.By(keys, n, g.Items)
		}
		row, col := func(e *Edge) int32 { return e.S }, func(e *Edge) int32 { return e.D }
		if side == 1 {
			row, col = col, row
		}
		// The least significant key first.
		sort(rows[1-side], col)
		sort(ds.Relations, func(e *Edge) int32 { return e.R })
		sort(rows[side], row)
		orders[side] = g.Items
	}
	return orders
}

package model

import (
	"cmp"
	"math"
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// dataset is a snapshot in the numbering that training uses: sources and destinations
// are two sides of a bipartite graph, each with rows of its own, since a host acts
// differently in the two parts.
type dataset struct {
	sources, destinations []int32 // row -> index in snapshot.Nodes
	relations             int
	banners               *banners
	edges                 []dataEdge // by first seen, as in the snapshot
	sdN, srN, rdN         int        // numbers of distinct pairs
	sd, sr, rd            *num.Pairs
	triplet               *num.Pairs // (sd pair, relation) -> edge
	start, end            int64      // unix nanoseconds of the first and the last event
	destinationsOf        arrivals   // by source row: when it met each of its destinations
	relationsOf           relationTimes
	// When a source, by row, and a relation had its first event.
	sourceSince, relationSince []int64
	tenures                    tenures
	peers                      *peers // nil: hosts have no features
}

type dataEdge struct {
	s, r, d     int32 // rows
	sd, sr, rd  int32 // pair numbers
	count       float32
	first, last int64
}

func newDataset(snap *graphbuf.Snapshot, features NodeFeatures) *dataset {
	n := len(snap.Edges)
	ds := &dataset{
		relations: len(snap.Relations),
		banners:   newBanners(snap.Relations),
		edges:     make([]dataEdge, n),
		sd:        num.NewPairs(n), sr: num.NewPairs(n), rd: num.NewPairs(n), triplet: num.NewPairs(n),
	}
	Row := func(rows []int32, side *[]int32, node int32) int32 {
		if rows[node] < 0 {
			rows[node] = int32(len(*side))
			*side = append(*side, node)
		}
		return rows[node]
	}
	sourceRow, destinationRow := make([]int32, len(snap.Nodes)), make([]int32, len(snap.Nodes))
	for i := range snap.Nodes {
		sourceRow[i], destinationRow[i] = -1, -1
	}
	ds.relationSince = slices.Repeat([]int64{math.MaxInt64}, ds.relations)
	for i, e := range snap.Edges {
		d := &ds.edges[i]
		d.s, d.r, d.d = Row(sourceRow, &ds.sources, e.Source), e.Relation, Row(destinationRow, &ds.destinations, e.Destination)
		d.sd, d.sr, d.rd = ds.sd.Add(d.s, d.d), ds.sr.Add(d.s, d.r), ds.rd.Add(d.r, d.d)
		ds.triplet.Add(d.sd, d.r)
		if int(d.s) == len(ds.sourceSince) {
			ds.sourceSince = append(ds.sourceSince, e.First)
		}
		ds.sourceSince[d.s] = min(ds.sourceSince[d.s], e.First)
		ds.relationSince[d.r] = min(ds.relationSince[d.r], e.First)
		d.count, d.first, d.last = float32(e.Count), e.First, e.Last
		if i == 0 || e.First < ds.start {
			ds.start = e.First
		}
		if i == 0 || e.Last > ds.end {
			ds.end = e.Last
		}
	}
	seenSD, seenSR := make([]bool, ds.sd.Len), make([]bool, ds.sr.Len)
	firstOf := func(seen []bool, pair func(e *dataEdge) int32) func(e *dataEdge) int32 {
		return func(e *dataEdge) int32 {
			if p := pair(e); !seen[p] {
				seen[p] = true
				return e.s
			}
			return -1
		}
	}
	ds.destinationsOf = newArrivals(len(ds.sources), ds.edges, firstOf(seenSD, func(e *dataEdge) int32 { return e.sd }), nil)
	ds.relationsOf = relationTimes{
		arrivals: newArrivals(len(ds.sources), ds.edges, firstOf(seenSR, func(e *dataEdge) int32 { return e.sr }),
			func(e *dataEdge) int32 { return e.r }),
		settled: min(maxSettled, (ds.end-ds.start)/settledShare),
	}
	ds.sdN, ds.srN, ds.rdN = int(ds.sd.Len), int(ds.sr.Len), int(ds.rd.Len)
	ds.tenures = newTenures(ds)
	ds.peers = newPeers(ds, snap, features)
	return ds
}

// before estimates how many of an edge's events came before t. The graph keeps the count
// and the first and last time; in between, events are taken as evenly spread.
func (e *dataEdge) before(t int64) float32 {
	switch {
	case e.first >= t:
		return 0
	case e.last < t:
		return e.count
	}
	return 1 + max(e.count-2, 0)*float32(float64(t-e.first)/float64(e.last-e.first))
}

// within estimates the chance that an edge had an event in [a, b).
func (e *dataEdge) within(a, b int64) float32 {
	switch {
	case e.last < a || e.first >= b:
		return 0
	case e.first >= a || e.last < b:
		return 1
	}
	share := float64(b-a) / float64(e.last-e.first)
	return float32(1 - math.Pow(1-share, max(float64(e.count)-2, 0)))
}

// cutTimes returns the times by which the given shares of the graph's activity had
// happened. An edge is active from its first to its last event, with the logarithm
// of its count as weight: a flood of one pair does not draw all cuts into its own hour.
func (ds *dataset) cutTimes(shares []float64) []int64 {
	type point struct {
		t int64
		w float64
	}
	const perEdge = 4
	points := make([]point, 0, perEdge*len(ds.edges))
	var total float64
	for i := range ds.edges {
		e := &ds.edges[i]
		n := min(int64(e.count), perEdge)
		w := math.Log1p(float64(e.count)) / float64(n)
		for j := range n {
			t := e.first
			if n > 1 {
				t += int64(float64(e.last-e.first) * float64(j) / float64(n-1))
			}
			points = append(points, point{t, w})
			total += w
		}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.t, b.t) })
	times := make([]int64, len(shares))
	var sum float64
	i := 0
	for c, share := range shares {
		for i < len(points) && sum < share*total {
			sum += points[i].w
			i++
		}
		times[c] = ds.end + 1
		if i < len(points) {
			times[c] = points[i].t
		}
	}
	return times
}

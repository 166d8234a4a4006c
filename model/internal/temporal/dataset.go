package temporal

import (
	"cmp"
	"math"
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// Dataset is a snapshot in the numbering that training uses: sources and destinations
// are two sides of a bipartite graph, each with rows of its own, since a host acts
// differently in the two parts.
type Dataset struct {
	Sources, Destinations []int32 // row -> index in snapshot.Nodes
	Relations             int
	Names                 *Trigrams
	Edges                 []Edge // by first seen, as in the snapshot
	sdN, srN, rdN         int    // numbers of distinct pairs
	SD, SR, rd            *num.Pairs
	triplet               *num.Pairs // (sd pair, relation) -> edge
	start, End            int64      // unix nanoseconds of the first and the last event
	destinationsOf        eventTimes // by source row: when it met each of its destinations
	RelationsOf           RelationTimes
	// When a source, by row, and a relation had its first event.
	sourceSince, relationSince []int64
	Tenures                    Tenures
	Peers                      *Peers // nil: hosts have no features
	Unanswered                 []bool // by edge: no window that trains has it among its positives; nil: none
}

// Edge is a distinct triplet with its events.
type Edge struct {
	S, R, D     int32 // rows
	sd, sr, rd  int32 // pair numbers
	count       float32
	First, last int64
}

// NewDataset numbers the hosts, relations and pairs of a snapshot. features may be nil.
func NewDataset(snap *graphbuf.Snapshot, features HostFeatures) *Dataset {
	n := len(snap.Edges)
	ds := &Dataset{
		Relations: len(snap.Relations),
		Names:     newTrigrams(snap.Relations),
		Edges:     make([]Edge, n),
		SD:        num.NewPairs(n), SR: num.NewPairs(n), rd: num.NewPairs(n), triplet: num.NewPairs(n),
	}
	row := func(rows []int32, side *[]int32, node int32) int32 {
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
	ds.relationSince = slices.Repeat([]int64{math.MaxInt64}, ds.Relations)
	for i, e := range snap.Edges {
		d := &ds.Edges[i]
		d.S, d.R, d.D = row(sourceRow, &ds.Sources, e.Source), e.Relation, row(destinationRow, &ds.Destinations, e.Destination)
		d.sd, d.sr, d.rd = ds.SD.Add(d.S, d.D), ds.SR.Add(d.S, d.R), ds.rd.Add(d.R, d.D)
		ds.triplet.Add(d.sd, d.R)
		if int(d.S) == len(ds.sourceSince) {
			ds.sourceSince = append(ds.sourceSince, e.First)
		}
		ds.sourceSince[d.S] = min(ds.sourceSince[d.S], e.First)
		ds.relationSince[d.R] = min(ds.relationSince[d.R], e.First)
		d.count, d.First, d.last = float32(e.Count), e.First, e.Last
		if i == 0 || e.First < ds.start {
			ds.start = e.First
		}
		if i == 0 || e.Last > ds.End {
			ds.End = e.Last
		}
	}
	seenSD, seenSR := make([]bool, ds.SD.Len), make([]bool, ds.SR.Len)
	firstOf := func(seen []bool, pair func(e *Edge) int32) func(e *Edge) int32 {
		return func(e *Edge) int32 {
			if p := pair(e); !seen[p] {
				seen[p] = true
				return e.S
			}
			return -1
		}
	}
	ds.destinationsOf = newEventTimes(len(ds.Sources), ds.Edges, firstOf(seenSD, func(e *Edge) int32 { return e.sd }), nil)
	ds.RelationsOf = RelationTimes{
		eventTimes: newEventTimes(len(ds.Sources), ds.Edges, firstOf(seenSR, func(e *Edge) int32 { return e.sr }),
			func(e *Edge) int32 { return e.R }),
		settled: min(maxSettled, (ds.End-ds.start)/settledShare),
	}
	ds.sdN, ds.srN, ds.rdN = int(ds.SD.Len), int(ds.SR.Len), int(ds.rd.Len)
	ds.Tenures = newTenures(ds)
	ds.Peers = newPeers(ds, snap, features)
	return ds
}

// before estimates how many events of an edge came before t. The graph keeps their number and the first and last
// time; those between are taken to be evenly spread.
func (e *Edge) before(t int64) float32 {
	switch {
	case e.First >= t:
		return 0
	case e.last < t:
		return e.count
	}
	return 1 + max(e.count-2, 0)*float32(float64(t-e.First)/float64(e.last-e.First))
}

// within estimates the chance that an edge had an event in [a, b).
func (e *Edge) within(a, b int64) float32 {
	switch {
	case e.last < a || e.First >= b:
		return 0
	case e.First >= a || e.last < b:
		return 1
	}
	share := float64(b-a) / float64(e.last-e.First)
	return float32(1 - math.Pow(1-share, max(float64(e.count)-2, 0)))
}

// CutTimes returns the times by which the given shares of the graph's activity had
// happened. An edge is active from its first to its last event, with the logarithm
// of its count as weight: a flood of one pair does not draw all cuts into its own hour.
func (ds *Dataset) CutTimes(shares []float64) []int64 {
	type point struct {
		t int64
		w float64
	}
	const perEdge = 4
	points := make([]point, 0, perEdge*len(ds.Edges))
	var total float64
	for i := range ds.Edges {
		e := &ds.Edges[i]
		n := min(int64(e.count), perEdge)
		w := math.Log1p(float64(e.count)) / float64(n)
		for j := range n {
			t := e.First
			if n > 1 {
				t += int64(float64(e.last-e.First) * float64(j) / float64(n-1))
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
		times[c] = ds.End + 1
		if i < len(points) {
			times[c] = points[i].t
		}
	}
	return times
}

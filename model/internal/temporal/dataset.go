package temporal

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

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
	busyUntil             int64      // see untilWhen
	lived                 time.Duration
	destinationsOf        eventTimes // by source row: when it met each of its destinations
	RelationsOf           RelationTimes
	// When a source, by row, and a relation had its first event, and when the source's host had one in either role.
	sourceSince, relationSince, hostSince []int64
	Tenures                               Tenures
	Peers                                 *Peers // nil: hosts have no features
	Unanswered                            []bool // by edge: no window that trains has it among its positives; nil: none
	buckets
	pool *num.Pool // of all that is computed of the dataset
}

// Edge is a distinct triplet with its events.
type Edge struct {
	S, R, D          int32 // rows
	sd, sr, rd       int32 // pair numbers
	count            float32
	firstSD, firstSR bool // whether it is the first edge of its pair, of source and destination and of source and relation
	First, last      int64
	active           uint64 // see activity
}

// NewDataset numbers the hosts, relations and pairs of a snapshot. features may be nil. The pool, which may be nil,
// computes it and its windows; the caller closes it.
func NewDataset(snap *graphbuf.Snapshot, features HostFeatures, pool *num.Pool) *Dataset {
	n := len(snap.Edges)
	ds := &Dataset{
		Relations: len(snap.Relations),
		Names:     newTrigrams(snap.Relations),
		lived:     snap.Lived,
		Edges:     make([]Edge, n),
		SD:        num.NewPairs(n), SR: num.NewPairs(n), rd: num.NewPairs(n), triplet: num.NewPairs(n),
		pool: pool,
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
	ds.hostSince = slices.Clone(ds.sourceSince)
	for i := range ds.Edges {
		e := &ds.Edges[i]
		if s := sourceRow[ds.Destinations[e.D]]; s >= 0 {
			ds.hostSince[s] = min(ds.hostSince[s], e.First)
		}
	}
	ds.buckets = newBuckets(snap, ds.start, ds.End)
	each := func(do func(i int, e *Edge)) {
		for i := range ds.Edges {
			do(i, &ds.Edges[i])
		}
	}
	pool.Do(
		func() {
			each(func(_ int, e *Edge) {
				n := ds.SD.Len
				e.sd = ds.SD.Add(e.S, e.D)
				e.firstSD = ds.SD.Len > n
			})
			each(func(_ int, e *Edge) { ds.triplet.Add(e.sd, e.R) })
		},
		func() {
			each(func(_ int, e *Edge) {
				n := ds.SR.Len
				e.sr = ds.SR.Add(e.S, e.R)
				e.firstSR = ds.SR.Len > n
			})
		},
		func() { each(func(_ int, e *Edge) { e.rd = ds.rd.Add(e.R, e.D) }) },
		func() { each(func(i int, e *Edge) { e.active = ds.active(&snap.Edges[i]) }) },
	)
	ds.sdN, ds.srN, ds.rdN = int(ds.SD.Len), int(ds.SR.Len), int(ds.rd.Len)
	pool.Do(
		func() { ds.destinationsOf = newEventTimes(len(ds.Sources), ds.Edges, ofSource.where(firstOfSD), nil) },
		func() {
			ds.RelationsOf = RelationTimes{
				eventTimes: newEventTimes(len(ds.Sources), ds.Edges, ofSource.where(firstOfSR), ofRelation),
				settled:    min(maxSettled, (ds.End-ds.start)/settledShare),
			}
		},
		func() { ds.Tenures = newTenures(ds) },
		func() { ds.busyUntil = ds.untilWhen() },
	)
	ds.Peers = newPeers(ds, snap, features)
	return ds
}

// untilWhen returns since when one in 500 triplets, and two at least, were last seen: a few records with a wrong
// clock may be later than all others.
func (ds *Dataset) untilWhen() int64 {
	last := make([]int64, len(ds.Edges))
	for i := range ds.Edges {
		last[i] = ds.Edges[i].last
	}
	slices.Sort(last)
	if n := len(last); n > 1 {
		return last[n-max(2, n/500)]
	}
	return ds.End
}

// firstSince returns the place of the first edge that was first seen at the time t or later.
func (ds *Dataset) firstSince(t int64) int {
	i, _ := slices.BinarySearchFunc(ds.Edges, t, func(e Edge, t int64) int { return cmp.Compare(e.First, t) })
	return i
}

// CutTimes returns the times by which the given shares of the graph's activity had happened. Each edge has the logarithm
// of its count as weight: a flood of one pair does not draw all cuts into its own hour. The weight lies on the first
// event, on the last one and on the beginnings of up to two buckets between: of a cut that lies at such a beginning the
// past is known exactly.
func (ds *Dataset) CutTimes(shares []float64) []int64 {
	type point struct {
		t int64
		w float64
	}
	const most = 4 // points of an edge
	n := 0
	for i := range ds.Edges {
		n += int(min(ds.Edges[i].count, most))
	}
	points := make([]point, 0, n)
	var total float64
	for i := range ds.Edges {
		e := &ds.Edges[i]
		times := [most]int64{e.First, e.last}
		of := times[:int(min(e.count, most))]
		if len(of) > 2 {
			times[2], times[3] = ds.twoTimes(e)
		}
		w := math.Log1p(float64(e.count))
		total += w
		for _, t := range of {
			points = append(points, point{t, w / float64(len(of))})
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

// twoTimes returns two times between the first and the last event of an edge, at which buckets begin in which it was
// active: a third and two thirds of them lie before.
func (ds *Dataset) twoTimes(e *Edge) (a, b int64) {
	n := bits.OnesCount64(e.active) - 1
	nth := func(skip int) int64 {
		rest := e.active
		for range skip {
			rest &= rest - 1
		}
		from, _ := ds.stretch(e, bits.TrailingZeros64(rest))
		return from
	}
	return nth((2*n + 1) / 3), nth((n + 1) / 3)
}

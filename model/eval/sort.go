package eval

import (
	"context"
	"math"

	"flb-filter-rgcn/graphbuf"
)

// Sort is what ten lines of counting can do. It puts triplets in the order of, first, whether the triplet was seen
// before, then whether the pair was, the latest first; then how many partners source and destination share; then how
// many partners they have. It has no threshold. A model that does not beat it has learned nothing of the graph.
func Sort() Method {
	return Method{Name: "sort by counts", Learn: func(_ context.Context, before *graphbuf.Snapshot) (Score, float64, error) {
		t := newTally(before)
		return func(_ *graphbuf.Graph, e *graphbuf.Event, _ *graphbuf.Ref) float64 { return t.score(e) }, math.Inf(-1), nil
	}}
}

// Scores of what was seen begin here, with the time of the last sight in seconds on top. Between them there is room for
// every date, and below for every number of shared partners; a float64 still tells milliseconds apart.
const (
	pairSeen    = 1 << 40
	tripletSeen = 1 << 41
)

// tally is a snapshot as counting needs it.
type tally struct {
	nodes, relations      map[string]int32
	triplets              map[[3]int32]int64 // source, relation, destination; the time of the last sight
	pairs                 map[[2]int32]int64
	destinations, sources [][]int32 // distinct, of a source and of a destination, by node
	// mutual: most hosts are source and destination, as people are who write to each other. Two of them share a partner
	// who talks to both. Where clients talk to servers, a client and a server share no partner in this sense; there the
	// clients count that use the server and another server of the client's.
	mutual   bool
	partners [][]int32        // distinct, either way; where mutual
	common   map[[2]int32]int // shared partners of pairs that were asked for
	marked   []int            // by node: the mark of the last pair for which it was near the source
	mark     int
}

func newTally(s *graphbuf.Snapshot) *tally {
	n := len(s.Nodes)
	t := &tally{
		nodes: make(map[string]int32, n), relations: make(map[string]int32, len(s.Relations)),
		triplets: make(map[[3]int32]int64, len(s.Edges)), pairs: make(map[[2]int32]int64, len(s.Edges)),
		destinations: make([][]int32, n), sources: make([][]int32, n), partners: make([][]int32, n),
		common: map[[2]int32]int{}, marked: make([]int, n),
	}
	for i := range s.Nodes {
		t.nodes[s.Nodes[i].Name] = int32(i)
	}
	for i := range s.Relations {
		t.relations[s.Relations[i].Name] = int32(i)
	}
	for i := range s.Edges {
		e := &s.Edges[i]
		from, to := e.Source, e.Destination
		t.triplets[[3]int32{from, e.Relation, to}] = e.Last
		last, known := t.pairs[[2]int32{from, to}]
		t.pairs[[2]int32{from, to}] = max(last, e.Last)
		if known {
			continue
		}
		t.destinations[from] = append(t.destinations[from], to)
		t.sources[to] = append(t.sources[to], from)
		if _, back := t.pairs[[2]int32{to, from}]; !back {
			t.partners[from] = append(t.partners[from], to)
			t.partners[to] = append(t.partners[to], from)
		}
	}
	both := 0
	for i := range n {
		if len(t.destinations[i]) > 0 && len(t.sources[i]) > 0 {
			both++
		}
	}
	t.mutual = 2*both > n
	return t
}

func (t *tally) score(e *graphbuf.Event) float64 {
	from, knownFrom := t.nodes[string(e.Source)]
	to, knownTo := t.nodes[string(e.Destination)]
	degrees := 0.0
	if knownFrom {
		degrees += math.Log1p(float64(len(t.destinations[from])))
	}
	if knownTo {
		degrees += math.Log1p(float64(len(t.sources[to])))
	}
	degrees /= 1 + degrees // below 1, which is what a shared partner counts
	if !knownFrom || !knownTo {
		return degrees
	}
	if relation, ok := t.relations[string(e.Relation)]; ok {
		if last, ok := t.triplets[[3]int32{from, relation, to}]; ok {
			return tripletSeen + float64(last)/1e9
		}
	}
	if last, ok := t.pairs[[2]int32{from, to}]; ok {
		return pairSeen + float64(last)/1e9
	}
	return float64(t.shared(from, to)) + degrees
}

// shared is how many partners a source and a destination share.
func (t *tally) shared(from, to int32) int {
	pair := [2]int32{from, to}
	n, ok := t.common[pair]
	if ok {
		return n
	}
	t.mark++
	of := t.sources[to]
	if t.mutual {
		of = t.partners[to]
		t.markAll(t.partners[from])
	} else {
		for _, other := range t.destinations[from] {
			t.markAll(t.sources[other])
		}
	}
	for _, host := range of {
		if t.marked[host] == t.mark && host != from && host != to {
			n++
		}
	}
	t.common[pair] = n
	return n
}

func (t *tally) markAll(hosts []int32) {
	for _, host := range hosts {
		t.marked[host] = t.mark
	}
}

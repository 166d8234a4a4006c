package temporal

import (
	"fmt"
	"hash/fnv"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestPeers compares the counts at a cut with what counting one by one says.
func TestPeers(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(5, 30, 400)).Snapshot()
	features := modeltest.ByLetters(2)
	ds := NewDataset(snap, features, nil)
	c := NewCut(ds, ds.CutTimes([]float64{0.5})[0], NewOrders(ds))
	of := func(side []int32, row int32) []uint64 {
		return features.Append(nil, []byte(snap.Nodes[side[row]].Name))
	}
	has := func(list []uint64, f uint64) bool {
		for _, x := range list {
			if x == f {
				return true
			}
		}
		return false
	}
	// mean of log(1 + n), n the different hosts of which one pair of the edges before the cut speaks.
	mean := func(list []uint64, in func(e *Edge, f uint64) (int32, bool)) float64 {
		var sum float64
		for _, f := range list {
			hosts := map[int32]bool{}
			for i := range ds.Edges {
				if h, ok := in(&ds.Edges[i], f); ok && c.srd[i] > 0 {
					hosts[h] = true
				}
			}
			sum += math.Log1p(float64(len(hosts)))
		}
		return sum / float64(len(list))
	}
	// rows has a row for each host and role with a feature, and group is the rarest of a list.
	rows := map[uint64]int{}
	for _, side := range [][]int32{ds.Sources, ds.Destinations} {
		for row := range side {
			for _, f := range of(side, int32(row)) {
				rows[f]++
			}
		}
	}
	group := func(list []uint64) (rarest uint64, ok bool) {
		for _, f := range list {
			if rows[f] >= leastGroup && (!ok || rows[f] < rows[rarest]) {
				rarest, ok = f, true
			}
		}
		return rarest, ok
	}
	// met is how many pairs of hosts of the groups of an edge's ends met before the cut, but for its own.
	met := func(e *Edge) float64 {
		from, ok1 := group(of(ds.Sources, e.S))
		to, ok2 := group(of(ds.Destinations, e.D))
		if !ok1 || !ok2 {
			return 0
		}
		pairs := map[[2]int32]bool{}
		for i := range ds.Edges {
			x := &ds.Edges[i]
			a, _ := group(of(ds.Sources, x.S))
			b, _ := group(of(ds.Destinations, x.D))
			if c.srd[i] > 0 && a == from && b == to && (x.S != e.S || x.D != e.D) {
				pairs[[2]int32{x.S, x.D}] = true
			}
		}
		return float64(len(pairs))
	}
	known, groups := 0, 0
	for i := range ds.Edges {
		e := &ds.Edges[i]
		var f Counts
		pair, use := c.sd[e.sd] > 0, c.sr[e.sr] > 0
		if pair {
			known++
		}
		ds.Peers.AddCounts(&f, c.Cooccurrence, ds.Peers.Source.Of(e.S), ds.Peers.Destination.Of(e.D), e.S, e.R, e.D, Own{SD: pair, SR: use, S: c.s[e.S] > 0, D: c.d[e.D] > 0})
		for at, want := range map[int]float64{
			PeersToD: mean(of(ds.Sources, e.S), func(x *Edge, g uint64) (int32, bool) {
				return x.S, x.D == e.D && x.S != e.S && has(of(ds.Sources, x.S), g)
			}),
			ToPeersOfD: mean(of(ds.Destinations, e.D), func(x *Edge, g uint64) (int32, bool) {
				return x.D, x.S == e.S && x.D != e.D && has(of(ds.Destinations, x.D), g)
			}),
			PeersUseR: mean(of(ds.Sources, e.S), func(x *Edge, g uint64) (int32, bool) {
				return x.S, x.R == e.R && x.S != e.S && has(of(ds.Sources, x.S), g)
			}),
			PeersOfS: mean(of(ds.Sources, e.S), func(x *Edge, g uint64) (int32, bool) {
				return x.S, x.S != e.S && has(of(ds.Sources, x.S), g)
			}),
			PeersOfD: mean(of(ds.Destinations, e.D), func(x *Edge, g uint64) (int32, bool) {
				return x.D, x.D != e.D && has(of(ds.Destinations, x.D), g)
			}),
		} {
			if got := math.Log1p(float64(f[at])); math.Abs(got-want) > 1e-5 {
				t.Fatalf("edge %d, count %d: %v, want %v", i, at, got, want)
			}
		}
		if got, want := float64(f[GroupsMet]), met(e); got != want {
			t.Fatalf("edge %d: %v pairs of its groups met, want %v", i, got, want)
		} else if want > 0 {
			groups++
		}
	}
	if groups == 0 || groups == len(ds.Edges) {
		t.Errorf("the groups of %d of %d edges met: the test shows some", groups, len(ds.Edges))
	}
	if known == 0 || known == len(ds.Edges) {
		t.Errorf("%d of %d pairs known at the cut: the test shows half", known, len(ds.Edges))
	}
}

// TestFeaturesBeyondTheBound: a host with more features than count has the first ones.
func TestFeaturesBeyondTheBound(t *testing.T) {
	events := []graphbuf.Event{}
	for i := range 200 {
		h := fnv.New64a()
		fmt.Fprint(h, i%20)
		events = append(events, graphbuf.Event{Source: fmt.Appendf(nil, "a-host-with-a-long-name-%x", h.Sum64()), Relation: []byte("r"), Destination: []byte("d"), Time: int64(i) * 1e9})
	}
	snap := modeltest.Graph(t, events).Snapshot()
	p := NewDataset(snap, modeltest.ByLetters(30), nil).Peers
	if n := len(p.Source.Of(0)); n != MaxFeatures {
		t.Errorf("%d features count, want %d", n, MaxFeatures)
	}
	var room [MaxFeatures]int32
	if n := len(p.Find(room[:0], modeltest.ByLetters(30).Append(nil, events[0].Source))); n != MaxFeatures {
		t.Errorf("%d features of a host by its name", n)
	}
}

// TestGroup: the group of a host is the rarest of its features that enough rows have.
func TestGroup(t *testing.T) {
	p := Peers{rows: []int32{100, 5, leastGroup, leastGroup - 1}}
	for _, c := range []struct {
		features []int32
		want     int32
	}{{nil, -1}, {[]int32{-1}, -1}, {[]int32{3}, -1}, {[]int32{0}, 0}, {[]int32{0, 1}, 1}, {[]int32{1, 0, -1}, 1}, {[]int32{3, 2, 1, 0}, 2}} {
		if got := p.group(c.features); got != c.want {
			t.Errorf("group of %v is %d, want %d", c.features, got, c.want)
		}
	}
}

package model

import (
	"fmt"
	"hash/fnv"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestPeers compares the facts at a cut with what counting one by one says.
func TestPeers(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(5, 30, 400)).Snapshot()
	features := modeltest.ByLetters(2)
	ds := newDataset(snap, features)
	c := newCut(ds, ds.cutTimes([]float64{0.5})[0], newOrders(ds))
	of := func(side []int32, Row int32) []uint64 {
		return features.Append(nil, []byte(snap.Nodes[side[Row]].Name))
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
	mean := func(list []uint64, in func(e *dataEdge, f uint64) (int32, bool)) float64 {
		var sum float64
		for _, f := range list {
			hosts := map[int32]bool{}
			for i := range ds.edges {
				if h, ok := in(&ds.edges[i], f); ok && c.srd[i] > 0 {
					hosts[h] = true
				}
			}
			sum += math.Log1p(float64(len(hosts)))
		}
		return sum / float64(len(list))
	}
	known := 0
	for i := range ds.edges {
		e := &ds.edges[i]
		var f facts
		pair, use := c.sd[e.sd] > 0, c.sr[e.sr] > 0
		if pair {
			known++
		}
		ds.peers.facts(&f, c.met, ds.peers.source.of(e.s), ds.peers.destination.of(e.d), e.s, e.r, e.d, pair, use)
		for at, want := range map[int]float64{
			factPeersToD: mean(of(ds.sources, e.s), func(x *dataEdge, g uint64) (int32, bool) {
				return x.s, x.d == e.d && x.s != e.s && has(of(ds.sources, x.s), g)
			}),
			factToPeersOfD: mean(of(ds.destinations, e.d), func(x *dataEdge, g uint64) (int32, bool) {
				return x.d, x.s == e.s && x.d != e.d && has(of(ds.destinations, x.d), g)
			}),
			factPeersUseR: mean(of(ds.sources, e.s), func(x *dataEdge, g uint64) (int32, bool) {
				return x.s, x.r == e.r && x.s != e.s && has(of(ds.sources, x.s), g)
			}),
		} {
			if got := math.Log1p(float64(f[at])); math.Abs(got-want) > 1e-5 {
				t.Fatalf("edge %d, fact %d: %v, want %v", i, at, got, want)
			}
		}
	}
	if known == 0 || known == len(ds.edges) {
		t.Errorf("%d of %d pairs known at the cut: the test shows half", known, len(ds.edges))
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
	p := newDataset(snap, modeltest.ByLetters(30)).peers
	if n := len(p.source.of(0)); n != MaxFeatures {
		t.Errorf("%d features count, want %d", n, MaxFeatures)
	}
	var room [MaxFeatures]int32
	if n := len(p.find(room[:0], modeltest.ByLetters(30).Append(nil, events[0].Source))); n != MaxFeatures {
		t.Errorf("%d features of a host by its name", n)
	}
}

package model

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

// byLetters are so many kinds of features: the letters of a name, from its end.
type byLetters int

func (n byLetters) Kinds() (kinds []string) {
	for i := range n {
		kinds = append(kinds, fmt.Sprint("letter ", i))
	}
	return kinds
}

func (n byLetters) Append(dst []uint64, host []byte) []uint64 {
	for i := range min(int(n), len(host)) {
		dst = append(dst, uint64(i)<<8|uint64(host[len(host)-1-i]))
	}
	return dst
}

// byTeam is the team that the events of teams give a host, by its number, and nothing of others.
type byTeam struct{}

func (byTeam) Kinds() []string { return []string{"team"} }

func (byTeam) Append(dst []uint64, host []byte) []uint64 {
	var n int
	if _, err := fmt.Sscanf(string(host), "host-%d", &n); err == nil {
		dst = append(dst, uint64(n%4))
	}
	return dst
}

// constant gives every host the same feature, without allocating.
type constant struct{}

func (constant) Kinds() []string                           { return []string{"all"} }
func (constant) Append(dst []uint64, host []byte) []uint64 { return append(dst, 1) }

// TestPeers compares the facts at a cut with what counting one by one says.
func TestPeers(t *testing.T) {
	snap := graphOf(t, teams(5, 30, 400)).Snapshot()
	features := byLetters(2)
	ds := newDataset(snap, features)
	c := newCut(ds, ds.cutTimes([]float64{0.5})[0], newOrders(ds))
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

// TestPeersVouchForAStranger: a host never seen before is expected where its peers go, and a
// model without features cannot tell.
func TestPeersVouchForAStranger(t *testing.T) {
	if testing.Short() {
		t.Skip("it judges scores after long trainings")
	}
	var events []graphbuf.Event
	for i, e := range teams(1, 120, 6000) { // newcomers all along, so that there is something to learn
		var n int
		fmt.Sscanf(string(e.Source), "host-%d", &n)
		if i >= n*40 {
			events = append(events, e)
		}
	}
	g := graphOf(t, events)
	snap := g.Snapshot()
	cfg := DefaultConfig()
	margin := func(s *Scorer) float64 {
		var ref [1]graphbuf.Ref
		score := func(host, server int) float64 {
			e := graphbuf.Event{Source: fmt.Appendf(nil, "host-%d", host), Relation: []byte("client-0"), Destination: fmt.Appendf(nil, "server-%d-0", server), Time: events[len(events)-1].Time}
			g.Look([]graphbuf.Event{e}, ref[:])
			x := float64(s.Score(g, &e, &ref[0]))
			return math.Log(x / (1 - x))
		}
		var sum float64
		for host := 1000; host < 1004; host++ {
			sum += score(host, host%4) - score(host, (host+1)%4)
		}
		return sum / 4
	}
	blind, _ := train(t, snap, cfg)
	if m := margin(blind); math.Abs(m) > 0.5 {
		t.Errorf("without features a stranger's own servers have odds e^%.2f of others'", m)
	}
	cfg.Features = byTeam{}
	s, _ := train(t, snap, cfg)
	if m := margin(s); m < 2 {
		t.Errorf("with features a stranger's own servers have odds e^%.2f of others', want above e^2", m)
	}

	// The model says with which kinds of features it was trained: others count for nothing, and are no start.
	var m Model
	b := encoded(t, s.Model())
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, &m); !bytes.Equal(again, b) {
		t.Error("the decoded model has other bytes")
	}
	if got, want := margin(m.Scorer(snap, 1, byTeam{})), margin(s); got != want {
		t.Errorf("restored: odds e^%v, before e^%v", got, want)
	}
	if got := margin(m.Scorer(snap, 1, nil)); math.Abs(got) > 0.5 {
		t.Errorf("without its features: odds e^%.2f", got)
	}
	if got := m.Scorer(snap, 1, byLetters(1)); got.known != nil {
		t.Error("features of another kind are taken for those of the training")
	}
	cfg.Previous, cfg.Steps = &m, 10
	if _, report := train(t, snap, cfg); !report.Warm {
		t.Error("the same kinds: a cold start")
	}
	cfg.Features = byLetters(1)
	if _, report := train(t, snap, cfg); report.Warm {
		t.Error("other kinds: a warm start")
	}
	cfg.Features, cfg.Without = byTeam{}, []string{"features"}
	cfg.Previous, cfg.Steps = nil, DefaultConfig().Steps
	s, _ = train(t, snap, cfg)
	if m := margin(s); math.Abs(m) > 0.5 {
		t.Errorf("features left out: odds e^%.2f", m)
	}
}

func TestScoreOfAStrangerDoesNotAllocate(t *testing.T) {
	g := graphOf(t, teams(1, 40, 2000))
	cfg := quickConfig()
	cfg.Features = constant{}
	s, _ := train(t, g.Snapshot(), cfg)
	event := graphbuf.Event{Source: []byte("nobody"), Relation: []byte("x"), Destination: []byte("server-0-0"), Time: 1}
	var ref [1]graphbuf.Ref
	g.Look([]graphbuf.Event{event}, ref[:])
	if n := testing.AllocsPerRun(100, func() { s.Score(g, &event, &ref[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
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
	snap := graphOf(t, events).Snapshot()
	p := newDataset(snap, byLetters(30)).peers
	if n := len(p.source.of(0)); n != MaxFeatures {
		t.Errorf("%d features count, want %d", n, MaxFeatures)
	}
	var room [MaxFeatures]int32
	if n := len(p.find(room[:0], byLetters(30).Append(nil, events[0].Source))); n != MaxFeatures {
		t.Errorf("%d features of a host by its name", n)
	}
}

package model

import (
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/ranking"
)

func TestRarity(t *testing.T) {
	m := &Model{heldOut: ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 2}, {Score: 0.1, Weight: 1}, {Score: 0.9, Weight: 5}}, Days: 2}}
	r := m.Rarity()
	for score, want := range map[float32]float64{0.05: 0, 0.1: 0.5, 0.3: 0.5, 0.5: 1.5, 0.89: 1.5, 0.9: 4, 1: 4} {
		if n := r.PerDay(score); n != want {
			t.Errorf("%v a day score %v or lower, want %v", n, score, want)
		}
	}
	if r := (&Model{}).Rarity(); r != nil || !math.IsNaN(r.PerDay(0.5)) {
		t.Error("a model without held-out scores tells of them")
	}
}

// TestGroup: what others of a source's team do is counted without the source itself, whether the training knew it or not.
func TestGroup(t *testing.T) {
	g := modeltest.Graph(t, modeltest.Teams(1, 40, 2000))
	snap := g.Snapshot()
	cfg := quickConfig()
	cfg.Features = modeltest.ByTeam{}
	s, _ := train(t, snap, cfg)
	met := map[[2]string]bool{}
	for i := range snap.Edges {
		e := &snap.Edges[i]
		met[[2]string{snap.Nodes[e.Source].Name, snap.Nodes[e.Destination].Name}] = true
	}
	others := func(source, destination string) (n int) {
		var team int
		fmt.Sscanf(source, "host-%d", &team)
		for h := team % 4; h < 40; h += 4 {
			if host := fmt.Sprint("host-", h); host != source && met[[2]string{host, destination}] {
				n++
			}
		}
		return n
	}
	group := func(s *Scorer, source, destination string) Group {
		e := graphbuf.Event{Source: []byte(source), Relation: []byte("client-0"), Destination: []byte(destination), Time: snap.Edges[0].Last}
		var ref [1]graphbuf.Ref
		g.Look([]graphbuf.Event{e}, ref[:])
		return s.Group(&e, &ref[0])
	}
	some := 0
	for _, source := range []string{"host-1", "host-6", "host-1001"} {
		for _, destination := range []string{"server-0-1", "server-1-0", "server-1-1", "server-2-0", "nowhere"} {
			got, want := group(s, source, destination), others(source, destination)
			sources := 9
			if source == "host-1001" {
				sources = 10
			}
			feature := modeltest.ByTeam{}.Append(nil, []byte(source))[0]
			if got != (Group{feature, sources, want}) {
				t.Errorf("%s, %s: %+v, want %d of %d", source, destination, got, want, sources)
			}
			some += want
		}
	}
	if some == 0 {
		t.Error("no destination has sources of a team")
	}
	if got := group(s, "unlike-any", "server-0-1"); got != (Group{}) {
		t.Errorf("a host without features: %+v", got)
	}
	cfg.Features = nil
	if s, _ := train(t, snap, cfg); group(s, "host-1", "server-0-1") != (Group{}) {
		t.Error("there is a group where nothing is known of hosts")
	}
}

// TestResemblance: hosts of a team are more alike than hosts of two.
func TestResemblance(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 4000)).Snapshot()
	s, _ := train(t, snap, quickConfig())
	id := map[string]graphbuf.ID{}
	for _, n := range snap.Nodes {
		id[n.Name] = n.ID
	}
	least, most := float32(1), float32(-1)
	for a := range 40 {
		for b := range a {
			x, ok := s.Resemblance(id[fmt.Sprint("host-", a)], id[fmt.Sprint("host-", b)])
			if !ok {
				t.Fatal("a host of the training is not known")
			}
			if y, _ := s.Resemblance(id[fmt.Sprint("host-", b)], id[fmt.Sprint("host-", a)]); y != x {
				t.Errorf("%v one way, %v the other", x, y)
			}
			if a%4 == b%4 {
				least = min(least, x)
			} else {
				most = max(most, x)
			}
		}
	}
	if least <= most {
		t.Errorf("hosts of one team are alike by %v at least, of two by up to %v", least, most)
	}
	if x, _ := s.Resemblance(id["host-1"], id["host-1"]); x < 0.999 {
		t.Errorf("a host is like itself by %v", x)
	}
	if _, ok := s.Resemblance(id["host-1"], graphbuf.ID{Slot: 9999, Gen: 1}); ok {
		t.Error("a stranger is known")
	}
	if _, ok := s.Resemblance(id["server-0-1"], id["host-1"]); ok {
		t.Error("a host that is no source is one")
	}
}

func TestOddness(t *testing.T) {
	held := make([]ranking.Weighted, 2000)
	for i := range held {
		held[i] = ranking.Weighted{Score: 0.001 + float32(i)/2001, Weight: 1}
	}
	r := (&Model{heldOut: ranking.HeldOut{Scores: held, Days: 2, Even: 0.04}}).Rarity() // a thousand triplets a day, of which fifty are odd
	if r.Odd() != 50 {
		t.Errorf("%v a day are odd, want 50", r.Odd())
	}
	for score, want := range map[float32]float64{
		held[9].Score:      1,                     // five a day
		held[0].Score:      2,                     // one in two days
		held[0].Score / 10: 3,                     // a tenth of its odds
		held[77].Score:     math.Log10(50.0 / 39), // the last below even odds
		0.041:              0,                     // as likely corrupted as true
		0.9:                0, 1: 0,
	} {
		if x := r.Oddness(score); math.Abs(x-want) > 0.002 {
			t.Errorf("%v is odd by %v, want %v", score, x, want)
		}
	}
	last := r.Oddness(0)
	for x := float32(0); x < 1; x += 1.0 / 4096 {
		if now := r.Oddness(x); now > last {
			t.Fatalf("%v is odder than what scores less: %v after %v", x, now, last)
		} else {
			last = now
		}
	}
	// A budget of scores far from even odds: the gate is the odd share.
	r = (&Model{heldOut: ranking.HeldOut{Scores: held, Days: 2, Even: 0.5}}).Rarity()
	if x, y := r.Oddness(held[98].Score), r.Oddness(held[101].Score); !(x > 0) || y != 0 {
		t.Errorf("the last of the odd ones is odd by %v, the next by %v", x, y)
	}
	if r := (&Model{}).Rarity(); r.Oddness(0) != 0 || r.Odd() != 0 {
		t.Error("a model without held-out scores tells of them")
	}
}

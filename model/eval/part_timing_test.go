package eval

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/simulate"
)

// BenchmarkPartOfAState has one of three agents score its sessions by all of a state's graph and by a part of it: the
// triplets with a host of the agent's own (hops=1), those with a host of these (hops=2), and so on. It reports the part's
// share of the triplets, by how much scores differ, and the average precision of both.
func BenchmarkPartOfAState(b *testing.B) {
	for _, world := range []string{"office", "busy"} {
		for hops := 1; hops <= 3; hops++ {
			b.Run(fmt.Sprintf("%s/hops=%d", world, hops), func(b *testing.B) { partOfAState(b, world, hops) })
		}
	}
}

func partOfAState(b *testing.B, world string, hops int) {
	c, err := simulate.World(world)
	if err != nil {
		b.Fatal(err)
	}
	c.Seed = 401
	sessions, _ := simulated(b, func(to *simulate.Config) { *to = c })
	agents := &fleet{plan: FleetPlan{Agents: 3}, agents: make([]fleetAgent, 3)}
	own := func(host string) bool {
		return agents.of(&Session{Event: graphbuf.Event{Destination: []byte(host)}}) == &agents.agents[0]
	}
	start := sessions[0].Time - sessions[0].Time%int64(Day) + int64(c.AttackStart)*int64(Day)
	first := slices.IndexFunc(sessions, func(s Session) bool { return s.Time >= start })
	whole, err := newReplay(nil, 1)
	if err != nil {
		b.Fatal(err)
	}
	for i := range sessions[:first] {
		whole.observe(&sessions[i])
	}
	base := whole.graph.Snapshot()
	cfg := model.DefaultConfig()
	trained, _, err := model.Train(b.Context(), base, cfg, nil)
	if err != nil {
		b.Fatal(err)
	}
	var share, mean, most, wholeAP, partAP float64
	for b.Loop() {
		part := partOf(base, own, hops)
		share = float64(len(part.Edges)) / float64(len(base.Edges))
		of := func(s *graphbuf.Snapshot) (scores []Scored) {
			r, err := newReplay([]Method{{Name: "part"}}, 1)
			if err != nil {
				b.Fatal(err)
			}
			r.graph.Restore(s)
			r.judged[0].score = scoreOf(trained.Model().Scorer(r.graph.Snapshot(), 1, nil))
			for i := range sessions[first:] {
				s := &sessions[first+i]
				if s.Time >= start+int64(Day) {
					break
				}
				r.begin(0)
				if own(string(s.Destination)) {
					r.judge(s, true)
				}
			}
			return r.judged[0].periods[0]
		}
		by, without := of(base), of(part)
		mean, most = 0, 0
		for i := range by {
			d := math.Abs(by[i].Score - without[i].Score)
			mean, most = mean+d/float64(len(by)), max(most, d)
		}
		wholeAP, partAP = AveragePrecision(by), AveragePrecision(without)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(share, "triplets-share")
	b.ReportMetric(mean, "mean-difference")
	b.ReportMetric(most, "largest-difference")
	b.ReportMetric(wholeAP, "AP-whole")
	b.ReportMetric(partAP, "AP-part")
}

// partOf is what of a graph lies so many hops or fewer from hosts.
func partOf(s *graphbuf.Snapshot, own func(host string) bool, hops int) *graphbuf.Snapshot {
	near := map[int32]bool{}
	for i := range s.Nodes {
		if own(s.Nodes[i].Name) && slices.ContainsFunc(s.Edges, func(e graphbuf.Edge) bool { return e.Destination == int32(i) }) {
			near[int32(i)] = true
		}
	}
	part := *s
	for range hops {
		part.Edges = nil
		reached := map[int32]bool{}
		for _, e := range s.Edges {
			if near[e.Source] || near[e.Destination] {
				part.Edges = append(part.Edges, e)
				reached[e.Source], reached[e.Destination] = true, true
			}
		}
		for n := range reached {
			near[n] = true
		}
	}
	return &part
}

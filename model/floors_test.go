package model

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/temporal"
)

const floorsDay = int64(24 * 3600e9)

// floorsGraph is what the addresses of a pool did in 28 days: each day thirty of 400 are somebody's, who goes to servers of
// his team with his client. Twelve hosts that stay do the same every day.
func floorsGraph(t *testing.T) (g *graphbuf.Graph, now int64) {
	const days = 28
	rng := rand.New(rand.NewPCG(1, 2))
	var events []graphbuf.Event
	for day := range int64(days) {
		add := func(host, server, client int) {
			events = append(events, graphbuf.Event{
				Source: fmt.Appendf(nil, "host-%d", host), Relation: fmt.Appendf(nil, "client-%d", client),
				Destination: fmt.Appendf(nil, "server-%d-%d", host%4, server),
				Time:        1e18 + day*floorsDay + int64(rng.IntN(int(floorsDay/3))),
			})
		}
		for range 30 {
			host, client := 100+rng.IntN(400), rng.IntN(6)
			for range 1 + rng.IntN(2) {
				add(host, rng.IntN(8), client)
			}
		}
		for host := range 12 {
			add(host, host%8, host%3)
		}
	}
	slices.SortFunc(events, func(a, b graphbuf.Event) int { return cmp.Compare(a.Time, b.Time) })
	return modeltest.Graph(t, events), 1e18 + days*floorsDay
}

func floorsConfig() Config {
	cfg := quickConfig()
	cfg.Steps, cfg.Features = 200, modeltest.ByTeam{}
	return cfg
}

// TestAQuietNameIsNoStrangerThanANewOne: what a host that was quiet for days never did is at least as expected as of a
// host never seen with the same features; of one that was there today it need not be.
func TestAQuietNameIsNoStrangerThanANewOne(t *testing.T) {
	g, now := floorsGraph(t)
	s, _ := train(t, g.Snapshot(), floorsConfig())
	look := func(host, server int) (e graphbuf.Event, ref [1]graphbuf.Ref) {
		e = graphbuf.Event{Source: fmt.Appendf(nil, "host-%d", host), Relation: fmt.Appendf(nil, "client-%d", (host+server)%6), Destination: fmt.Appendf(nil, "server-%d-%d", (host+server/8)%4, server%8), Time: now}
		g.Look([]graphbuf.Event{e}, ref[:])
		return e, ref
	}
	quiet, raised := 0, 0
	for host := 100; host < 500; host++ {
		for server := range 16 {
			e, ref := look(host, server)
			if ref[0].Counts.S == 0 || ref[0].Counts.SRD > 0 || ref[0].HostQuiet < 5*floorsDay {
				continue
			}
			quiet++
			other, fresh := look(1000+host, server)
			other.Relation, other.Destination = e.Relation, e.Destination
			g.Look([]graphbuf.Event{other}, fresh[:])
			score, least := logit(s.Score(g, &e, &ref[0])), logit(s.Score(g, &other, &fresh[0]))
			if score < min(least, 0)-0.1 { // it is no peer of its own
				t.Errorf("%s to %s: log-odds %.2f, of a host never seen %.2f", e.Source, e.Destination, score, least)
			}
			ref[0].HostQuiet = quietFor - 1
			active := logit(s.Score(g, &e, &ref[0]))
			if active > score {
				t.Errorf("%s to %s: log-odds %.2f, and %.2f had it been there today", e.Source, e.Destination, score, active)
			}
			if active < score {
				raised++
			}
		}
	}
	if quiet < 500 || raised < quiet/20 {
		t.Errorf("%d of %d scores differ from those of hosts that were there today: too few to tell", raised, quiet)
	}
	e, ref := look(100, 9)
	ref[0].HostQuiet = quietFor
	if n := testing.AllocsPerRun(100, func() { s.Score(g, &e, &ref[0]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestARepeatOfAnOldHostIsNoLessExpectedThanItsFirst has a decoder to which half days of a triplet speak against it, as
// they can where much of what was there has paused. A repeat scores at least as the first session would, but for hosts so
// young that it may be an intruder's return.
func TestARepeatOfAnOldHostIsNoLessExpectedThanItsFirst(t *testing.T) {
	g, now := floorsGraph(t)
	snap := g.Snapshot()
	s, _ := train(t, snap, floorsConfig())
	hidden, output := s.model.params.Get("hidden").Value, s.model.params.Get("output").Value
	for j, out := range output {
		hidden[temporal.HalfDays*gnn.Hidden+j] -= 2 * out / float32(math.Abs(float64(out)))
	}
	old, young := 0, 0
	for i := range snap.Edges {
		x := &snap.Edges[i]
		e := graphbuf.Event{Source: []byte(snap.Nodes[x.Source].Name), Relation: []byte(snap.Relations[x.Relation].Name), Destination: []byte(snap.Nodes[x.Destination].Name), Time: now}
		var ref [1]graphbuf.Ref
		g.Look([]graphbuf.Event{e}, ref[:])
		src, rel, dst := rowOf(s.sources, ref[0].Source), rowOf(s.relations, ref[0].Relation), rowOf(s.destinations, ref[0].Destination)
		first := asAtFirst(ref[0])
		repeat, fresh := s.compute(g, &e, &ref[0], src, rel, dst), s.compute(g, &e, &first, src, rel, dst)
		switch isOld := now-ref[0].HostSince > 5*floorsDay; {
		case isOld && repeat < min(fresh, 0)-1e-4:
			t.Errorf("%s to %s: log-odds of a repeat %.3f, of the first session %.3f", e.Source, e.Destination, repeat, fresh)
		case isOld && repeat == fresh:
			old++
		case !isOld && repeat < min(fresh, 0):
			young++
		}
		want := logit(s.Score(g, &e, &ref[0]))
		if computed := float64(repeat + s.tenure(&e, &ref[0], src, rel, dst)); math.Abs(want-computed) > 1e-3 {
			t.Errorf("%s to %s: log-odds %.4f, want %.4f", e.Source, e.Destination, want, computed)
		}
		if kept := logit(s.Score(g, &e, &ref[0])); kept != want {
			t.Errorf("%s to %s: log-odds %.4f from the cache, %.4f before", e.Source, e.Destination, kept, want)
		}
	}
	if old < 20 || young < 20 {
		t.Errorf("of %d triplets %d of old hosts score as the first session would, and %d of young ones below it: too few to tell", len(snap.Edges), old, young)
	}
}

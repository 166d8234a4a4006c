package model

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestScoresRiseWithTenure scores a session as if its source had come earlier and earlier, and one as if its relation had,
// which is nothing like those that the source uses.
func TestScoresRiseWithTenure(t *testing.T) {
	events := modeltest.Teams(7, 20, 2000)
	g := modeltest.Graph(t, events)
	s, _ := train(t, g.Snapshot(), quickConfig())
	now := events[len(events)-1].Time
	begun := events[0].Time
	for relation, come := range map[string]func(r *graphbuf.Ref, since int64){
		"client-0": func(r *graphbuf.Ref, since int64) { r.SourceSince, r.HostSince = since, since },
		"PuTTY":    func(r *graphbuf.Ref, since int64) { r.RelationSince = since },
	} {
		e := graphbuf.Event{Source: []byte("host-1"), Relation: []byte(relation), Destination: []byte("server-1-1"), Time: now}
		var ref [1]graphbuf.Ref
		g.Look([]graphbuf.Event{e}, ref[:])
		if ref[0].SourceSince > events[100].Time {
			t.Fatal("the source is not among the first")
		}
		ref[0].SourceSince, ref[0].HostSince, ref[0].RelationSince = begun, begun, begun
		settled := s.Score(g, &e, &ref[0])
		last := float32(0)
		for _, since := range []int64{now, now - 6*3600e9, now - 12*3600e9, begun} {
			come(&ref[0], since)
			score := s.Score(g, &e, &ref[0])
			if score <= last {
				t.Errorf("%s: there for %v: %v, for less %v", relation, now-since, score, last)
			}
			last = score
		}
		if last != settled {
			t.Errorf("%s: there from the beginning: %v, want %v", relation, last, settled)
		}
	}
}

// TestTenureOfAnUpgrade: a young relation counts for less the more its name resembles what the source uses, and for all
// with a source that is new.
func TestTenureOfAnUpgrade(t *testing.T) {
	events := modeltest.Teams(7, 20, 2000)
	banner := map[string]string{"client-0": "SSH-2.0-OpenSSH_9.6p1", "client-1": "SSH-2.0-PuTTY_Release_0.81", "client-2": "SSH-2.0-Go"}
	for i := range events {
		events[i].Relation = []byte(banner[string(events[i].Relation)])
	}
	g := modeltest.Graph(t, events)
	s, _ := train(t, g.Snapshot(), quickConfig())
	tenure := func(source, relation string) float32 {
		e := graphbuf.Event{Source: []byte(source), Relation: []byte(relation), Destination: []byte("server-1-1"), Time: events[len(events)-1].Time}
		var ref [1]graphbuf.Ref
		g.Look([]graphbuf.Event{e}, ref[:])
		return s.tenure(&e, &ref[0], rowOf(s.sources, ref[0].Source), rowOf(s.relations, ref[0].Relation), rowOf(s.destinations, ref[0].Destination))
	}
	usual, upgrade, tool := tenure("host-1", "SSH-2.0-OpenSSH_9.6p1"), tenure("host-1", "SSH-2.0-OpenSSH_9.7p1"), tenure("host-1", "SSH-2.0-paramiko_3.4.0")
	if usual != 0 || upgrade >= 0 || upgrade < 0.6*tool {
		t.Errorf("usual client %v, its upgrade %v, another tool %v", usual, upgrade, tool)
	}
	if a, b := tenure("stranger", "SSH-2.0-OpenSSH_9.7p1"), tenure("stranger", "SSH-2.0-paramiko_3.4.0"); a != b || a >= upgrade {
		t.Errorf("of a stranger %v and %v", a, b)
	}
}

// TestHeldOutScoresKnowTenure compares the scores of which a threshold is made with those of the same training without
// tenure: newcomers' are lower by their factor, all others are the same.
func TestHeldOutScoresKnowTenure(t *testing.T) {
	events := modeltest.Teams(8, 60, 3000)
	for i := range events[2970:] { // newcomers do what others do
		e := &events[2970+i]
		e.Source = append([]byte("new-"), e.Source...)
	}
	snap := modeltest.Graph(t, events).Snapshot()
	cfg := quickConfig()
	with, _ := train(t, snap, cfg)
	cfg.Without = []string{"tenure"}
	without, _ := train(t, snap, cfg)
	a, b := with.Model().heldOut.Scores, without.Model().heldOut.Scores
	if len(a) != len(b) {
		t.Fatalf("%d held-out scores with tenure, %d without", len(a), len(b))
	}
	newcomers := float32(0)
	for i := range a {
		factor := math.Exp(logit(a[i].Score) - logit(b[i].Score))
		if factor > 1.001 {
			t.Errorf("tenure raises a score from %v to %v", b[i].Score, a[i].Score)
		}
		if factor < 0.5 {
			newcomers += a[i].Weight
		}
	}
	if newcomers < 20 {
		t.Errorf("tenure lowers %v held-out triplets, want those of 30 newcomers", newcomers)
	}
}

package model

import (
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/ranking"
)

func TestLeastEdges(t *testing.T) {
	for _, c := range []struct {
		want  int
		lived time.Duration
		least int
	}{{0, 0, 50}, {0, 24*time.Hour - 1, 50}, {0, 24 * time.Hour, 10}, {200, 240 * time.Hour, 200}, {10, 0, 10}} {
		if got := LeastEdges(c.want, c.lived); got != c.least {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestWeak(t *testing.T) {
	for _, c := range []struct {
		heldOut int
		settled bool
		quality float64
		why     string // "": not weak
	}{
		{20, false, 0.6, ""}, {20, true, 0.6, ""}, {8, true, 0.8, ""},
		{20, true, 0.59, "AUC is 0.590, want 0.6: it can hardly tell"},
		{19, false, 0.99, "19 distinct triplets were held out of the training to judge it, want 20"},
		{7, true, 0.99, "7 distinct triplets were held out of the training to judge it, want 8"},
		{19, true, 0.79, "AUC is 0.790, want 0.8 as it was taken over 19 distinct triplets, and 0.6 from 20 on: wait"},
	} {
		m := &Model{Quality: c.quality, heldOut: ranking.HeldOut{Scores: make([]ranking.Weighted, c.heldOut), Settled: c.settled}}
		if why := m.Weak(); m.IsWeak() != (c.why != "") || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%+v: weak %v, %q", c, m.IsWeak(), why)
		}
	}
}

// TestASmallNetwork: sixteen triplets are enough to tell an intruder, once they are known for days. In the first hours,
// when a larger network has as few, they are not.
func TestASmallNetwork(t *testing.T) {
	events := modeltest.SmallOffice(14)
	early, _ := slices.BinarySearchFunc(events, int64(20*time.Hour), func(e graphbuf.Event, at int64) int { return int(e.Time - at) })
	if s, _ := train(t, modeltest.Graph(t, events[:early]).Snapshot(), quickConfig()); !s.Model().IsWeak() {
		t.Errorf("20 hours: not weak with %d triplets held out", len(s.Model().heldOut.Scores))
	}
	g := modeltest.Graph(t, events)
	s, report := train(t, g.Snapshot(), DefaultConfig())
	if why := s.Model().Weak(); why != "" || report.Edges != 16 {
		t.Fatalf("%d triplets: %q", report.Edges, why)
	}
	for _, c := range []struct {
		source, relation, destination string
		low                           bool
	}{
		{"laptop-0", "SSH-2.0-OpenSSH_9.6", "server-1", false}, {"backup", "SSH-2.0-paramiko_3.4.0", "server-3", false},
		{"10.9.9.9", "SSH-2.0-libssh2_1.11.0", "server-1", true}, {"laptop-0", "SSH-2.0-Go", "server-2", true},
		{"laptop-0", "SSH-2.0-OpenSSH_9.6", "laptop-3", true},
	} {
		event := graphbuf.Event{Source: []byte(c.source), Relation: []byte(c.relation), Destination: []byte(c.destination), Time: events[len(events)-1].Time + 1}
		var ref [1]graphbuf.Ref
		g.Look([]graphbuf.Event{event}, ref[:])
		if score := s.Score(g, &event, &ref[0]); (score < s.Threshold()) != c.low {
			t.Errorf("%+v: score %.3f, threshold %.3f", c, score, s.Threshold())
		}
	}
}

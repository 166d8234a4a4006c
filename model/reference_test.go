package model

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestExplore(t *testing.T) {
	snap := graphOf(t, notebook(t)).Snapshot()
	b, _ := os.ReadFile("../../shared/data/maccdc2012_ssh.log")
	at := func(n []string) map[string]int32 {
		m := map[string]int32{}
		for i, x := range n {
			m[x] = int32(i)
		}
		return m
	}
	var nn, rn []string
	for _, x := range snap.Nodes {
		nn = append(nn, x.Name)
	}
	for _, x := range snap.Relations {
		rn = append(rn, x.Name)
	}
	nodes, rels := at(nn), at(rn)
	type rw struct {
		uid string
		s   float32
	}
	for _, ep := range []int{10} {
		for seed := range uint64(10) {
			cfg := defaultReference()
			cfg.Seed = seed + 1
			cfg.Epochs = ep
			m, rep, err := trainReference(context.Background(), snap, cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			var rows []rw
			low := 0
			for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
				c := strings.Split(l, "\t")
				s := m.score(nodes[c[2]], rels[c[8]], nodes[c[4]])
				rows = append(rows, rw{c[1], s})
				if s < m.threshold {
					low++
				}
			}
			slices.SortStableFunc(rows, func(a, b rw) int {
				if a.s < b.s {
					return -1
				}
				if a.s > b.s {
					return 1
				}
				return 0
			})
			var ranks []int
			for _, u := range []string{"CH5EtE1xtwQmyxf5s1", "COqmtb2K1yl9ptmBC", "CvpN0F4oRP5Pc895fc", "CsO3K9zNNojTSGFhk", "CObILv2xfzVJkUXY6"} {
				ranks = append(ranks, slices.IndexFunc(rows, func(r rw) bool { return r.uid == u }))
			}
			mean, sd := m.spread(snap.Edges)
			t.Logf("ep %d seed %d mean %.3f sd %.3f low %d thr %.3f ranks %v lowest %.3f AUC %.3f recall %.3f loss %.3f %v", ep, seed+1, mean, sd, low, m.threshold, ranks, rows[0].s, rep.Quality, m.recall, rep.Loss, rep.Duration)
		}
	}
}

package model

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// TestBadSessionsScoreLower: what resembles a session that people called bad scores lower, and what is usual as before.
func TestBadSessionsScoreLower(t *testing.T) {
	is := func(want string) func(string) bool { return func(name string) bool { return name == want } }
	const events = 4000
	if testing.Short() {
		t.Skip("eight trainings")
	}
	type session struct{ source, relation string }
	bad, alike, usual := session{"host-3", "client-2"}, session{"host-15", "client-2"}, session{"host-3", "client-0"}
	for seed := range uint64(4) {
		g := modeltest.Graph(t, modeltest.Teams(1+seed, 40, events))
		cfg := quickConfig()
		cfg.Seed, cfg.Steps = 1+seed, 400
		plain, before := train(t, g.Snapshot(), cfg)
		cfg.Bad = []Bad{{Source: is("host-3"), Relation: is("client-2")}} // which is another host's
		warned, after := train(t, g.Snapshot(), cfg)
		change := func(of session) (mean float64) { // of log-odds
			for i := range 3 {
				destination := fmt.Appendf(nil, "server-3-%d", i)
				e := []graphbuf.Event{{Source: []byte(of.source), Relation: []byte(of.relation), Destination: destination, Time: events * 60e9}}
				var ref [1]graphbuf.Ref
				g.Look(e, ref[:])
				odds := func(s *Scorer) float64 {
					p := float64(s.Score(g, &e[0], &ref[0]))
					return math.Log(p / (1 - p))
				}
				mean += (odds(warned) - odds(plain)) / 3
			}
			return mean
		}
		for _, s := range []session{alike, bad} {
			if c := change(s); !(c < -0.01) {
				t.Errorf("seed %d: the log-odds of %v change by %v", seed, s, c)
			}
		}
		if c := change(usual); math.Abs(c) > 0.2 {
			t.Errorf("seed %d: the log-odds of what is usual change by %v", seed, c)
		}
		if d := after.Quality - before.Quality; math.Abs(d) > 0.01 {
			t.Errorf("seed %d: the AUC changes by %v", seed, d)
		}
	}
}

// TestBadNames: names of no host stand for one that nobody knows, and a training with them is as good as repeatable.
func TestBadNames(t *testing.T) {
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	cfg := quickConfig()
	never, always := func(string) bool { return false }, func(string) bool { return true }
	plain, _ := train(t, snap, cfg)
	for name, kind := range map[string]Bad{"nobody": {never, never, never}, "all": {always, always, always}, "any": {}} {
		cfg.Bad = []Bad{kind, kind}
		a, _ := train(t, snap, cfg)
		b, _ := train(t, snap, cfg)
		if !bytes.Equal(encoded(t, a.Model()), encoded(t, b.Model())) {
			t.Errorf("%s: two trainings differ", name)
		}
		if bytes.Equal(encoded(t, a.Model()), encoded(t, plain.Model())) {
			t.Errorf("%s: no difference to a training without", name)
		}
	}
}

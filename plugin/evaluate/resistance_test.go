package evaluate

import (
	"bytes"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/simulate"
)

// TestResistanceCountsWhatWasShown judges methods whose lists are known: one that sees nothing, and
// one that puts whatever goes to the patient attacker's servers first.
func TestResistanceCountsWhatWasShown(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) {
		c.Hosts, c.Teams, c.SessionsPerDay, c.AttacksPerDay = 100, 4, 400, 0
		c.Days, c.SlowTargets, c.BruteForce = 12, 10, 50
	})
	blind := func(*graphbuf.Snapshot) (Score, float64, error) {
		return func(*graphbuf.Graph, *graphbuf.Event, *graphbuf.Ref) float64 { return 0.5 }, 0, nil
	}
	newPair := func(*graphbuf.Snapshot) (Score, float64, error) {
		return func(_ *graphbuf.Graph, _ *graphbuf.Event, r *graphbuf.Ref) float64 { return float64(r.Counts.SD) }, 0, nil
	}
	out, err := Resistance(sessions, Plan{From: c.AttackStart}, []Method{{Name: "blind", Learn: blind}, {Name: "new pair", Learn: newPair}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if e := out[0]; e.PairRank <= Shown || e.FirstHalf > 0.5 {
		t.Errorf("one that sees nothing: %+v", e)
	}
	if e := out[1]; e.SecondHalf < out[0].SecondHalf {
		t.Errorf("one that looks for new pairs: %+v, one that sees nothing: %+v", e, out[0])
	}
	var b bytes.Buffer
	if err := PrintEndurance(&b, SummarizeEndurance([][]Endurance{out, out})); err != nil || !strings.Contains(b.String(), "new pair") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestPatientAttackersAreShown holds the floor of `rgcn eval -resistance`: two thousand repeats of
// a pair in an afternoon do not make it usual before it was shown, nor do ten new servers a week.
func TestPatientAttackersAreShown(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) {
		c.Hosts, c.SessionsPerDay, c.AttacksPerDay = 200, 1000, 0
		c.Days, c.SlowTargets, c.BruteForce = 14, 14, 2000
	})
	cfg := model.DefaultConfig()
	cfg.Dim, cfg.Steps, cfg.Threads = 64, 200, 2
	out, err := Resistance(sessions, Plan{From: c.AttackStart}, []Method{Trained("R-GCN", cfg)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", out[0])
	if e := out[0]; e.PairRank > Shown/2 || e.Missed > 2 || e.FirstHalf < 0.5 || e.SecondHalf < 0.4 {
		t.Errorf("%+v", e)
	}
}

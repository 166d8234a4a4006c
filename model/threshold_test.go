package model

import (
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/ranking"
)

func TestThresholds(t *testing.T) {
	var scores []ranking.Weighted
	for i := range 1000 {
		scores = append(scores, ranking.Weighted{Score: float32(i) / 1000, Weight: 1})
	}
	under := func(th Threshold, days float64) int {
		at := th.of(scores, days, 1)
		n := 0
		for _, s := range scores {
			if s.Score < at {
				n++
			}
		}
		return n
	}
	if n := under(Threshold{Method: Quantile, Quantile: 0.05}, 1); n != 50 {
		t.Errorf("quantile 0.05 of 1000: %d below", n)
	}
	if n := under(Threshold{Method: Budget, PerDay: 20}, 4); n != 80 {
		t.Errorf("20 a day in four days: %d below", n)
	}
	alike := []ranking.Weighted{{Score: 0.98, Weight: 5}, {Score: 0.97, Weight: 5}}
	if at := (Threshold{Method: Sigma, K: 2}).of(alike, 1, 0.2); at != 0.2 {
		t.Errorf("where all scores are high the threshold is %v", at)
	}
	if n := under(Threshold{Method: Sigma, K: 0}, 1); n < 490 || n > 510 {
		t.Errorf("the mean of symmetric scores: %d of 1000 below", n)
	}
	one, two := under(Threshold{Method: Sigma, K: 1}, 1), under(Threshold{Method: Sigma, K: 2}, 1)
	if !(two > 0 && two < one && one < 500) {
		t.Errorf("one standard deviation: %d below, two: %d", one, two)
	}
}

func TestAThresholdCanBeSetAnew(t *testing.T) {
	cfg := quickConfig()
	g := modeltest.Graph(t, modeltest.Teams(1, 40, 3000))
	s, _ := train(t, g.Snapshot(), cfg)
	var m Model
	if err := m.UnmarshalBinary(encoded(t, s.Model())); err != nil {
		t.Fatal(err)
	}
	m.SetThreshold(cfg.Threshold)
	if m.Threshold != s.Threshold() {
		t.Errorf("the same settings give %v after decoding, %v before", m.Threshold, s.Threshold())
	}
	m.SetThreshold(Threshold{Method: Quantile, Quantile: 0.5})
	half := m.Scorer(g.Snapshot(), 1, nil).Threshold()
	m.SetThreshold(Threshold{Method: Quantile, Quantile: 0.01})
	if low := m.Scorer(g.Snapshot(), 1, nil).Threshold(); !(low < half) {
		t.Errorf("one in a hundred lies below %v, one in two below %v", low, half)
	}
}

// TestABudgetStopsAtEvenOdds: where few sessions are likelier made up than true, fewer are flagged than the budget has.
func TestABudgetStopsAtEvenOdds(t *testing.T) {
	scores := make([]ranking.Weighted, 1000)
	for i := range scores {
		scores[i] = ranking.Weighted{Score: float32(i+1) / 1000, Weight: 1} // evenly from 0 to 1, as many as on a day
	}
	for perDay, want := range map[float64]float32{100: 0.101, 200: 0.2, 500: 0.2} {
		m := &Model{heldOut: ranking.HeldOut{Scores: scores, Days: 1, Even: 0.2}}
		m.SetThreshold(Threshold{Method: Budget, PerDay: perDay})
		if math.Abs(float64(m.Threshold-want)) > 1e-6 {
			t.Errorf("of %v a day: threshold %v, want %v", perDay, m.Threshold, want)
		}
	}
}

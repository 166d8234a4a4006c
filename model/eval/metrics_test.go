package eval

import (
	"math"
	"testing"
)

func scored(attacks string, scores ...float64) (out []Scored) {
	for i, s := range scores {
		out = append(out, Scored{Score: s, Attack: attacks[i] == 'x', tie: uint64(i)})
	}
	return out
}

func TestMetrics(t *testing.T) {
	for _, c := range []struct {
		all     []Scored
		auc, ap float64
	}{
		{scored("x..", 0.1, 0.2, 0.3), 1, 1},
		{scored("..x", 0.1, 0.2, 0.3), 0, 1.0 / 3},
		{scored(".x.", 0.1, 0.2, 0.3), 0.5, 0.5},
		{scored("x.", 0.5, 0.5), 0.5, 1}, // a tie counts half; in the list the draw decides
		{scored("x.x.", 0.4, 0.3, 0.2, 0.1), 0.25, (1.0/2 + 2.0/4) / 2},
	} {
		if a, p := AUC(c.all), AveragePrecision(c.all); math.Abs(a-c.auc) > 1e-12 || math.Abs(p-c.ap) > 1e-12 {
			t.Errorf("%v: AUC %v AP %v, want %v and %v", c.all, a, p, c.auc, c.ap)
		}
	}
	if got, want := BalancedPrecision(scored(".x..x.", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)), (1/1.5+2/(2+3*0.5))/2; math.Abs(got-want) > 1e-12 {
		t.Errorf("balanced precision %v, want %v", got, want)
	}
	// Scores that are the same as float32 are no tie.
	if a := AUC(scored("x.", 0.5, 0.5+1e-12)); a != 1 {
		t.Errorf("AUC %v of two scores that are close, want 1", a)
	}
	for _, one := range []string{"xx", ".."} {
		if a := AUC(scored(one, 0.1, 0.2)); !math.IsNaN(a) {
			t.Errorf("%q: AUC %v, want NaN", one, a)
		}
	}
	days := [][]Scored{scored("x.x", 0.1, 0.2, 0.3), scored(".x", 0.1, 0.2)}
	for k, want := range map[int]float64{1: 1.0 / 3, 2: 2.0 / 3, 3: 1} {
		if got := RecallAt(days, k); math.Abs(got-want) > 1e-12 {
			t.Errorf("recall at %d is %v, want %v", k, got, want)
		}
	}
}

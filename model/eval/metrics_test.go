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
		{scored("x.", 0.5, 0.5), 0.5, 0.5}, // a tie counts half, and precision is that of all that score alike
		{scored("x..x.", 0.1, 0.3, 0.3, 0.3, 0.4), (3 + 2*0.5 + 1) / 6, (1 + 2.0/4) / 2},
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

// Without attacks there is no average precision.
func TestNoAveragePrecision(t *testing.T) {
	if p := AveragePrecision(scored("..", 0.1, 0.2)); !math.IsNaN(p) {
		t.Errorf("average precision %v, want NaN", p)
	}
}

// A seed in which a figure is no number does not count, and one seed alone has no spread.
func TestSpreads(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		figures    []float64
		text, json string
	}{
		{[]float64{1, 3}, "2.0 ± 1.4", `{"mean":2,"sd":1.4142135623730951}`},
		{[]float64{1, nan, 3}, "2.0 ± 1.4", `{"mean":2,"sd":1.4142135623730951}`},
		{[]float64{2}, "2.0", `{"mean":2,"sd":null}`},
		{[]float64{nan, 2}, "2.0", `{"mean":2,"sd":null}`},
		{[]float64{nan, nan}, "-", "null"},
		{nil, "-", "null"},
	} {
		s := spreadOf(len(c.figures), func(i int) float64 { return c.figures[i] })
		js, err := s.MarshalJSON()
		if got := s.text(1); got != c.text || string(js) != c.json || err != nil {
			t.Errorf("%v: %s and %s, want %s and %s; %v", c.figures, got, js, c.text, c.json, err)
		}
	}
}

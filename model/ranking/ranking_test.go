package ranking

import (
	"math"
	"testing"
)

func TestAUC(t *testing.T) {
	s := func(v ...float32) (out []Weighted) {
		for _, x := range v {
			out = append(out, Weighted{x, 1})
		}
		return out
	}
	for _, c := range []struct {
		positives, negatives []Weighted
		want                 float64
	}{
		{s(0.9, 0.8), s(0.1, 0.2), 1}, {s(0.1), s(0.9), 0}, {s(0.5), s(0.5), 0.5}, {s(0.9, 0.4), s(0.5, 0.5), 0.5},
		{s(0.9), nil, 0.5}, {[]Weighted{{0.9, 3}, {0.1, 1}}, s(0.5), 0.75},
	} {
		if got := AUC(c.positives, c.negatives); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("auc(%v, %v) = %v, want %v", c.positives, c.negatives, got, c.want)
		}
	}
	var fifths []Weighted // whose sums are rounded
	for i := range 17 {
		fifths = append(fifths, Weighted{float32(i) / 100, 0.2})
	}
	if got := AUC(fifths[11:], fifths[:11]); got > 1 {
		t.Errorf("auc %v", got)
	}
}

// The lowest of a handful of held-out triplets is what one of a handful scores, and not what one of a thousand does.
func TestFewHeldOutScores(t *testing.T) {
	few := []Weighted{{0.2, 2}, {0.1, 1}, {0.4, 1}}
	for weight, want := range map[float64]float32{0: 0, 0.25: 0.025, 1: 0.2, 2.5: 0.2, 3: 0.4, 9: 0.4} {
		if got := Below(few, weight); math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("below %v lie triplets of weight %v, want %v", got, weight, want)
		}
	}
}

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
		true_, false_ []Weighted
		want          float64
	}{
		{s(0.9, 0.8), s(0.1, 0.2), 1}, {s(0.1), s(0.9), 0}, {s(0.5), s(0.5), 0.5}, {s(0.9, 0.4), s(0.5, 0.5), 0.5},
		{s(0.9), nil, 0.5}, {[]Weighted{{0.9, 3}, {0.1, 1}}, s(0.5), 0.75},
	} {
		if got := AUC(c.true_, c.false_); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("auc(%v, %v) = %v, want %v", c.true_, c.false_, got, c.want)
		}
	}
}

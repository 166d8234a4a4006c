package gnn

import (
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/num"
)

// TestHiddenLayer drives both twins of the hidden layer's kernels over the same numbers, with guards around the
// matrices.
func TestHiddenLayer(t *testing.T) {
	const guard, value = 8, float32(-1234.5)
	rng := num.NewPhilox(1, 99)
	fenced := func(n int) (all, inner []float32) {
		all = make([]float32, n+2*guard)
		num.Fill(all, value)
		inner = all[guard : guard+n : guard+n]
		num.Normal(rng, inner, 1)
		return all, inner
	}
	near := func(what string, n int, got, want []float32) {
		t.Helper()
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= 2e-5*(1+math.Abs(float64(want[i])))) {
				t.Fatalf("%s of %d: [%d] is %v, the plain twin gives %v", what, n, i, got[i], want[i])
			}
		}
	}
	whole := func(all ...[]float32) {
		t.Helper()
		for _, x := range all {
			for i := range guard {
				if x[i] != value || x[len(x)-1-i] != value {
					t.Fatal("a kernel wrote beyond its slice")
				}
			}
		}
	}
	aw, w := fenced(NumInputs * Hidden)
	adw, dw := fenced(NumInputs * Hidden)
	var b, dh, h, wantH [Hidden]float32
	var f, df, wantDF [NumInputs]float32
	num.Normal(rng, b[:], 1)
	num.Normal(rng, dh[:], 1)
	num.Normal(rng, f[:], 1)
	hiddenForward(w, &b, &h, &f)
	plainForward(w, &b, &wantH, &f)
	near("hiddenForward", Hidden, h[:], wantH[:])
	wantDW := append([]float32(nil), dw...)
	hiddenBackward(w, dw, &dh, &f, &df)
	plainBackward(w, wantDW, &dh, &f, &wantDF)
	near("hiddenBackward dw", Hidden, dw, wantDW)
	near("hiddenBackward df", NumInputs, df[:], wantDF[:])
	whole(aw, adw)
	for _, x := range h {
		if x < 0 {
			t.Errorf("the hidden layer yields %v", x)
		}
	}
}

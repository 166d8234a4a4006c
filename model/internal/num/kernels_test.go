package num

import (
	"math"
	"slices"
	"testing"
)

// Both twins of each kernel over the same numbers, with guards before and behind every slice.
func TestKernels(t *testing.T) {
	const guard, value = 8, float32(-1234.5)
	rng := NewPhilox(1, 99)
	fenced := func(n int) (all, inner []float32) {
		all = make([]float32, n+2*guard)
		Fill(all, value)
		inner = all[guard : guard+n : guard+n]
		Normal(rng, inner, 1)
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
	whole := func(what string, n int, all ...[]float32) {
		t.Helper()
		for _, x := range all {
			for i := range guard {
				if x[i] != value || x[len(x)-1-i] != value {
					t.Fatalf("%s of %d wrote beyond its slice", what, n)
				}
			}
		}
	}
	for _, n := range []int{0, 1, 3, 7, 8, 9, 15, 16, 17, 27, 32, 63, 64, 100, 128, 129} {
		ax, x := fenced(n)
		ay, y := fenced(n)
		az, z := fenced(n)
		near("dot", n, []float32{Dot(x, y)}, []float32{PlainDot(x, y)})
		near("dot3", n, []float32{Dot3(x, y, z)}, []float32{plainDot3(x, y, z)})
		want := append([]float32(nil), y...)
		AddScaled(0.3, x, y)
		PlainAddScaled(0.3, x, want)
		near("AddScaled", n, y, want)
		want = append(want[:0], z...)
		MulAdd(-0.7, x, y, z)
		plainMulAdd(-0.7, x, y, want)
		near("mulAdd", n, z, want)
		whole("a kernel", n, ax, ay, az)
		av, v := fenced(n)
		for i := range v {
			v[i] *= v[i]
		}
		moments, squares, want := slices.Clone(y), slices.Clone(v), slices.Clone(z)
		for range 3 {
			Adam(0.01, 1e-8, 0.002, x, y, v, z)
			plainAdam(0.01, 1e-8, 0.002, x, moments, squares, want)
		}
		near("adam m", n, y, moments)
		near("adam v", n, v, squares)
		near("adam", n, z, want)
		whole("adam", n, ax, ay, az, av)

		if n == 0 { // no matrix
			continue
		}
		aw, w := fenced(n * n)
		want = append(want[:0], y...)
		MulTransVec(w, x, y)
		plainMulTransVec(w, x, want)
		near("MulTransVec", n, y, want)
		turned := make([]float32, n*n)
		Transpose(w, turned, n)
		MulTransVec(turned, x, y)
		MulVec(w, x, want)
		near("MulVec", n, y, want)
		want = append(want[:0], w...)
		AddOuter(x, y, w)
		plainAddOuter(x, y, want)
		near("AddOuter", n, w, want)
		whole("a kernel of a matrix", n, aw, ax, ay)
	}
}

package num

import (
	"math"
	"testing"
)

func TestFunctions(t *testing.T) {
	check := func(name string, x, got float32, want float64) {
		t.Helper()
		if d := math.Abs(float64(got) - want); !(d <= 1e-6+3e-7*math.Abs(want)) {
			t.Fatalf("%s(%v) is %v, want %v", name, x, got, want)
		}
	}
	rng := NewPhilox(1, 98)
	for i := range 200000 {
		x := float32(math.Exp(float64(rng.Float())*40 - 18)) // up to 3.6e9, the largest counts
		if i < 70000 {
			x = float32(i)
		}
		check("log1p", x, Log1p(x), math.Log1p(float64(x)))
		check("asinh", x, Asinh(x), math.Asinh(float64(x)))
		check("asinh", -x, Asinh(-x), -math.Asinh(float64(x)))
	}
}

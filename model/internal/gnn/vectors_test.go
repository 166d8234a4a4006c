package gnn

import (
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/num"
)

func TestSignsAreANamesOwn(t *testing.T) {
	const k = 1024
	a, b, again := make([]float32, k), make([]float32, k), make([]float32, k)
	fillSigns(a, "10.0.0.1")
	fillSigns(b, "10.0.0.2")
	fillSigns(again, "10.0.0.1")
	if num.Dot(a, again) != k {
		t.Error("the same name has two vectors")
	}
	if d := num.Dot(a, b); math.Abs(float64(d)) > 5*math.Sqrt(k) {
		t.Errorf("two names have the inner product %v of %d", d, k)
	}
}

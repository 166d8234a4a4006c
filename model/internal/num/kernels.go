package num

import (
	"gonum.org/v1/gonum/blas"
	blasgonum "gonum.org/v1/gonum/blas/gonum"
)

// The few loops that all of training and scoring is made of, over rows of float32. Those
// of kernels_simd.go are the same with vectors, for builds with GOEXPERIMENT=simd on
// machines that have AVX2; TestKernels drives both.

var impl blasgonum.Implementation

// PlainDot returns <x, y>.
func PlainDot(x, y []float32) float32 { return impl.Sdot(len(x), x, 1, y, 1) }

// PlainAddScaled adds a*x to y.
func PlainAddScaled(a float32, x, y []float32) { impl.Saxpy(len(x), a, x, 1, y, 1) }

// Scale multiplies x by a.
func Scale(a float32, x []float32) { impl.Sscal(len(x), a, x, 1) }

// plainMulAdd adds a*x*y, element by element, to z.
func plainMulAdd(a float32, x, y, z []float32) {
	y, z = y[:len(x)], z[:len(x)]
	for i, v := range x {
		z[i] += a * v * y[i]
	}
}

// plainDot3 returns the sum over i of x[i]*y[i]*z[i].
func plainDot3(x, y, z []float32) (sum float32) {
	y, z = y[:len(x)], z[:len(x)]
	for i, v := range x {
		sum += v * y[i] * z[i]
	}
	return sum
}

// The decay of Adam's first and second moments, the usual ones (Kingma and Ba 2015).
const Beta1, Beta2 = 0.9, 0.999

// plainAdam takes the gradient g up in the moments m and v and moves x by -(a m / (sqrt v + e) + decay x).
func plainAdam(a, e, decay float32, g, m, v, x []float32) {
	m, v, x = m[:len(g)], v[:len(g)], x[:len(g)]
	for i, d := range g {
		m[i] = Beta1*m[i] + (1-Beta1)*d
		v[i] = Beta2*v[i] + (1-Beta2)*d*d
		x[i] -= a*m[i]/(Sqrt(v[i])+e) + decay*x[i]
	}
}

// MulVec adds w x to y; w is [k][k] row-major.
func MulVec(w, x, y []float32) {
	k := len(x)
	impl.Sgemv(blas.NoTrans, k, k, 1, w, k, x, 1, 1, y, 1)
}

// plainMulTransVec adds the transposed w times x to y.
func plainMulTransVec(w, x, y []float32) {
	k := len(x)
	impl.Sgemv(blas.Trans, k, k, 1, w, k, x, 1, 1, y, 1)
}

// plainAddOuter adds x y^T to w.
func plainAddOuter(x, y, w []float32) {
	k := len(x)
	impl.Sger(k, k, 1, x, 1, y, 1, w, k)
}

// Transpose writes the transpose of w to t, both [k][k].
func Transpose(w, t []float32, k int) {
	for i := range k {
		for j, x := range w[i*k:][:k] {
			t[j*k+i] = x
		}
	}
}

// Row returns row i of x, [rows][k] row-major.
func Row(x []float32, i int32, k int) []float32 { return x[int(i)*k:][:k:k] }

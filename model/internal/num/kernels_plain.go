//go:build !(goexperiment.simd && amd64)

package num

// Dot returns <x, y>.
func Dot(x, y []float32) float32 { return PlainDot(x, y) }

// AddScaled adds a x to y.
func AddScaled(a float32, x, y []float32) { PlainAddScaled(a, x, y) }

// MulAdd adds a x y, element by element, to z.
func MulAdd(a float32, x, y, z []float32) { plainMulAdd(a, x, y, z) }

// Dot3 returns the sum over i of x[i] y[i] z[i].
func Dot3(x, y, z []float32) float32 { return plainDot3(x, y, z) }

// MulTransVec adds the transposed w times x to y; w is [k][k] row-major, k the length of x.
func MulTransVec(w, x, y []float32) { plainMulTransVec(w, x, y) }

// AddOuter adds x y^T to w, [k][k] row-major, k the length of x.
func AddOuter(x, y, w []float32) { plainAddOuter(x, y, w) }

// Adam takes the gradient g up in the moments m and v and moves x by -(a m / (sqrt v + e) + decay x).
func Adam(a, e, decay float32, g, m, v, x []float32) { plainAdam(a, e, decay, g, m, v, x) }

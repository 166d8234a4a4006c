//go:build !(goexperiment.simd && amd64)

package num

func Dot(x, y []float32) float32          { return PlainDot(x, y) }
func AddScaled(a float32, x, y []float32) { PlainAddScaled(a, x, y) }
func MulAdd(a float32, x, y, z []float32) { plainMulAdd(a, x, y, z) }
func Dot3(x, y, z []float32) float32      { return plainDot3(x, y, z) }
func MulTransVec(w, x, y []float32)       { plainGemvT(w, x, y) }
func AddOuter(x, y, w []float32)          { plainOuter(x, y, w) }

func Adam(a, e, decay float32, g, m, v, x []float32) { plainAdam(a, e, decay, g, m, v, x) }

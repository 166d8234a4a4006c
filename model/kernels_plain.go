//go:build !(goexperiment.simd && amd64)

package model

func dot(x, y []float32) float32          { return plainDot(x, y) }
func axpy(a float32, x, y []float32)      { plainAxpy(a, x, y) }
func mulAdd(a float32, x, y, z []float32) { plainMulAdd(a, x, y, z) }
func dot3(x, y, z []float32) float32      { return plainDot3(x, y, z) }
func gemvT(w, x, y []float32)             { plainGemvT(w, x, y) }
func outer(x, y, w []float32)             { plainOuter(x, y, w) }

func adam(a, e, decay float32, g, m, v, x []float32) { plainAdam(a, e, decay, g, m, v, x) }

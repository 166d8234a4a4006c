//go:build !(goexperiment.simd && amd64)

package gnn

func hiddenForward(w []float32, b, h *[Hidden]float32, f *[NumInputs]float32) {
	plainForward(w, b, h, f)
}

func hiddenBackward(w, dw []float32, dh *[Hidden]float32, f, df *[NumInputs]float32) {
	plainBackward(w, dw, dh, f, df)
}

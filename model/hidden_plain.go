//go:build !(goexperiment.simd && amd64)

package model

func hiddenForward(w []float32, b, h *[hidden]float32, f *[features]float32) {
	plainForward(w, b, h, f)
}

func hiddenBackward(w, dw []float32, dh *[hidden]float32, f, df *[features]float32) {
	plainBackward(w, dw, dh, f, df)
}

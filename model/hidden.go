package model

import "flb-filter-rgcn/model/internal/num"

// plainForward writes h = relu(b + w^T f); w is [features][hidden] row-major.
func plainForward(w []float32, b, h *[hidden]float32, f *[features]float32) {
	*h = *b
	for i, v := range f {
		for j, x := range w[i*hidden:][:hidden] {
			h[j] += v * x
		}
	}
	for j, x := range h {
		h[j] = max(x, 0)
	}
}

// plainBackward is that of plainForward for the gradient dh of what stands before the relu:
// it adds f dh^T to dw, of the shape of w, and writes df = w dh.
func plainBackward(w, dw []float32, dh *[hidden]float32, f, df *[features]float32) {
	for i, v := range f {
		num.PlainAddScaled(v, dh[:], dw[i*hidden:][:hidden])
		df[i] = num.PlainDot(w[i*hidden:][:hidden], dh[:])
	}
}

package gnn

import "flb-filter-rgcn/model/internal/num"

// plainForward writes h = relu(b + w^T f); w is [NumInputs][Hidden] row-major.
func plainForward(w []float32, b, h *[Hidden]float32, f *[NumInputs]float32) {
	*h = *b
	for i, v := range f {
		for j, x := range w[i*Hidden:][:Hidden] {
			h[j] += v * x
		}
	}
	for j, x := range h {
		h[j] = max(x, 0)
	}
}

// plainBackward is the backward pass of plainForward. dh is the gradient before the ReLU. It adds f dh^T to dw,
// of the shape of w, and writes df = w dh.
func plainBackward(w, dw []float32, dh *[Hidden]float32, f, df *[NumInputs]float32) {
	for i, v := range f {
		num.PlainAddScaled(v, dh[:], dw[i*Hidden:][:Hidden])
		df[i] = num.PlainDot(w[i*Hidden:][:Hidden], dh[:])
	}
}

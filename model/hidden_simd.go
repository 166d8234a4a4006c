//go:build goexperiment.simd && amd64

package model

import "simd/archsimd"

// The hidden layer is four vectors wide.
const _ = uint(hidden-4*lanes) + uint(4*lanes-hidden)

func hiddenForward(w []float32, b, h *[hidden]float32, f *[features]float32) {
	if !vectors {
		plainForward(w, b, h, f)
		return
	}
	h0, h1, h2, h3 := load(b[:], 0), load(b[:], lanes), load(b[:], 2*lanes), load(b[:], 3*lanes)
	for i, x := range f {
		v := archsimd.BroadcastFloat32x8(x)
		r := (*[hidden]float32)(w[i*hidden:])
		h0 = v.MulAdd(load(r[:], 0), h0)
		h1 = v.MulAdd(load(r[:], lanes), h1)
		h2 = v.MulAdd(load(r[:], 2*lanes), h2)
		h3 = v.MulAdd(load(r[:], 3*lanes), h3)
	}
	var zero vec
	store(h0.Max(zero), h[:], 0)
	store(h1.Max(zero), h[:], lanes)
	store(h2.Max(zero), h[:], 2*lanes)
	store(h3.Max(zero), h[:], 3*lanes)
	archsimd.ClearAVXUpperBits()
}

func hiddenBackward(w, dw []float32, dh *[hidden]float32, f, df *[features]float32) {
	if !vectors {
		plainBackward(w, dw, dh, f, df)
		return
	}
	var parts [features][lanes]float32 // of df: see sum
	d0, d1, d2, d3 := load(dh[:], 0), load(dh[:], lanes), load(dh[:], 2*lanes), load(dh[:], 3*lanes)
	for i, x := range f {
		v := archsimd.BroadcastFloat32x8(x)
		r, g := (*[hidden]float32)(w[i*hidden:]), (*[hidden]float32)(dw[i*hidden:])
		store(v.MulAdd(d0, load(g[:], 0)), g[:], 0)
		store(v.MulAdd(d1, load(g[:], lanes)), g[:], lanes)
		store(v.MulAdd(d2, load(g[:], 2*lanes)), g[:], 2*lanes)
		store(v.MulAdd(d3, load(g[:], 3*lanes)), g[:], 3*lanes)
		s := d0.Mul(load(r[:], 0))
		s = d1.MulAdd(load(r[:], lanes), s)
		s = d2.MulAdd(load(r[:], 2*lanes), s)
		s = d3.MulAdd(load(r[:], 3*lanes), s)
		s.Store(&parts[i])
	}
	archsimd.ClearAVXUpperBits()
	for i := range df {
		df[i] = sumLanes(&parts[i])
	}
}

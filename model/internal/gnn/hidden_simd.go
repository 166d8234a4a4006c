//go:build goexperiment.simd && amd64

package gnn

import (
	"simd/archsimd"

	"flb-filter-rgcn/model/internal/num"
)

// The hidden layer is four vectors wide.
const _ = uint(Hidden-4*num.Lanes) + uint(4*num.Lanes-Hidden)

func hiddenForward(w []float32, b, h *[Hidden]float32, f *[NumInputs]float32) {
	if !num.Vectorised {
		plainForward(w, b, h, f)
		return
	}
	h0, h1, h2, h3 := num.Load(b[:], 0), num.Load(b[:], num.Lanes), num.Load(b[:], 2*num.Lanes), num.Load(b[:], 3*num.Lanes)
	for i, x := range f {
		v := archsimd.BroadcastFloat32x8(x)
		r := (*[Hidden]float32)(w[i*Hidden:])
		h0 = v.MulAdd(num.Load(r[:], 0), h0)
		h1 = v.MulAdd(num.Load(r[:], num.Lanes), h1)
		h2 = v.MulAdd(num.Load(r[:], 2*num.Lanes), h2)
		h3 = v.MulAdd(num.Load(r[:], 3*num.Lanes), h3)
	}
	var zero num.Vec
	num.Store(h0.Max(zero), h[:], 0)
	num.Store(h1.Max(zero), h[:], num.Lanes)
	num.Store(h2.Max(zero), h[:], 2*num.Lanes)
	num.Store(h3.Max(zero), h[:], 3*num.Lanes)
	archsimd.ClearAVXUpperBits()
}

func hiddenBackward(w, dw []float32, dh *[Hidden]float32, f, df *[NumInputs]float32) {
	if !num.Vectorised {
		plainBackward(w, dw, dh, f, df)
		return
	}
	var parts [NumInputs][num.Lanes]float32 // of df, added up after the vector code
	d0, d1, d2, d3 := num.Load(dh[:], 0), num.Load(dh[:], num.Lanes), num.Load(dh[:], 2*num.Lanes), num.Load(dh[:], 3*num.Lanes)
	for i, x := range f {
		v := archsimd.BroadcastFloat32x8(x)
		r, g := (*[Hidden]float32)(w[i*Hidden:]), (*[Hidden]float32)(dw[i*Hidden:])
		num.Store(v.MulAdd(d0, num.Load(g[:], 0)), g[:], 0)
		num.Store(v.MulAdd(d1, num.Load(g[:], num.Lanes)), g[:], num.Lanes)
		num.Store(v.MulAdd(d2, num.Load(g[:], 2*num.Lanes)), g[:], 2*num.Lanes)
		num.Store(v.MulAdd(d3, num.Load(g[:], 3*num.Lanes)), g[:], 3*num.Lanes)
		s := d0.Mul(num.Load(r[:], 0))
		s = d1.MulAdd(num.Load(r[:], num.Lanes), s)
		s = d2.MulAdd(num.Load(r[:], 2*num.Lanes), s)
		s = d3.MulAdd(num.Load(r[:], 3*num.Lanes), s)
		s.Store(&parts[i])
	}
	archsimd.ClearAVXUpperBits()
	for i := range df {
		df[i] = num.SumLanes(&parts[i])
	}
}

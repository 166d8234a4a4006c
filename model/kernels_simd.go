//go:build goexperiment.simd && amd64

package model

import "simd/archsimd"

// vectors says whether the machine has what these kernels need.
var vectors = archsimd.X86.AVX2() && archsimd.X86.FMA()

type vec = archsimd.Float32x8

const lanes = 8

func load(x []float32, i int) vec { return archsimd.LoadFloat32x8((*[lanes]float32)(x[i:])) }

func store(v vec, x []float32, i int) { v.Store((*[lanes]float32)(x[i:])) }

// sum adds the lanes up, in scalar code behind the instruction that ends vector code: a scalar
// instruction before it costs hundreds of cycles on some processors.
func sum(v vec) float32 {
	var x [lanes]float32
	v.Store(&x)
	archsimd.ClearAVXUpperBits()
	return sumLanes(&x)
}

func sumLanes(x *[lanes]float32) float32 {
	return (x[0] + x[4] + (x[2] + x[6])) + (x[1] + x[5] + (x[3] + x[7]))
}

func dot(x, y []float32) float32 {
	if !vectors {
		return plainDot(x, y)
	}
	y = y[:len(x)]
	var a, b vec
	i := 0
	for ; i+2*lanes <= len(x); i += 2 * lanes {
		a = load(x, i).MulAdd(load(y, i), a)
		b = load(x, i+lanes).MulAdd(load(y, i+lanes), b)
	}
	if i+lanes <= len(x) {
		a = load(x, i).MulAdd(load(y, i), a)
		i += lanes
	}
	s := sum(a.Add(b))
	for ; i < len(x); i++ {
		s += x[i] * y[i]
	}
	return s
}

func axpy(a float32, x, y []float32) {
	if !vectors {
		plainAxpy(a, x, y)
		return
	}
	y = y[:len(x)]
	v := archsimd.BroadcastFloat32x8(a)
	i := 0
	for ; i+lanes <= len(x); i += lanes {
		store(load(x, i).MulAdd(v, load(y, i)), y, i)
	}
	archsimd.ClearAVXUpperBits()
	for ; i < len(x); i++ {
		y[i] += a * x[i]
	}
}

func mulAdd(a float32, x, y, z []float32) {
	if !vectors {
		plainMulAdd(a, x, y, z)
		return
	}
	y, z = y[:len(x)], z[:len(x)]
	v := archsimd.BroadcastFloat32x8(a)
	i := 0
	for ; i+lanes <= len(x); i += lanes {
		store(load(x, i).Mul(v).MulAdd(load(y, i), load(z, i)), z, i)
	}
	archsimd.ClearAVXUpperBits()
	for ; i < len(x); i++ {
		z[i] += a * x[i] * y[i]
	}
}

func dot3(x, y, z []float32) float32 {
	if !vectors {
		return plainDot3(x, y, z)
	}
	y, z = y[:len(x)], z[:len(x)]
	var a vec
	i := 0
	for ; i+lanes <= len(x); i += lanes {
		a = load(x, i).Mul(load(y, i)).MulAdd(load(z, i), a)
	}
	s := sum(a)
	for ; i < len(x); i++ {
		s += x[i] * y[i] * z[i]
	}
	return s
}

func adam(a, e, decay float32, g, m, v, x []float32) {
	i := 0
	if vectors {
		m, v, x = m[:len(g)], v[:len(g)], x[:len(g)]
		all := archsimd.BroadcastFloat32x8
		b1, c1, b2, c2 := all(beta1), all(1-beta1), all(beta2), all(1-beta2)
		rate, floor, rest := all(a), all(e), all(1-decay)
		for ; i+lanes <= len(g); i += lanes {
			d := load(g, i)
			mean := load(m, i).Mul(b1).Add(d.Mul(c1))
			square := load(v, i).Mul(b2).Add(d.Mul(c2).Mul(d))
			store(mean, m, i)
			store(square, v, i)
			store(load(x, i).Mul(rest).Sub(mean.Mul(rate).Div(square.Sqrt().Add(floor))), x, i)
		}
		archsimd.ClearAVXUpperBits()
	}
	plainAdam(a, e, decay, g[i:], m[i:], v[i:], x[i:])
}

// columns is how many columns of a matrix are gone through at once, in registers.
const columns = 4 * lanes

func gemvT(w, x, y []float32) {
	if !vectors {
		plainGemvT(w, x, y)
		return
	}
	k := len(x)
	y, w = y[:k], w[:k*k]
	c := 0
	for ; c+columns <= k; c += columns {
		y0, y1, y2, y3 := load(y, c), load(y, c+lanes), load(y, c+2*lanes), load(y, c+3*lanes)
		for i, a := range x {
			v := archsimd.BroadcastFloat32x8(a)
			r := (*[columns]float32)(w[i*k+c:])
			y0 = v.MulAdd(load(r[:], 0), y0)
			y1 = v.MulAdd(load(r[:], lanes), y1)
			y2 = v.MulAdd(load(r[:], 2*lanes), y2)
			y3 = v.MulAdd(load(r[:], 3*lanes), y3)
		}
		store(y0, y, c)
		store(y1, y, c+lanes)
		store(y2, y, c+2*lanes)
		store(y3, y, c+3*lanes)
	}
	archsimd.ClearAVXUpperBits()
	if c < k {
		for i, a := range x {
			axpy(a, w[i*k+c:(i+1)*k], y[c:])
		}
	}
}

func outer(x, y, w []float32) {
	if !vectors {
		plainOuter(x, y, w)
		return
	}
	k := len(x)
	y, w = y[:k], w[:k*k]
	c := 0
	for ; c+columns <= k; c += columns {
		y0, y1, y2, y3 := load(y, c), load(y, c+lanes), load(y, c+2*lanes), load(y, c+3*lanes)
		for i, a := range x {
			v := archsimd.BroadcastFloat32x8(a)
			r := (*[columns]float32)(w[i*k+c:])
			store(v.MulAdd(y0, load(r[:], 0)), r[:], 0)
			store(v.MulAdd(y1, load(r[:], lanes)), r[:], lanes)
			store(v.MulAdd(y2, load(r[:], 2*lanes)), r[:], 2*lanes)
			store(v.MulAdd(y3, load(r[:], 3*lanes)), r[:], 3*lanes)
		}
	}
	archsimd.ClearAVXUpperBits()
	if c < k {
		for i, a := range x {
			axpy(a, y[c:], w[i*k+c:(i+1)*k])
		}
	}
}

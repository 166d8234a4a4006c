//go:build goexperiment.simd && amd64

package num

import "simd/archsimd"

// Vectorised says whether the machine has what these kernels need.
var Vectorised = archsimd.X86.AVX2() && archsimd.X86.FMA()

// Vec is Lanes numbers in a register.
type Vec = archsimd.Float32x8

// Lanes is how many numbers a Vec holds.
const Lanes = 8

// Load returns x[i:i+Lanes].
func Load(x []float32, i int) Vec { return archsimd.LoadFloat32x8((*[Lanes]float32)(x[i:])) }

// Store writes v to x[i:i+Lanes].
func Store(v Vec, x []float32, i int) { v.Store((*[Lanes]float32)(x[i:])) }

// sum adds the lanes up, in scalar code behind the instruction that ends vector code: a scalar
// instruction before it costs hundreds of cycles on some processors.
func sum(v Vec) float32 {
	var x [Lanes]float32
	v.Store(&x)
	archsimd.ClearAVXUpperBits()
	return SumLanes(&x)
}

// SumLanes adds the lanes up in the order of Dot.
func SumLanes(x *[Lanes]float32) float32 {
	return (x[0] + x[4] + (x[2] + x[6])) + (x[1] + x[5] + (x[3] + x[7]))
}

// Dot returns <x, y>.
func Dot(x, y []float32) float32 {
	if !Vectorised {
		return PlainDot(x, y)
	}
	y = y[:len(x)]
	var a, b Vec
	i := 0
	for ; i+2*Lanes <= len(x); i += 2 * Lanes {
		a = Load(x, i).MulAdd(Load(y, i), a)
		b = Load(x, i+Lanes).MulAdd(Load(y, i+Lanes), b)
	}
	if i+Lanes <= len(x) {
		a = Load(x, i).MulAdd(Load(y, i), a)
		i += Lanes
	}
	s := sum(a.Add(b))
	for ; i < len(x); i++ {
		s += x[i] * y[i]
	}
	return s
}

// AddScaled adds a x to y.
func AddScaled(a float32, x, y []float32) {
	if !Vectorised {
		PlainAddScaled(a, x, y)
		return
	}
	y = y[:len(x)]
	v := archsimd.BroadcastFloat32x8(a)
	i := 0
	for ; i+Lanes <= len(x); i += Lanes {
		Store(Load(x, i).MulAdd(v, Load(y, i)), y, i)
	}
	archsimd.ClearAVXUpperBits()
	for ; i < len(x); i++ {
		y[i] += a * x[i]
	}
}

// MulAdd adds a x y, element by element, to z.
func MulAdd(a float32, x, y, z []float32) {
	if !Vectorised {
		plainMulAdd(a, x, y, z)
		return
	}
	y, z = y[:len(x)], z[:len(x)]
	v := archsimd.BroadcastFloat32x8(a)
	i := 0
	for ; i+Lanes <= len(x); i += Lanes {
		Store(Load(x, i).Mul(v).MulAdd(Load(y, i), Load(z, i)), z, i)
	}
	archsimd.ClearAVXUpperBits()
	for ; i < len(x); i++ {
		z[i] += a * x[i] * y[i]
	}
}

// Dot3 returns the sum over i of x[i] y[i] z[i].
func Dot3(x, y, z []float32) float32 {
	if !Vectorised {
		return plainDot3(x, y, z)
	}
	y, z = y[:len(x)], z[:len(x)]
	var a Vec
	i := 0
	for ; i+Lanes <= len(x); i += Lanes {
		a = Load(x, i).Mul(Load(y, i)).MulAdd(Load(z, i), a)
	}
	s := sum(a)
	for ; i < len(x); i++ {
		s += x[i] * y[i] * z[i]
	}
	return s
}

// Adam takes the gradient g up in the moments m and v and moves x by -(a m / (sqrt v + e) + decay x).
func Adam(a, e, decay float32, g, m, v, x []float32) {
	i := 0
	if Vectorised {
		m, v, x = m[:len(g)], v[:len(g)], x[:len(g)]
		all := archsimd.BroadcastFloat32x8
		b1, c1, b2, c2 := all(Beta1), all(1-Beta1), all(Beta2), all(1-Beta2)
		rate, floor, rest := all(a), all(e), all(1-decay)
		for ; i+Lanes <= len(g); i += Lanes {
			d := Load(g, i)
			mean := Load(m, i).Mul(b1).Add(d.Mul(c1))
			square := Load(v, i).Mul(b2).Add(d.Mul(c2).Mul(d))
			Store(mean, m, i)
			Store(square, v, i)
			Store(Load(x, i).Mul(rest).Sub(mean.Mul(rate).Div(square.Sqrt().Add(floor))), x, i)
		}
		archsimd.ClearAVXUpperBits()
	}
	plainAdam(a, e, decay, g[i:], m[i:], v[i:], x[i:])
}

// columns is how many columns of a matrix are gone through at once, in registers.
const columns = 4 * Lanes

// MulTransVec adds the transposed w times x to y; w is [k][k] row-major, k the length of x.
func MulTransVec(w, x, y []float32) {
	if !Vectorised {
		plainMulTransVec(w, x, y)
		return
	}
	k := len(x)
	y, w = y[:k], w[:k*k]
	c := 0
	for ; c+columns <= k; c += columns {
		y0, y1, y2, y3 := Load(y, c), Load(y, c+Lanes), Load(y, c+2*Lanes), Load(y, c+3*Lanes)
		for i, a := range x {
			v := archsimd.BroadcastFloat32x8(a)
			r := (*[columns]float32)(w[i*k+c:])
			y0 = v.MulAdd(Load(r[:], 0), y0)
			y1 = v.MulAdd(Load(r[:], Lanes), y1)
			y2 = v.MulAdd(Load(r[:], 2*Lanes), y2)
			y3 = v.MulAdd(Load(r[:], 3*Lanes), y3)
		}
		Store(y0, y, c)
		Store(y1, y, c+Lanes)
		Store(y2, y, c+2*Lanes)
		Store(y3, y, c+3*Lanes)
	}
	archsimd.ClearAVXUpperBits()
	if c < k {
		for i, a := range x {
			AddScaled(a, w[i*k+c:(i+1)*k], y[c:])
		}
	}
}

// AddOuter adds x y^T to w, [k][k] row-major, k the length of x.
func AddOuter(x, y, w []float32) {
	if !Vectorised {
		plainAddOuter(x, y, w)
		return
	}
	k := len(x)
	y, w = y[:k], w[:k*k]
	c := 0
	for ; c+columns <= k; c += columns {
		y0, y1, y2, y3 := Load(y, c), Load(y, c+Lanes), Load(y, c+2*Lanes), Load(y, c+3*Lanes)
		for i, a := range x {
			v := archsimd.BroadcastFloat32x8(a)
			r := (*[columns]float32)(w[i*k+c:])
			Store(v.MulAdd(y0, Load(r[:], 0)), r[:], 0)
			Store(v.MulAdd(y1, Load(r[:], Lanes)), r[:], Lanes)
			Store(v.MulAdd(y2, Load(r[:], 2*Lanes)), r[:], 2*Lanes)
			Store(v.MulAdd(y3, Load(r[:], 3*Lanes)), r[:], 3*Lanes)
		}
	}
	archsimd.ClearAVXUpperBits()
	if c < k {
		for i, a := range x {
			AddScaled(a, y[c:], w[i*k+c:(i+1)*k])
		}
	}
}

package num

import "math"

// The functions of one number that scoring and training call most. Logarithms come from a
// table, to within 1e-6: the standard library's are exact to the last bit of a float64, and
// were a third of what a score cost.

// logTable holds, for each of the first bits of a mantissa, 1 <= m < 2, its logarithm and its inverse.
var logTable = func() (table [1 << logBits]struct{ log, inverse float32 }) {
	for i := range table {
		m := 1 + float64(i)/(1<<logBits)
		table[i].log, table[i].inverse = float32(math.Log(m)), float32(1/m)
	}
	return table
}()

const (
	logBits      = 9
	mantissaBits = 23
	one          = 127 << mantissaBits // the bits of 1
)

// Log1p is log(1 + x) for finite x >= 0: with 1 + x = 2^e m (1 + d), m from the table,
//
//	e log 2 + log m + d - d^2/2
func Log1p(x float32) float32 {
	b := math.Float32bits(1 + x)
	t := &logTable[b>>(mantissaBits-logBits)&(1<<logBits-1)]
	e := float32(int32(b>>mantissaBits) - 127)
	const rest = 1<<(mantissaBits-logBits) - 1
	d := (math.Float32frombits(b&(1<<mantissaBits-1)|one) - math.Float32frombits(b&^rest&(1<<mantissaBits-1)|one)) * t.inverse
	return e*math.Ln2 + t.log + d*(1-d/2)
}

// Asinh is log(x + sqrt(1 + x^2)), odd and without cancellation near 0.
func Asinh(x float32) float32 {
	a := x
	if a < 0 {
		a = -a
	}
	y := Log1p(a + a*a/(1+Sqrt(1+a*a)))
	if x < 0 {
		return -y
	}
	return y
}

// Cosh is the hyperbolic cosine.
func Cosh(x float32) float32 { return float32(math.Cosh(float64(x))) }

// Sqrt is the square root.
func Sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// Sigmoid is 1/(1+exp(-x)).
func Sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// Softplus is log(1 + exp(x)), without overflow.
func Softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

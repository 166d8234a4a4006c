package num

import "math"

// Fill sets all of x to v.
func Fill[T float32 | int32](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

// Normal fills x with draws of mean 0 and the given standard deviation (Box and Muller 1958).
func Normal(rng *Philox, x []float32, sd float64) {
	for i := range x {
		u := 1 - float64(rng.Float())
		x[i] = float32(sd * math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*float64(rng.Float())))
	}
}

// Uniform fills x with draws between -bound and bound.
func Uniform(rng *Philox, x []float32, bound float64) {
	for i := range x {
		x[i] = float32(bound * (2*float64(rng.Float()) - 1))
	}
}

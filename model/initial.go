package model

import "math"

// fill sets all of x to v.
func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// normal fills x with draws of mean 0 and the given standard deviation (Box and Muller 1958).
func normal(rng *philox, x []float32, sd float64) {
	for i := range x {
		u := 1 - float64(rng.float())
		x[i] = float32(sd * math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*float64(rng.float())))
	}
}

// uniform fills x with draws between -bound and bound.
func uniform(rng *philox, x []float32, bound float64) {
	for i := range x {
		x[i] = float32(bound * (2*float64(rng.float()) - 1))
	}
}

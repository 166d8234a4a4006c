package gnn

import (
	"math"

	"flb-filter-rgcn/model/internal/temporal"
)

// Scaling brings the inputs to mean 0 and standard deviation 1 over the triplets that it was measured on. It belongs to
// the parameters, which were trained with it.
type Scaling struct {
	Mean, Inv [NumInputs]float32
}

// ScalingSums gather the mean and the spread of the decoder's inputs. Structural inputs are of the scale of
// one already and stay as they are.
type ScalingSums struct {
	sum, squares [NumInputs]float64
	n            float64
}

// Add takes up the triplets of a batch.
func (m *ScalingSums) Add(b *temporal.Batch) {
	for i := range b.S {
		var f [NumInputs]float32
		countInputs(&f, &b.Counts[i])
		for k, v := range f[:InputWalk] {
			m.sum[k] += float64(v)
			m.squares[k] += float64(v * v)
		}
		m.n++
	}
}

// Scaling is that of the inputs which were gathered.
func (m *ScalingSums) Scaling() (s Scaling) {
	for k := range s.Inv {
		s.Inv[k] = 1
		if k < InputWalk {
			mean := m.sum[k] / m.n
			s.Mean[k] = float32(mean)
			s.Inv[k] = float32(1 / math.Sqrt(max(m.squares[k]/m.n-mean*mean, 0)+0.01))
		}
	}
	return s
}

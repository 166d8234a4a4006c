package gnn

import (
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
)

// relConv is the relational message passing of one layer in one direction,
//
//	out[i] = sum over relations r of W_r . sum over edges (j, r, i) of norm * h[j]
//
// with W_r a diagonal, stored as [relations][k], or a matrix, [relations][k][k]. It holds
// no parameters; in and out are the edges of the current cut by the side that is written.
type relConv struct {
	k, rows, inRows, relations int
	diagonal                   bool
	pool                       *num.Pool
	norm                       int // which of the normalisations of temporal.CSR
	forth, back                *temporal.CSR
}

// forward writes out [rows][k] from w and h [inRows][k].
func (c *relConv) forward(w, h, out []float32) {
	clear(out)
	k := c.k
	c.pool.For(c.rows, func(_, from, to int) {
		z := make([]float32, k)
		for i := from; i < to; i++ {
			o := num.Row(out, int32(i), k)
			c.groups(c.forth, int32(i), h, z, func(r int32) {
				if c.diagonal {
					num.MulAdd(1, num.Row(w, r, k), z, o)
				} else {
					num.MulVec(num.Row(w, r, k*k), z, o)
				}
			})
		}
	})
}

// backward writes dw, of the shape of w, and dh [inRows][k], unless that is nil, from
// the gradient dout [rows][k].
func (c *relConv) backward(w, h, dout, dw, dh []float32) {
	k := c.k
	clear(dw)
	clear(dh)
	// dw is a sum over all rows: each piece has its own, added up in their order.
	parts := make([][]float32, c.pool.Threads())
	parts[0] = dw
	c.pool.For(c.inRows, func(piece, from, to int) {
		if parts[piece] == nil {
			parts[piece] = make([]float32, len(dw))
		}
		dw := parts[piece]
		z := make([]float32, k)
		for j := from; j < to; j++ {
			hj := num.Row(h, int32(j), k)
			var dhj []float32
			if dh != nil {
				dhj = num.Row(dh, int32(j), k)
			}
			// z gathers what the gradient sends back along the edges of j and one relation.
			c.groups(c.back, int32(j), dout, z, func(r int32) {
				if c.diagonal {
					num.MulAdd(1, z, hj, num.Row(dw, r, k))
					if dhj != nil {
						num.MulAdd(1, num.Row(w, r, k), z, dhj)
					}
					return
				}
				for a, v := range z {
					if v != 0 {
						num.AddScaled(v, hj, num.Row(dw, r, k*k)[a*k:][:k])
					}
				}
				if dhj != nil {
					num.MulTransVec(num.Row(w, r, k*k), z, dhj)
				}
			})
		}
	})
	for _, p := range parts[1:] {
		if p != nil {
			num.AddScaled(1, p, dw)
		}
	}
}

// groups sums norm*h over each group of row i into z and hands it over with its relation.
func (c *relConv) groups(m *temporal.CSR, i int32, h, z []float32, do func(r int32)) {
	norm := m.Norm[c.norm]
	for g := m.Row[i]; g < m.Row[i+1]; g++ {
		clear(z)
		for e := m.Group[g]; e < m.Group[g+1]; e++ {
			num.AddScaled(norm[e], num.Row(h, m.Col[e], c.k), z)
		}
		do(m.Rel[g])
	}
}

package gnn

import (
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// FixedInputs returns the fixed vectors of one side, [len(side)][k], where side holds indices into
// snap.Nodes: the signs of the names' hashes. Where k is at least the number of rows, orthogonal
// vectors of the same length take their place, and the inner products are exact.
func FixedInputs(snap *graphbuf.Snapshot, side []int32, k int) []float32 {
	out := make([]float32, len(side)*k)
	for i, node := range side {
		if len(side) <= k {
			out[i*k+i] = num.Sqrt(float32(k))
		} else {
			fillSigns(num.Row(out, int32(i), k), snap.Nodes[node].Name)
		}
	}
	return out
}

// fillSigns sets x to +1 and -1 by the hash of a name: its fixed random vector.
// Signs have the smallest variance of inner products among all such draws.
func fillSigns(x []float32, name string) {
	p := num.NewPhilox(num.FNV1a(num.FNVStart, name), 0)
	var word uint32
	for i := range x {
		if i%32 == 0 {
			word = p.Uint32()
		}
		x[i] = 1 - 2*float32(word&1)
		word >>= 1
	}
}

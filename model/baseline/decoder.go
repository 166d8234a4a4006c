package baseline

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
)

// logit is the score of a triplet before the sigmoid, from embeddings of source
// and destination and the relation's vector. These are the reference's own forms of the
// decoders: TransE without the minus sign that would make near ends likely, so that no
// score is below one half, and RotatE with a real product in place of the rotation, so that
// none is above.
//
//	distmult  sum of h r t
//	transe    |h + r - t|, the sum of absolute values
//	rotate    -|h r - t|, the same
func logit(decoder string, h, r, t []float32) float32 {
	r, t = r[:len(h)], t[:len(h)]
	var y float32
	switch decoder {
	case TransE:
		for i, v := range h {
			y += abs(v + r[i] - t[i])
		}
	case RotatE:
		for i, v := range h {
			y -= abs(v*r[i] - t[i])
		}
	default:
		y = num.Dot3(h, r, t)
	}
	return y
}

// logitBackward adds a times the gradient of logit to dh, dr and dt.
func logitBackward(decoder string, a float32, h, r, t, dh, dr, dt []float32) {
	k := len(h)
	r, t, dh, dr, dt = r[:k], t[:k], dh[:k], dr[:k], dt[:k]
	switch decoder {
	case TransE:
		for i, v := range h {
			g := a * sign(v+r[i]-t[i])
			dh[i] += g
			dr[i] += g
			dt[i] -= g
		}
	case RotatE:
		for i, v := range h {
			g := -a * sign(v*r[i]-t[i])
			dh[i] += g * r[i]
			dr[i] += g * v
			dt[i] -= g
		}
	default:
		num.MulAdd(a, r, t, dh)
		num.MulAdd(a, h, t, dr)
		num.MulAdd(a, h, r, dt)
	}
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// sign is -1, 0 or 1.
func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

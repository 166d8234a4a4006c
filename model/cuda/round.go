//go:build gpu

package cuda

import (
	"gorgonia.org/cu"
)

// round makes one step of the decoder on a batch, over the embeddings as they are.
func (n *Network) round(b *Batch, s Steps) error {
	if n.made == n.cfg.Steps {
		panic("cuda: more steps than the network was made for")
	}
	st := &n.stage
	st.pack(b)
	err := n.send(st)
	if err != nil {
		return err
	}
	d, k, kind := n.d, n.cfg.Dim, int(n.cfg.Decoder)
	rel, dec := n.params[Relations], n.params[DecoderWeights]
	u, v, m, c := pointer(n.out[outU]), pointer(n.out[outV]), pointer(n.out[outM]), pointer(n.out[outC])
	err = d.launch("decode", st.n*warp, pointer(n.feed.batch), u, v, m, c, pointer(rel.value), pointer(dec.value), pointer(n.scaling), pointer(n.work),
		integer(st.n), integer(k), integer(kind), number(n.cfg.KeepScale))
	if err != nil {
		return err
	}
	if err := d.zero(rel.grad, rel.n); err != nil {
		return err
	}
	for side, out := range []cu.DevicePtr{n.grad[outU], n.grad[outV], rel.grad} {
		err := n.spread(st, bySource+side, "decode_backward", out, side != 2, func(p *spread, start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(at(n.feed.batch, p.items)), pointer(n.feed.batch), pointer(n.work),
				u, v, pointer(rel.value), pointer(out), pointer(n.slots),
				integer(pieces), integer(st.n), integer(k), integer(side), integer(kind), integer(n.team())}
		})
		if err != nil {
			return err
		}
	}
	for _, x := range []struct {
		sum, coefficient int
		in, out          cu.DevicePtr
	}{
		{bySource, workProfile, n.out[outC], n.grad[outM]},
		{byDestination, workProfile, n.out[outM], n.grad[outC]},
		{nearSources, workNear, n.out[outM], n.grad[outM]},
		{nearDestinations, workNear, n.out[outC], n.grad[outC]},
	} {
		err := n.spread(st, x.sum, "gather_add", x.out, true, func(p *spread, start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(at(n.feed.batch, p.items)), pointer(at(n.feed.batch, p.others)),
				pointer(at(n.work, x.coefficient*st.n)), pointer(x.in), pointer(x.out), pointer(n.slots), integer(pieces), integer(k), integer(n.team())}
		})
		if err != nil {
			return err
		}
	}
	if err := d.launch("reduce", (DecoderParams+1)*warp, pointer(n.work), pointer(dec.grad), pointer(at(n.losses, n.made)), integer(st.n)); err != nil {
		return err
	}
	n.made++
	if err := n.adam(Relations, s.Relations); err != nil {
		return err
	}
	return n.adam(DecoderWeights, s.Decoder)
}

func (n *Network) spread(st *stage, sum int, kernel string, out cu.DevicePtr, add bool, args func(p *spread, start, dest cu.DevicePtr, pieces int) []arg) error {
	p := &st.sums[sum]
	return n.sum(kernel, devicePlan{n.feed.batch, p.levels}, out, add, func(start, dest cu.DevicePtr, pieces int) []arg {
		return args(p, start, dest, pieces)
	})
}

// send copies a batch to the device and makes room for its sums.
func (n *Network) send(st *stage) error {
	slots := 0
	for _, p := range st.sums {
		slots = max(slots, p.slots)
	}
	if err := n.needSlots(slots); err != nil {
		return err
	}
	return n.feed.send(st.words)
}

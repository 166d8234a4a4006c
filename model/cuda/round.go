//go:build gpu

package cuda

import (
	"fmt"

	"gorgonia.org/cu"
)

// round makes one step of the decoder on a batch, over the embeddings as they are.
func (n *Network) round(b *Batch, s Steps) error {
	if n.made == n.cfg.Steps {
		panic("cuda: more steps than the network was made for")
	}
	st, err := n.stage(b)
	if err != nil {
		return err
	}
	d, k, kind := n.d, n.cfg.Dim, int(n.cfg.Decoder)
	rel, dec := n.params[Relations], n.params[DecoderWeights]
	u, v, m, c := pointer(n.out[outU]), pointer(n.out[outV]), pointer(n.out[outM]), pointer(n.out[outC])
	err = d.launch("decode", st.n*warp, pointer(n.batch), u, v, m, c, pointer(rel.value), pointer(dec.value), pointer(n.scaling), pointer(n.work),
		integer(st.n), integer(k), integer(kind), number(n.cfg.KeepScale))
	if err != nil {
		return err
	}
	if err := d.zero(rel.grad, rel.n); err != nil {
		return err
	}
	for side, out := range []cu.DevicePtr{n.grad[outU], n.grad[outV], rel.grad} {
		err := n.spread(st, bySource+side, "bend", out, side != 2, func(p *spread, start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(at(n.batch, p.items)), pointer(n.batch), pointer(n.work),
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
		err := n.spread(st, x.sum, "blend", x.out, true, func(p *spread, start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(at(n.batch, p.items)), pointer(at(n.batch, p.others)),
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
	return n.sum(kernel, devicePlan{n.batch, p.levels}, out, add, func(start, dest cu.DevicePtr, pieces int) []arg {
		return args(p, start, dest, pieces)
	})
}

// stage packs a batch and sends it to the device, beside the kernels that run there.
func (n *Network) stage(b *Batch) (*stage, error) {
	i := n.turn % 2
	n.turn++
	st := &n.stages[i]
	st.pack(b)
	if len(st.words) > n.words {
		if err := n.moreWords(len(st.words)); err != nil {
			return nil, err
		}
	}
	slots := 0
	for _, p := range st.sums {
		slots = max(slots, p.slots)
	}
	if err := n.needSlots(slots); err != nil {
		return nil, err
	}
	if n.turn > 2 {
		if err := n.copied[i].Synchronize(); err != nil {
			return nil, fmt.Errorf("cuda: wait for %s: %w", n.d.Name, err)
		}
	}
	copy(words[uint32](n.buffers[i], 0, len(st.words)), st.words)
	if err := cu.MemcpyHtoDAsync(n.batch, n.buffers[i].p, int64(len(st.words))*4, n.d.stream); err != nil {
		return nil, fmt.Errorf("cuda: copy a batch to %s: %w", n.d.Name, err)
	}
	if err := n.copied[i].Record(n.d.stream); err != nil {
		return nil, fmt.Errorf("cuda: event: %w", err)
	}
	return st, nil
}

// moreWords makes room for larger batches.
func (n *Network) moreWords(least int) (err error) {
	if err := n.d.stream.Synchronize(); err != nil {
		return fmt.Errorf("cuda: wait for %s: %w", n.d.Name, err)
	}
	n.words = least + least/2
	n.d.release(n.batch)
	if n.batch, err = n.d.alloc(n.words); err != nil {
		return err
	}
	for i := range n.buffers {
		n.d.releaseHost(n.buffers[i])
		if n.buffers[i], err = n.d.allocHost(n.words); err != nil {
			return err
		}
	}
	return nil
}

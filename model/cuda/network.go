//go:build gpu

package cuda

import (
	"gorgonia.org/cu"
)

// Tensor is a block of parameters that lie behind each other.
type Tensor int

// The tensors: relation weights of the four layers [4][Relations][Dim], vectors of the
// relational score [Relations][Dim], and the decoder's parameters, DecoderParams of them.
const (
	Layers Tensor = iota
	Relations
	DecoderWeights
	tensors
)

type parameters struct {
	n                 int
	value, m, v, grad cu.DevicePtr
}

// The embeddings, and which of them each layer reads and writes.
const (
	outU = iota // sources, one hop along the walk
	outV        // destinations, two hops
	outC        // destinations, their profiles
	outM        // sources, the mean of their destinations' profiles
	outs
)

// Network is a network on a device. Its methods enqueue work and return; Losses, Sync and the
// reading ones wait for it.
type Network struct {
	cfg Config

	x, y      cu.DevicePtr       // inputs of destinations and sources, [rows][k]
	out, grad [outs]cu.DevicePtr // embeddings and the gradients of the loss by them
	params    [tensors]parameters
	scaling   cu.DevicePtr // [2][Structural]
	work      cu.DevicePtr // [workWords][n]
	slots     cu.DevicePtr // [slotRows][k]
	slotRows  int

	kept  map[int64]*messages
	order []int64 // keys of kept, the oldest first
	stage stage
	feed  feeder
	tally
}

// NewNetwork takes memory for a network and copies its inputs x [Destinations][Dim] and
// y [Sources][Dim]. Parameters are set with Upload.
func NewNetwork(d *Device, cfg Config, x, y []float32) (n *Network, err error) {
	n = &Network{cfg: cfg, kept: map[int64]*messages{}}
	take := taker{d: d}
	k := cfg.Dim
	n.x, n.y = take.words(cfg.Destinations*k), take.words(cfg.Sources*k)
	for i := range n.out {
		n.out[i], n.grad[i] = take.words(n.rows(i)*k), take.words(n.rows(i)*k)
	}
	for i, size := range [tensors]int{4 * cfg.Relations * k, cfg.Relations * k, DecoderParams} {
		n.params[i] = parameters{size, take.words(size), take.words(size), take.words(size), take.words(size)}
	}
	n.scaling = take.words(2 * Structural)
	n.work = take.words(workWords * cfg.MaxBatch)
	if take.err != nil {
		return nil, take.err
	}
	if n.tally, err = newTally(d, cfg.Steps); err != nil {
		return nil, err
	}
	if n.feed, err = newFeeder(d); err != nil {
		return nil, err
	}
	scaling := append(cfg.Mean[:], cfg.Inverse[:]...)
	for _, c := range []struct {
		to   cu.DevicePtr
		from []float32
	}{{n.x, x}, {n.y, y}, {n.scaling, scaling}} {
		if err := upload(d, c.to, c.from); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *Network) rows(out int) int {
	if out == outU || out == outM {
		return n.cfg.Sources
	}
	return n.cfg.Destinations
}

// Upload sets the values and Adam's moments of a part of a tensor.
func (n *Network) Upload(t Tensor, from int, value, m, v []float32) error {
	p := n.params[t]
	for _, c := range []struct {
		to cu.DevicePtr
		x  []float32
	}{{p.value, value}, {p.m, m}, {p.v, v}} {
		if err := upload(n.d, at(c.to, from), c.x); err != nil {
			return err
		}
	}
	return nil
}

// Download reads them.
func (n *Network) Download(t Tensor, from int, value, m, v []float32) error {
	p := n.params[t]
	for _, c := range []struct {
		from cu.DevicePtr
		x    []float32
	}{{p.value, value}, {p.m, m}, {p.v, v}} {
		if err := n.d.download(c.x, at(c.from, from)); err != nil {
			return err
		}
	}
	return nil
}

// Gradient reads the gradient of a tensor as the last step left it.
func (n *Network) Gradient(t Tensor) ([]float32, error) {
	out := make([]float32, n.params[t].n)
	return out, n.d.download(out, n.params[t].grad)
}

// Pass makes one pass of the layers over the messages of the key, one step of the decoder for
// each batch, and one step of the layers at the end. build makes the messages where the device
// does not have them any more. It returns when all is enqueued and at most one pass before
// this one may still be under way.
func (n *Network) Pass(key int64, build func() *Messages, batches []Batch, steps []Steps) error {
	m, err := n.messages(key, build)
	if err != nil {
		return err
	}
	if err := n.begin(); err != nil {
		return err
	}
	if err := n.forward(m); err != nil {
		return err
	}
	for out := range n.grad {
		if err := n.d.zero(n.grad[out], n.rows(out)*n.cfg.Dim); err != nil {
			return err
		}
	}
	for j := range batches {
		if err := n.round(&batches[j], steps[j]); err != nil {
			return err
		}
	}
	if !n.cfg.FixedLayers {
		if err := n.backward(m); err != nil {
			return err
		}
		if err := n.adam(Layers, steps[len(steps)-1].Layers); err != nil {
			return err
		}
	}
	return n.end(len(batches))
}

// Embed runs the layers alone over the messages of the key and reads the embeddings, each
// [rows][Dim]: u and m of sources, v and c of destinations.
func (n *Network) Embed(key int64, build func() *Messages) (u, v, c, m []float32, err error) {
	messages, err := n.messages(key, build)
	if err != nil {
		return
	}
	if err = n.forward(messages); err != nil {
		return
	}
	var out [outs][]float32
	for i := range out {
		out[i] = make([]float32, n.rows(i)*n.cfg.Dim)
		if err = n.d.download(out[i], n.out[i]); err != nil {
			return
		}
	}
	return out[outU], out[outV], out[outC], out[outM], nil
}

// layer returns the weights or gradients of a layer: walk1, walk2, profile1, profile2.
func (n *Network) layer(base cu.DevicePtr, i int) cu.DevicePtr {
	return at(base, i*n.cfg.Relations*n.cfg.Dim)
}

func (n *Network) forward(m *messages) error {
	w := n.params[Layers].value
	for _, l := range []struct {
		order   *order
		norm    int
		layer   int
		in, out cu.DevicePtr
	}{
		{&m.bySource, Walk, 0, n.x, n.out[outU]},
		{&m.byDestination, Walk, 1, n.out[outU], n.out[outV]},
		{&m.byDestination, Profile, 2, n.y, n.out[outC]},
		{&m.bySource, Mean, 3, n.out[outC], n.out[outM]},
	} {
		if err := n.propagate(l.order, l.norm, n.layer(w, l.layer), l.in, l.out, false); err != nil {
			return err
		}
	}
	return nil
}

// backward adds to the gradients of the first layers' outputs what the second layers send
// back, and computes those of the weights.
func (n *Network) backward(m *messages) error {
	w, g := n.params[Layers].value, n.params[Layers].grad
	if err := n.propagate(&m.bySource, Walk, n.layer(w, 1), n.grad[outV], n.grad[outU], true); err != nil {
		return err
	}
	if err := n.propagate(&m.byDestination, Mean, n.layer(w, 3), n.grad[outM], n.grad[outC], true); err != nil {
		return err
	}
	for _, l := range []struct {
		norm, layer  int
		source, dest cu.DevicePtr
	}{
		{Walk, 0, n.grad[outU], n.x},
		{Walk, 1, n.out[outU], n.grad[outV]},
		{Profile, 2, n.y, n.grad[outC]},
		{Mean, 3, n.grad[outM], n.out[outC]},
	} {
		o := &m.byRelation
		err := n.sum("diagonal_grad", o.plan, n.layer(g, l.layer), false, func(start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(o.a), pointer(o.b), pointer(o.norm[l.norm]),
				pointer(l.source), pointer(l.dest), pointer(n.layer(g, l.layer)), pointer(n.slots), integer(pieces), integer(n.cfg.Dim), integer(n.team())}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) propagate(o *order, norm int, w, in, out cu.DevicePtr, add bool) error {
	return n.sum("propagate", o.plan, out, add, func(start, dest cu.DevicePtr, pieces int) []arg {
		return []arg{pointer(start), pointer(dest), pointer(o.a), pointer(o.b), pointer(o.norm[norm]),
			pointer(w), pointer(in), pointer(out), pointer(n.slots), integer(pieces), integer(n.cfg.Dim), flag(add), integer(n.team())}
	})
}

// sum runs a kernel on the first level of a plan and gather on the others.
func (n *Network) sum(kernel string, p devicePlan, out cu.DevicePtr, add bool, args func(start, dest cu.DevicePtr, pieces int) []arg) error {
	return sumByPlan(n.d, kernel, p, n.cfg.Dim, out, n.slots, add, args)
}

// sumByPlan is sum for rows of k columns.
func sumByPlan(d *Device, kernel string, p devicePlan, k int, out, slots cu.DevicePtr, add bool, args func(start, dest cu.DevicePtr, pieces int) []arg) error {
	for i, l := range p.levels {
		start, dest := at(p.base, l.start), at(p.base, l.dest)
		a := []arg{pointer(start), pointer(dest), pointer(out), pointer(slots), integer(l.pieces), integer(k), flag(add), integer(teamOf(k))}
		name := "sum_slots"
		if i == 0 {
			name, a = kernel, args(start, dest, l.pieces)
		}
		if err := d.launch(name, l.pieces*teamOf(k), a...); err != nil {
			return err
		}
	}
	return nil
}

// teamOf is how many threads share a row of k columns: four columns each, up to a warp.
func teamOf(k int) int {
	t := 1
	for t < warp && 4*t < k {
		t *= 2
	}
	return t
}

func (n *Network) team() int { return teamOf(n.cfg.Dim) }

func flag(b bool) arg {
	if b {
		return 1
	}
	return 0
}

func (n *Network) adam(t Tensor, s Step) error {
	p := n.params[t]
	return n.d.launch("adam", p.n, pointer(p.value), pointer(p.m), pointer(p.v), pointer(p.grad), 0, integer(p.n), number(s.Rate), number(s.Epsilon), number(s.Decay))
}

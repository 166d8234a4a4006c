//go:build gpu

package cuda

import (
	"fmt"

	"gorgonia.org/cu"
)

// Reference is a network of the reference objective on a device. Its methods enqueue work and
// return; Losses, Sync and the reading ones wait for it.
type Reference struct {
	cfg               ReferenceConfig
	value, m, v, grad cu.DevicePtr // the parameters
	out, dOut         [2]cu.DevicePtr
	sums              [2]cu.DevicePtr // of groups, by layer
	dSums             cu.DevicePtr    // their gradients, of one layer at a time
	groups            int             // that they have room for
	loss, slope       cu.DevicePtr    // [Sample]
	squares           [3]cu.DevicePtr // [squareParts] of outputs, relations, gradients
	scale             cu.DevicePtr
	iota, ones        cu.DevicePtr // 0, 1, ... and 1, 1, ... for each node
	whole             devicePlan   // one row of all nodes
	slots             cu.DevicePtr
	slotWords         int
	feed              feeder
	staged            referenceStage
	tally
}

// NewReference takes memory for a network. Parameters are set with Upload.
func NewReference(d *Device, cfg ReferenceConfig) (n *Reference, err error) {
	n = &Reference{cfg: cfg}
	take := taker{d: d}
	size := cfg.Words()
	n.value, n.m, n.v, n.grad = take.words(size), take.words(size), take.words(size), take.words(size)
	for i := range 2 {
		n.out[i], n.dOut[i] = take.words(cfg.Nodes*cfg.Dim), take.words(cfg.Nodes*cfg.Dim)
	}
	n.loss, n.slope, n.scale = take.words(cfg.Sample), take.words(cfg.Sample), take.words(1)
	for i := range n.squares {
		n.squares[i] = take.words(squareParts)
	}
	n.iota, n.ones = take.words(cfg.Nodes), take.words(cfg.Nodes)
	if take.err != nil {
		return nil, take.err
	}
	if n.tally, err = newTally(d, cfg.Steps); err != nil {
		return nil, err
	}
	if n.feed, err = newFeeder(d); err != nil {
		return nil, err
	}
	numbers, ones := make([]int32, cfg.Nodes), make([]float32, cfg.Nodes)
	for i := range numbers {
		numbers[i], ones[i] = int32(i), 1
	}
	if err := upload(d, n.iota, numbers); err != nil {
		return nil, err
	}
	if err := upload(d, n.ones, ones); err != nil {
		return nil, err
	}
	// All nodes as the items of one row, for the gradients of loops and biases.
	var s referenceStage
	levels, slots := s.plan([]int32{0, int32(cfg.Nodes)}, nil, piece)
	if n.whole.base, err = d.alloc(len(s.words)); err != nil {
		return nil, err
	}
	n.whole.levels = levels
	if err := upload(d, n.whole.base, s.words); err != nil {
		return nil, err
	}
	return n, n.needSlots(slots * cfg.Dim * cfg.Dim)
}

// Upload sets all parameters; their moments are zero.
func (n *Reference) Upload(value []float32) error {
	for _, p := range []cu.DevicePtr{n.m, n.v} {
		if err := n.d.zero(p, n.cfg.Words()); err != nil {
			return err
		}
	}
	return upload(n.d, n.value, value)
}

// Download reads them.
func (n *Reference) Download(value []float32) error { return n.d.download(value, n.value) }

// Gradients reads the gradients as the last step left them, not yet clipped.
func (n *Reference) Gradients(grad []float32) error { return n.d.download(grad, n.grad) }

func (n *Reference) param(tensor int) cu.DevicePtr    { return at(n.value, n.cfg.at(tensor)) }
func (n *Reference) gradient(tensor int) cu.DevicePtr { return at(n.grad, n.cfg.at(tensor)) }

// Step enqueues one step of the optimiser. At most one before it may still be under way when it
// returns.
func (n *Reference) Step(s *ReferenceStep) error {
	if n.made == n.cfg.Steps {
		panic("cuda: more steps than the network was made for")
	}
	if err := n.begin(); err != nil {
		return err
	}
	st := &n.staged
	st.pack(n.cfg, &s.Groups, s)
	if err := n.send(st); err != nil {
		return err
	}
	if err := n.forward(st, s.Draw, n.cfg.Dropout); err != nil {
		return err
	}
	if err := n.decode(st); err != nil {
		return err
	}
	if err := n.backward(st, s.Draw); err != nil {
		return err
	}
	n.made++
	if err := n.optimise(s.Adam); err != nil {
		return err
	}
	return n.end(1)
}

// Embed runs the layers over messages and reads the outputs of the second, [Nodes][k].
func (n *Reference) Embed(g *Groups, out []float32) error {
	st := &n.staged
	st.pack(n.cfg, g, nil)
	if err := n.send(st); err != nil {
		return err
	}
	if err := n.forward(st, 0, 0); err != nil {
		return err
	}
	return n.d.download(out, n.out[1])
}

// send copies a step to the device and makes room for its groups and sums.
func (n *Reference) send(st *referenceStage) error {
	if st.groups > n.groups {
		for _, p := range []*cu.DevicePtr{&n.sums[0], &n.sums[1], &n.dSums} {
			n.d.release(*p)
			var err error
			if *p, err = n.d.alloc(st.groups * n.cfg.Dim); err != nil {
				return err
			}
		}
		n.groups = st.groups
	}
	if err := n.needSlots(st.slotWords); err != nil {
		return err
	}
	return n.feed.send(st.words)
}

func (n *Reference) needSlots(words int) (err error) {
	if words <= n.slotWords {
		return nil
	}
	n.d.release(n.slots)
	n.slotWords = 0
	if n.slots, err = n.d.alloc(words); err == nil {
		n.slotWords = words
	}
	return err
}

// word is a place of the step's words on the device.
func (n *Reference) word(i int) cu.DevicePtr { return at(n.feed.batch, i) }

// forward computes the outputs of both layers; draw is the first of dropout's.
func (n *Reference) forward(st *referenceStage, draw uint64, share float32) error {
	c := n.cfg
	in := n.param(refTable)
	for i, l := range [2]struct{ w, loop, bias int }{{refDiagonal, refLoop1, refBias1}, {refFull, refLoop2, refBias2}} {
		if err := n.d.zero(n.sums[i], st.groups*c.Dim); err != nil {
			return err
		}
		err := n.gatherAdd(&st.byGroup, in, n.sums[i], st.norm)
		if err != nil {
			return err
		}
		err = n.rows("layer_forward", c.Nodes, pointer(in), pointer(n.param(l.loop)), pointer(n.param(l.bias)), pointer(n.param(l.w)), pointer(n.sums[i]),
			pointer(n.word(st.firstOfTarget)), pointer(n.word(st.byTarget)), pointer(n.word(st.relation)), pointer(n.out[i]),
			integer(c.Nodes), integer(c.Dim), flag(i == 1), flag(i == 0),
			arg(c.Key[0]), arg(c.Key[1]), arg(c.Stream), arg(draw+uint64(i*c.Nodes*c.Dim)), number(share), integer(teamOf(c.Dim)))
		if err != nil {
			return err
		}
		in = n.out[i]
	}
	return nil
}

// decode computes the loss, and the gradients by the outputs and by the relations' vectors.
func (n *Reference) decode(st *referenceStage) error {
	c, d := n.cfg, n.d
	batch, x, rel := pointer(n.word(st.triplets)), pointer(n.out[1]), pointer(n.param(refRelation))
	for i, y := range [2]struct {
		x, dx cu.DevicePtr
		words int
	}{{n.out[1], n.dOut[1], c.Nodes * c.Dim}, {n.param(refRelation), n.gradient(refRelation), c.Relations * c.Dim}} {
		if err := d.launch("l2_grad", y.words, pointer(y.x), pointer(y.dx), integer(y.words), number(2*c.Regularization/float32(y.words))); err != nil {
			return err
		}
		if err := n.sumSquares(y.x, i, y.words); err != nil {
			return err
		}
	}
	if err := d.launch("score_loss", st.n*warp, batch, x, rel, pointer(n.loss), pointer(n.slope), integer(st.n), integer(c.Dim), integer(int(c.Decoder))); err != nil {
		return err
	}
	err := d.launch("loss_sum", warp, pointer(n.loss), pointer(n.squares[0]), pointer(n.squares[1]), pointer(at(n.losses, n.made)), integer(st.n), integer(squareParts),
		number(c.Regularization/float32(c.Nodes*c.Dim)), number(c.Regularization/float32(c.Relations*c.Dim)))
	if err != nil {
		return err
	}
	for side, out := range []cu.DevicePtr{n.dOut[1], n.dOut[1], n.gradient(refRelation)} {
		p := &st.bySide[side]
		err := n.sum("score_backward", devicePlan{n.feed.batch, p.levels}, c.Dim, out, true, func(start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(n.word(p.items)), batch, pointer(n.slope), x, rel, pointer(out), pointer(n.slots),
				integer(pieces), integer(st.n), integer(c.Dim), integer(side), integer(int(c.Decoder)), integer(teamOf(c.Dim))}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// backward computes the gradients of the layers and of the table.
func (n *Reference) backward(st *referenceStage, draw uint64) error {
	c, d := n.cfg, n.d
	words := c.Nodes * c.Dim
	err := d.launch("dropout_backward", words, pointer(n.dOut[1]), integer(words), arg(c.Key[0]), arg(c.Key[1]), arg(c.Stream), arg(draw+uint64(words)), number(c.Dropout))
	if err != nil {
		return err
	}
	for _, l := range [2]struct {
		layer, w, loop, bias int
		in, din              cu.DevicePtr
	}{{1, refFull, refLoop2, refBias2, n.out[0], n.dOut[0]}, {0, refDiagonal, refLoop1, refBias1, n.param(refTable), n.gradient(refTable)}} {
		dy := n.dOut[l.layer]
		if l.layer == 0 {
			if err := d.launch("relu_backward", words, pointer(dy), pointer(n.out[0]), integer(words), number(1/(1-c.Dropout))); err != nil {
				return err
			}
		}
		if err := n.rows("self_loop_backward", c.Nodes, pointer(dy), pointer(n.param(l.loop)), pointer(l.din), integer(c.Nodes), integer(c.Dim), integer(teamOf(c.Dim))); err != nil {
			return err
		}
		err := n.rows("group_backward", st.groups, pointer(dy), pointer(n.param(l.w)), pointer(n.word(st.relation)), pointer(n.word(st.target)), pointer(n.dSums),
			integer(st.groups), integer(c.Dim), flag(l.layer == 1), integer(teamOf(c.Dim)))
		if err != nil {
			return err
		}
		if err := n.gatherAdd(&st.bySource, n.dSums, l.din, st.norm); err != nil {
			return err
		}
		if err := n.weights(st, l.layer == 1, l.w, dy, n.sums[l.layer]); err != nil {
			return err
		}
		if err := n.outer(n.whole, n.iota, n.iota, dy, l.in, n.gradient(l.loop)); err != nil {
			return err
		}
		bias := n.gradient(l.bias) // the sum of all rows
		if err := d.zero(bias, c.Dim); err != nil {
			return err
		}
		err = n.sum("gather_add", n.whole, c.Dim, bias, true, func(start, dest cu.DevicePtr, pieces int) []arg {
			return []arg{pointer(start), pointer(dest), pointer(n.iota), pointer(n.iota), pointer(n.ones), pointer(dy), pointer(bias), pointer(n.slots),
				integer(pieces), integer(c.Dim), integer(teamOf(c.Dim))}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// weights computes the gradient of the relations' diagonals or matrices.
func (n *Reference) weights(st *referenceStage, full bool, tensor int, dy, sums cu.DevicePtr) error {
	p := &st.byRelation
	plan := devicePlan{n.feed.batch, p.levels}
	if full {
		return n.outer(plan, n.word(st.target), n.word(st.group), dy, sums, n.gradient(tensor))
	}
	out := n.gradient(tensor)
	return n.sum("diagonal_grad", plan, n.cfg.Dim, out, false, func(start, dest cu.DevicePtr, pieces int) []arg {
		return []arg{pointer(start), pointer(dest), pointer(n.word(st.target)), pointer(n.word(st.group)), pointer(n.word(st.one)), pointer(dy), pointer(sums),
			pointer(out), pointer(n.slots), integer(pieces), integer(n.cfg.Dim), integer(teamOf(n.cfg.Dim))}
	})
}

func (n *Reference) outer(plan devicePlan, row, col, a, b, out cu.DevicePtr) error {
	k := n.cfg.Dim
	return n.sum("outer", plan, k*k, out, false, func(start, dest cu.DevicePtr, pieces int) []arg {
		return []arg{pointer(start), pointer(dest), pointer(row), pointer(col), pointer(a), pointer(b), pointer(out), pointer(n.slots),
			integer(pieces), integer(k * k), integer(k), integer(teamOf(k * k))}
	})
}

// gatherAdd adds rows of x to rows of out by a plan, each times the norm of its message.
func (n *Reference) gatherAdd(p *spread, x, out cu.DevicePtr, norm int) error {
	k := n.cfg.Dim
	return n.sum("gather_add", devicePlan{n.feed.batch, p.levels}, k, out, true, func(start, dest cu.DevicePtr, pieces int) []arg {
		return []arg{pointer(start), pointer(dest), pointer(n.word(p.items)), pointer(n.word(p.others)), pointer(n.word(norm)), pointer(x), pointer(out), pointer(n.slots),
			integer(pieces), integer(k), integer(teamOf(k))}
	})
}

// sum runs a kernel on the first level of a plan and gather on the others.
func (n *Reference) sum(kernel string, p devicePlan, k int, out cu.DevicePtr, add bool, args func(start, dest cu.DevicePtr, pieces int) []arg) error {
	return sumByPlan(n.d, kernel, p, k, out, n.slots, add, args)
}

// rows runs a kernel with a team for each row.
func (n *Reference) rows(kernel string, rows int, args ...arg) error {
	return n.d.launch(kernel, rows*teamOf(n.cfg.Dim), args...)
}

func (n *Reference) sumSquares(x cu.DevicePtr, to, words int) error {
	return n.d.launch("sum_squares", squareParts*warp, pointer(x), pointer(n.squares[to]), integer(words), integer(squareParts))
}

// optimise clips the gradients by the norm of all of them and makes a step of Adam.
func (n *Reference) optimise(s Step) error {
	const gradients = 2
	size := n.cfg.Words()
	if err := n.sumSquares(n.grad, gradients, size); err != nil {
		return err
	}
	if err := n.d.launch("clip_scale", warp, pointer(n.squares[gradients]), pointer(n.scale), integer(squareParts), number(n.cfg.Limit)); err != nil {
		return err
	}
	err := n.d.launch("adam", size, pointer(n.value), pointer(n.m), pointer(n.v), pointer(n.grad), pointer(n.scale), integer(size), number(s.Rate), number(s.Epsilon), number(0))
	if err != nil {
		return fmt.Errorf("cuda: optimiser: %w", err)
	}
	return nil
}

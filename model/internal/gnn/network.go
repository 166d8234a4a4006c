package gnn

import (
	"fmt"
	"runtime"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// network is the expression graph of one training: parameters -> layers -> loss, with
// the gradients of the loss. Edges and triplets are set anew for each step.
type network struct {
	params  *optim.Params
	convs   [4]*relConv // in the order of layerNames
	decoder *Decoder
	batch   StepBatch

	graph *G.ExprGraph
	vm    G.VM
	nodes G.Nodes // of the parameters
	cost  *G.Node
	loss  G.Value
	grads [][]float32 // of the parameters

	lossOp       *lossOp
	decoderGrads [][]float32 // in the order of the parameters, nil for those of layers
}

// Config says what a network looks like and how it is computed.
type Config struct {
	Dim         int              // width k of the layers, a multiple of 4
	Decoder     string           // relational score: DistMult, TransE or RotatE
	Layers      [4]LayerKind     // kinds of relation weights, in the order of layerNames
	Mask        *[NumInputs]bool // inputs of the decoder to leave out; nil: none
	FixedLayers bool             // the layers stay plain propagation
	Seed        uint64           // of the first values
	Pool        *num.Pool        // that computes the layers; nil: one thread
}

// Shape says how large a network's sides are.
type Shape struct {
	Sources, Destinations, Relations int
}

// newConvs makes the four layers: walk1 (to sources, from x), walk2 (to destinations,
// from walk1), profile1 (to destinations, from y), profile2 (to sources, from profile1).
func newConvs(cfg Config, sh Shape) [4]*relConv {
	var out [4]*relConv
	for i, norm := range []int{temporal.NormWalk, temporal.NormWalk, temporal.NormProfile, temporal.NormMean} {
		c := &relConv{k: cfg.Dim, relations: sh.Relations, diagonal: cfg.Layers[i].diagonal(), pool: cfg.Pool, norm: norm,
			rows: sh.Sources, inRows: sh.Destinations}
		if toDestinations(i) {
			c.rows, c.inRows = c.inRows, c.rows
		}
		out[i] = c
	}
	return out
}

func toDestinations(layer int) bool { return layer == 1 || layer == 2 }

// setMessages points the layers at the edges of a cut.
func setMessages(convs *[4]*relConv, m *temporal.Messages) {
	for i, c := range convs {
		c.forth, c.back = m.BySource, m.ByDestination
		if toDestinations(i) {
			c.forth, c.back = c.back, c.forth
		}
	}
}

// embedWith runs the layers alone over m: what scoring needs. It asks for the fixed inputs when it needs them, and
// keeps them no longer.
func embedWith(convs *[4]*relConv, p *optim.Params, m *temporal.Messages, k int, x, y func() []float32) *Embeddings {
	setMessages(convs, m)
	var out [4][]float32
	for i, c := range convs {
		var in []float32
		switch i {
		case 0:
			in = x()
		case 2:
			in = y()
		default:
			in = out[i-1]
		}
		out[i] = make([]float32, c.rows*k)
		c.forward(layerWeights(p, i, k), in, out[i])
	}
	return &Embeddings{SourceWalk: out[0], DestinationWalk: out[1], DestinationProfile: out[2], SourceProfile: out[3]}
}

// Embed computes the embeddings of a graph without a training. x and y make the fixed inputs of destinations
// and sources when they are needed.
func Embed(cfg Config, sh Shape, p *optim.Params, m *temporal.Messages, x, y func() []float32) *Embeddings {
	convs := newConvs(cfg, sh)
	return embedWith(&convs, p, m, cfg.Dim, x, y)
}

// newNetwork builds the graph over fixed inputs x [destinations][k] and y [sources][k].
func newNetwork(cfg Config, sh Shape, p *optim.Params, x, y []float32) (n *network, err error) {
	// Gorgonia panics where shapes do not fit; inside a host process that must be an error.
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("model: expression graph: %v", r)
		}
	}()
	n = &network{params: p, convs: newConvs(cfg, sh), graph: G.NewGraph(), decoder: NewDecoder(cfg, p)}
	leaf := func(name string, rows, cols int, backing []float32) *G.Node {
		return G.NewMatrix(n.graph, tensor.Float32, G.WithName(name), G.WithShape(rows, cols),
			G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(backing))))
	}
	byName := map[string]*G.Node{}
	for _, q := range p.List {
		byName[q.Name] = leaf(q.Name, q.Rows, q.Cols, q.Value)
		n.nodes = append(n.nodes, byName[q.Name])
	}
	var out [4]*G.Node
	in := [4]*G.Node{0: leaf("x", sh.Destinations, cfg.Dim, x), 2: leaf("y", sh.Sources, cfg.Dim, y)}
	for i, name := range layerNames {
		w := byName[name]
		if w == nil {
			w = G.Must(G.Mul(byName[name+".coef"], byName[name+".basis"]))
		}
		second := i%2 == 1
		if second {
			in[i] = out[i-1]
		}
		if out[i], err = G.ApplyOp(newConvOp(name, n.convs[i], second), w, in[i]); err != nil {
			return nil, fmt.Errorf("model: layer %s: %w", name, err)
		}
	}
	inputs := G.Nodes{out[0], out[1], out[3], out[2]}
	for _, name := range []string{"relation", "hidden", "hidden.bias", "output", "output.bias"} {
		inputs = append(inputs, byName[name])
	}
	var shapes [lossInputs]tensor.Shape
	for i, in := range inputs {
		shapes[i] = in.Shape()
	}
	n.lossOp = newLossOp(n.decoder, &n.batch, shapes)
	own := map[string][]float32{
		"relation": n.lossOp.grads.rel, "hidden": n.lossOp.grads.a1, "hidden.bias": n.lossOp.grads.b1,
		"output": n.lossOp.grads.a2, "output.bias": n.lossOp.grads.b2,
	}
	for _, q := range p.List {
		n.decoderGrads = append(n.decoderGrads, own[q.Name])
	}
	if n.cost, err = G.ApplyOp(n.lossOp, inputs...); err != nil {
		return nil, fmt.Errorf("model: decoder: %w", err)
	}
	G.Read(n.cost, &n.loss)
	if _, err = G.Grad(n.cost, n.nodes...); err != nil {
		return nil, fmt.Errorf("model: gradient: %w", err)
	}
	n.vm = G.NewTapeMachine(n.graph, G.BindDualValues(n.nodes...))
	return n, nil
}

// NewDecoder returns the decoder with the parameters p, as NewParams lays them out. Its Scaling is nil: inputs stay as
// they are.
func NewDecoder(cfg Config, p *optim.Params) *Decoder {
	return &Decoder{
		K: cfg.Dim, kind: cfg.Decoder, mask: cfg.Mask,
		rel: p.Get("relation").Value,
		a1:  p.Get("hidden").Value, b1: p.Get("hidden.bias").Value,
		a2: p.Get("output").Value, b2: p.Get("output.bias").Value,
	}
}

// run computes the loss and its gradients over the current cut and batch: one pass of the
// layers, so many rounds of the decoder. Before each round but the first it calls next,
// which finds the gradients of the round before in decoderGrads. The gradients are valid until the next run.
func (n *network) run(rounds int, next func()) (loss float32, err error) {
	n.lossOp.rounds, n.lossOp.next = rounds, next
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("model: training step: %v", r)
		}
	}()
	for _, g := range n.grads {
		clear(g) // the machine adds to what is there
	}
	if err := n.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("model: training step: %w", err)
	}
	n.vm.Reset()
	if n.grads == nil {
		for _, node := range n.nodes {
			g, err := node.Grad()
			if err != nil {
				return 0, fmt.Errorf("model: gradient of %s: %w", node.Name(), err)
			}
			n.grads = append(n.grads, data(g))
		}
	}
	return float32(*n.loss.(*G.F32)), nil
}

// release lets go of all that steps need and the layers alone do not: outputs and gradients, five sixths of
// what a large network takes.
func (n *network) release() {
	if n.vm == nil {
		return
	}
	n.vm.Close()
	// The machine's finalizer has nothing to do without a GPU, and keeps it, the graph and all values
	// for good: they form a ring, and a ring with a finalizer in it is never collected.
	runtime.SetFinalizer(n.vm, nil)
	*n = network{params: n.params, convs: n.convs, decoder: n.decoder}
}

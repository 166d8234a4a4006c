package baseline

import (
	"math"

	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
)

// network is the reference in training: a table of node embeddings, a diagonal
// and a full relational layer with a ReLU between, dropout after each, and a decoder.
type network struct {
	cfg              Config
	nodes, relations int

	params   *optim.Params
	grads    [][]float32 // of params.list
	layers   [2]layer
	table    []float32 // [nodes][dim]
	relation []float32 // [relations][dim]
	dTable   []float32
	dRel     []float32

	batch    batch
	messages messageGroups
	mask     [2][]float32 // of dropout, [nodes][dim]: 0 or what keeps the mean
	hidden   []float32    // [nodes][dim], of the first layer after ReLU and dropout
	out      []float32    // [nodes][dim], of the second layer after dropout
	dHidden  []float32
	dOut     []float32
}

func newNetwork(cfg Config, nodes, relations int) *network {
	k := cfg.Dim
	n := &network{cfg: cfg, nodes: nodes, relations: relations, params: &optim.Params{}, batch: newBatch(cfg.Sample)}
	add := func(name string, rows, cols int) (value, grad []float32) {
		size := rows * cols
		p := &optim.Param{Name: name, Rows: rows, Cols: cols, Value: make([]float32, size), Mean: make([]float32, size), Square: make([]float32, size)}
		n.params.List = append(n.params.List, p)
		n.grads = append(n.grads, make([]float32, size))
		return p.Value, n.grads[len(n.grads)-1]
	}
	// Glorot and Bengio 2010, with the gain for a ReLU.
	glorot := func(rows, cols int) float64 { return math.Sqrt2 * math.Sqrt(6/float64(rows+cols)) }

	rng := num.NewPhilox(cfg.Seed, num.StreamInit)
	n.table, n.dTable = add("table", nodes, k)
	num.Normal(rng, n.table, 1)
	for i, name := range []string{"layer1", "layer2"} {
		l := &n.layers[i]
		l.k, l.full = k, i == 1
		l.sum, l.dSum, l.turned = make([]float32, k), make([]float32, k), make([]float32, k*k)
		size, fanIn := k, 1 // of a relation's weights
		if l.full {
			size, fanIn = k*k, k
		}
		l.relation, l.dRelation = add(name+".relation", relations, size)
		l.loop, l.dLoop = add(name+".loop", k, k)
		l.bias, l.dBias = add(name+".bias", 1, k)
		num.Uniform(rng, l.relation, 1/math.Sqrt(float64(fanIn)))
		num.Uniform(rng, l.loop, glorot(k, k))
	}
	n.relation, n.dRel = add("relation", relations, k)
	num.Uniform(rng, n.relation, glorot(relations, k))

	for _, x := range []*[]float32{&n.mask[0], &n.mask[1], &n.hidden, &n.out, &n.dHidden, &n.dOut} {
		*x = make([]float32, nodes*k)
	}
	return n
}

// step draws events, makes one step of the optimiser and returns the loss before it.
func (n *network) step(train *eventTable, rng *num.Philox) float32 {
	n.batch.draw(train, n.nodes, rng)
	n.messages.build(n.batch.s, n.batch.r, n.batch.d, nil, n.nodes, n.relations)
	for _, mask := range n.mask {
		rng.Dropout(mask, n.cfg.Dropout)
	}
	n.forward()
	loss := n.decode()
	n.backward()
	clip(n.grads, maxNorm)
	n.params.Adam(n.grads, n.cfg.LearningRate, true)
	return loss
}

// maxNorm is what the gradients are clipped to.
const maxNorm = 1

// embed returns the output of the layers over the message graph of all of train.
func (n *network) embed(train *eventTable) []float32 {
	n.buildAll(train)
	for _, mask := range n.mask {
		num.Fill(mask, 1)
	}
	n.forward()
	return n.out
}

// buildAll makes the messages of all events.
func (n *network) buildAll(train *eventTable) {
	var s, r, d []int32
	var weight []float32
	for i := range train.edges {
		if c := train.count(i); c > 0 {
			e := &train.edges[i]
			s, r, d = append(s, e.Source), append(r, e.Relation), append(d, e.Destination)
			weight = append(weight, float32(c))
		}
	}
	n.messages.build(s, r, d, weight, n.nodes, n.relations)
}

// forward computes hidden and out.
func (n *network) forward() {
	n.layers[0].forward(&n.messages, n.table, n.hidden)
	for i, v := range n.hidden {
		n.hidden[i] = max(v, 0) * n.mask[0][i]
	}
	n.layers[1].forward(&n.messages, n.hidden, n.out)
	for i, m := range n.mask[1] {
		n.out[i] *= m
	}
}

// decode returns the loss, the mean binary cross-entropy of the batch plus the mean squares
// of out and of the relation vectors, and computes the gradients dOut and dRel.
func (n *network) decode() float32 {
	var squares float64
	for _, x := range [][2][]float32{{n.out, n.dOut}, {n.relation, n.dRel}} {
		value, grad := x[0], x[1]
		squares += float64(num.Dot(value, value)) / float64(len(value))
		a := float32(2 * n.cfg.Regularization / float64(len(value)))
		for i, v := range value {
			grad[i] = a * v
		}
	}
	b, k := &n.batch, n.cfg.Dim
	var entropy float64
	for i := range b.s {
		s, r, d := b.s[i], b.r[i], b.d[i]
		h, w, t := num.Row(n.out, s, k), num.Row(n.relation, r, k), num.Row(n.out, d, k)
		y := logit(n.cfg.Decoder, h, w, t)
		err := num.Sigmoid(y)
		entropy += num.Softplus(float64(y))
		if i < len(b.s)/2 {
			err--
			entropy -= float64(y)
		}
		logitBackward(n.cfg.Decoder, err/float32(len(b.s)), h, w, t, num.Row(n.dOut, s, k), num.Row(n.dRel, r, k), num.Row(n.dOut, d, k))
	}
	return float32(entropy/float64(len(b.s)) + n.cfg.Regularization*squares)
}

// backward computes the gradients of the layers and of the table from dOut.
func (n *network) backward() {
	for i := range n.layers {
		l := &n.layers[i]
		clear(l.dRelation)
		clear(l.dLoop)
		clear(l.dBias)
	}
	for i, m := range n.mask[1] {
		n.dOut[i] *= m
	}
	n.layers[1].backward(&n.messages, n.hidden, n.dOut, n.dHidden)
	for i, h := range n.hidden {
		if h > 0 { // past the ReLU and not dropped
			n.dHidden[i] *= n.mask[0][i]
		} else {
			n.dHidden[i] = 0
		}
	}
	n.layers[0].backward(&n.messages, n.table, n.dHidden, n.dTable)
}

// clip scales all gradients so that the norm of them together is no more than limit.
func clip(grads [][]float32, limit float64) {
	var squares float64
	for _, g := range grads {
		squares += float64(num.Dot(g, g))
	}
	if by := limit / (math.Sqrt(squares) + 1e-6); by < 1 {
		for _, g := range grads {
			num.Scale(float32(by), g)
		}
	}
}

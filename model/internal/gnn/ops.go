package gnn

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The fused operations of the expression graph. Each owns what it yields and yields it
// again in every run, over whatever edges and batch the network has set.

var (
	matrixType = G.TensorType{Dims: 2, Of: tensor.Float32}

	_ G.SDOp            = (*convOp)(nil)
	_ G.SDOp            = (*lossOp)(nil)
	_ G.Op              = (*yieldOp)(nil)
	_ G.UsePreallocDoer = (*convOp)(nil)
	_ G.UsePreallocDoer = (*lossOp)(nil)
	_ G.UsePreallocDoer = (*yieldOp)(nil)
)

// fused is what the operations have in common: a name that tells them apart, and no
// demand on the machine.
type fused struct {
	name   string
	inputs int
}

func (f *fused) Arity() int            { return f.inputs }
func (f *fused) ReturnsPtr() bool      { return true }
func (f *fused) CallsExtern() bool     { return false }
func (f *fused) OverwritesInput() int  { return -1 }
func (f *fused) WriteHash(h hash.Hash) { fmt.Fprint(h, f.name) }
func (f *fused) String() string        { return f.name }
func (f *fused) Hashcode() uint32 {
	h := fnv.New32a()
	f.WriteHash(h)
	return h.Sum32()
}

// functionType is that of n inputs of one type to an output.
func functionType(n int, in, out hm.Type) hm.Type {
	types := make([]hm.Type, 0, n+1)
	for range n {
		types = append(types, in)
	}
	return hm.NewFnType(append(types, out)...)
}

func matrix(rows, cols int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(make([]float32, rows*cols)))
}

func data(v G.Value) []float32 { return v.Data().([]float32) }

// convOp is the forward pass of a relConv: (weights, inputs) -> outputs.
type convOp struct {
	fused
	conv   *relConv
	out    *tensor.Dense // [rows][k]
	dw, dh *tensor.Dense // dh is nil where the inputs are fixed
}

func newConvOp(name string, c *relConv, inputsTrain bool) *convOp {
	o := &convOp{fused: fused{name, 2}, conv: c, out: matrix(c.rows, c.k)}
	cols := c.k
	if !c.diagonal {
		cols *= c.k
	}
	o.dw = matrix(c.relations, cols)
	if inputsTrain {
		o.dh = matrix(c.inRows, c.k)
	}
	return o
}

func (o *convOp) Type() hm.Type { return functionType(2, matrixType, matrixType) }

func (o *convOp) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.out.Shape(), nil }

func (o *convOp) Do(in ...G.Value) (G.Value, error) {
	o.conv.forward(data(in[0]), data(in[1]), data(o.out))
	return o.out, nil
}

func (o *convOp) UsePreallocDo(_ G.Value, in ...G.Value) (G.Value, error) { return o.Do(in...) }

func (o *convOp) DiffWRT(int) []bool { return []bool{true, o.dh != nil} }

// SymDiff makes one backward pass for both gradients; the second node only hands over
// what the first has computed.
func (o *convOp) SymDiff(in G.Nodes, _, grad *G.Node) (G.Nodes, error) {
	dw, err := G.ApplyOp(&yieldOp{fused{o.name + " dW", 3}, matrixType, o.dw, func(in []G.Value) {
		var dh []float32
		if o.dh != nil {
			dh = data(o.dh)
		}
		o.conv.backward(data(in[0]), data(in[1]), data(in[2]), data(o.dw), dh)
	}}, in[0], in[1], grad)
	if err != nil || o.dh == nil {
		return G.Nodes{dw, nil}, err
	}
	dh, err := G.ApplyOp(&yieldOp{fused{o.name + " dH", 1}, matrixType, o.dh, func([]G.Value) {}}, dw)
	return G.Nodes{dw, dh}, err
}

// lossOp is the decoder with its loss over the current batch:
// (embeddings, relation, hidden, hidden bias, output, output bias) -> loss.
type lossOp struct {
	fused
	decoder *Decoder
	batch   *StepBatch
	out     []*tensor.Dense // gradients of the inputs, in their order
	grads   gradients

	// The decoder may make several steps on the embeddings of one pass: before each but the
	// first, next updates it and draws another batch.
	rounds int
	next   func()
}

const lossInputs = 9

func newLossOp(d *Decoder, b *StepBatch, shapes [lossInputs]tensor.Shape) *lossOp {
	o := &lossOp{fused: fused{"decoder loss", lossInputs}, decoder: d, batch: b}
	for _, s := range shapes {
		o.out = append(o.out, matrix(s[0], s[1]))
	}
	x := func(i int) []float32 { return data(o.out[i]) }
	o.grads = gradients{Embeddings{x(0), x(1), x(2), x(3)}, x(4), x(5), x(6), x(7), x(8)}
	return o
}

func (o *lossOp) Type() hm.Type { return functionType(lossInputs, matrixType, tensor.Float32) }

func (o *lossOp) InferShape(...G.DimSizer) (tensor.Shape, error) { return tensor.ScalarShape(), nil }

// Do computes the gradients beside the loss, the mean over its rounds. Those of the
// embeddings are the sum over the rounds, those of the decoder are of the last.
func (o *lossOp) Do(in ...G.Value) (G.Value, error) {
	d := *o.decoder
	e := Embeddings{data(in[0]), data(in[1]), data(in[2]), data(in[3])}
	d.rel, d.a1, d.b1, d.a2, d.b2 = data(in[4]), data(in[5]), data(in[6]), data(in[7]), data(in[8])
	o.grads.clearEmbeddings()
	var sum float32
	for i := range o.rounds {
		if i > 0 {
			o.next()
		}
		o.grads.clear()
		sum += d.loss(&e, o.batch, &o.grads)
	}
	return G.NewF32(sum / float32(o.rounds)), nil
}

func (o *lossOp) UsePreallocDo(_ G.Value, in ...G.Value) (G.Value, error) { return o.Do(in...) }

func (o *lossOp) DiffWRT(n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

func (o *lossOp) SymDiff(_ G.Nodes, loss, grad *G.Node) (G.Nodes, error) {
	var out G.Nodes
	for i, g := range o.out {
		// The loss is an input so that the gradients are there before they are handed over.
		n, err := G.ApplyOp(&yieldOp{fused{fmt.Sprint("decoder gradient ", i), 2}, tensor.Float32, g, func(in []G.Value) {
			if by := *in[1].(*G.F32); by != 1 {
				for j := range data(g) {
					data(g)[j] *= float32(by)
				}
			}
		}}, loss, grad)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// yieldOp runs do and yields out.
type yieldOp struct {
	fused
	in  hm.Type // of each input
	out *tensor.Dense
	do  func(in []G.Value)
}

func (o *yieldOp) Type() hm.Type { return functionType(o.inputs, o.in, matrixType) }

func (o *yieldOp) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.out.Shape(), nil }

func (o *yieldOp) Do(in ...G.Value) (G.Value, error) {
	o.do(in)
	return o.out, nil
}

func (o *yieldOp) UsePreallocDo(_ G.Value, in ...G.Value) (G.Value, error) { return o.Do(in...) }

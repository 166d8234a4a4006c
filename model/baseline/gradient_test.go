package baseline

import (
	"context"
	"math"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// The gradients are checked against numeric differences of a float64 twin written from
// the formulas, one message at a time, and against differences of the real loss.

func smallReference(t *testing.T, decoder string) *network {
	t.Helper()
	snap := modeltest.Graph(t, modeltest.Teams(1, 6, 60)).Snapshot()
	train, _, err := splitEvents(context.Background(), snap.Edges, 0.8, num.NewPhilox(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Default()
	cfg.Dim, cfg.Sample, cfg.Decoder = 6, 12, decoder
	n := newNetwork(cfg, len(snap.Nodes), len(snap.Relations))
	rng := num.NewPhilox(7, 7)
	for i := range n.layers { // away from zero, where they start
		num.Normal(rng, n.layers[i].bias, 0.3)
	}
	n.batch.draw(train, n.nodes, rng)
	n.messages.build(n.batch.s, n.batch.r, n.batch.d, nil, n.nodes, n.relations)
	for _, mask := range n.mask {
		rng.Dropout(mask, cfg.Dropout)
	}
	return n
}

// twin computes the loss in float64.
func (n *network) twin(value map[string][]float64) float64 {
	k, b := n.cfg.Dim, &n.batch
	at := func(name string, i int32, size int) []float64 { return value[name][int(i)*size:][:size] }
	inDegree := map[int32]float64{}
	for _, d := range b.d {
		inDegree[d]++
	}
	// x[from] times the weights of relation r, into y.
	message := func(layer int, r int32, norm float64, x, y []float64) {
		if layer == 0 {
			w := at("layer1.relation", r, k)
			for i := range k {
				y[i] += norm * w[i] * x[i]
			}
			return
		}
		w := at("layer2.relation", r, k*k)
		for i := range k {
			for j := range k {
				y[i] += norm * w[i*k+j] * x[j]
			}
		}
	}
	h := make([][]float64, n.nodes)
	for i := range h {
		h[i] = at("table", int32(i), k)
	}
	for layer, name := range []string{"layer1", "layer2"} {
		next := make([][]float64, n.nodes)
		for i := range next {
			next[i] = make([]float64, k)
			for a := range k {
				next[i][a] = value[name+".bias"][a]
				for c := range k {
					next[i][a] += value[name+".loop"][a*k+c] * h[i][c]
				}
			}
		}
		for i := range b.s {
			message(layer, b.r[i], 1/inDegree[b.d[i]], h[b.s[i]], next[b.d[i]])
		}
		for i := range next {
			for a := range k {
				if layer == 0 {
					next[i][a] = math.Max(next[i][a], 0)
				}
				next[i][a] *= float64(n.mask[layer][i*k+a])
			}
		}
		h = next
	}
	var loss, embeddings, relations float64
	for i := range b.s {
		src, w, dst := h[b.s[i]], at("relation", b.r[i], k), h[b.d[i]]
		var y float64
		for a := range k {
			switch n.cfg.Decoder {
			case DistMult:
				y += src[a] * w[a] * dst[a]
			case TransE:
				y += math.Abs(src[a] + w[a] - dst[a])
			case RotatE:
				y -= math.Abs(src[a]*w[a] - dst[a])
			}
		}
		if i < len(b.s)/2 { // -log of the sigmoid of y, and of that of -y for a false triplet
			y = -y
		}
		loss += (math.Max(y, 0) + math.Log1p(math.Exp(-math.Abs(y)))) / float64(len(b.s))
	}
	for _, row := range h {
		for _, v := range row {
			embeddings += v * v / float64(n.nodes*k)
		}
	}
	for _, v := range value["relation"] {
		relations += v * v / float64(n.relations*k)
	}
	return loss + n.cfg.Regularization*(embeddings+relations)
}

func TestReferenceGradients(t *testing.T) {
	for _, decoder := range []string{DistMult, TransE, RotatE} {
		t.Run(decoder, func(t *testing.T) {
			n := smallReference(t, decoder)
			value := map[string][]float64{}
			for _, p := range n.params.List {
				for _, v := range p.Value {
					value[p.Name] = append(value[p.Name], float64(v))
				}
			}
			n.forward()
			loss := n.decode()
			n.backward()
			if want := n.twin(value); math.Abs(float64(loss)-want) > 1e-6*(1+want) {
				t.Errorf("loss is %v, the twin's %v", loss, want)
			}
			const h = 1e-6
			for i, p := range n.params.List {
				x, nonzero := value[p.Name], 0
				for j := range x {
					v := x[j]
					x[j] = v + h
					up := n.twin(value)
					x[j] = v - h
					want := (up - n.twin(value)) / (2 * h)
					x[j] = v
					if got := float64(n.grads[i][j]); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
						t.Errorf("%s[%d]: gradient %v, numeric %v", p.Name, j, got, want)
					}
					if want != 0 {
						nonzero++
					}
				}
				if nonzero == 0 {
					t.Errorf("%s: no gradient to compare", p.Name)
				}
			}
		})
	}
}

func TestReferenceLossFallsAlongItsGradient(t *testing.T) {
	n := smallReference(t, DistMult)
	n.forward()
	n.decode()
	n.backward()
	var squares float64
	for _, g := range n.grads {
		squares += float64(num.Dot(g, g))
	}
	// The same loss a little way along the gradient and against it.
	const way = 1e-3
	walk := func(a float64) float64 {
		for i, p := range n.params.List {
			num.AddScaled(float32(a/math.Sqrt(squares)), n.grads[i], p.Value)
		}
		n.forward()
		return n.loss()
	}
	up := walk(way)
	down := walk(-2 * way)
	if got, want := (up-down)/(2*way), math.Sqrt(squares); math.Abs(got-want) > 0.01*want {
		t.Errorf("slope along the gradient is %v, the gradient's norm %v", got, want)
	}
}

// loss is decode without touching the gradients.
func (n *network) loss() float64 {
	dOut, dRel := n.dOut, n.dRel
	defer func() { n.dOut, n.dRel = dOut, dRel }()
	n.dOut, n.dRel = make([]float32, len(dOut)), make([]float32, len(dRel))
	return float64(n.decode())
}

func TestGradientsAreClippedTogether(t *testing.T) {
	check := func(limit float64, in, want [][]float32) {
		t.Helper()
		clip(in, limit)
		for i := range in {
			for j := range in[i] {
				if math.Abs(float64(in[i][j]-want[i][j])) > 1e-5 {
					t.Errorf("limit %v: %v, want %v", limit, in, want)
				}
			}
		}
	}
	check(1, [][]float32{{3, 0}, {0, 4}}, [][]float32{{0.6, 0}, {0, 0.8}})
	check(5.1, [][]float32{{3}, {4}}, [][]float32{{3}, {4}})
	check(1, [][]float32{{0}, {}}, [][]float32{{0}, {}})
}

// The message graph of all training events is that of the events one by one.
func TestReferenceEmbedsEventsByTheirCounts(t *testing.T) {
	n := smallReference(t, DistMult)
	table := &eventTable{edges: edgesWithCounts(3, 1, 2), upTo: []uint64{3, 4, 6}}
	got := append([]float32(nil), n.embed(table)...)
	n.messages.build([]int32{0, 0, 0, 1, 2, 2}, make([]int32, 6), []int32{3, 3, 3, 3, 3, 3}, nil, n.nodes, n.relations)
	n.forward()
	for i, v := range n.out {
		if math.Abs(float64(v-got[i])) > 1e-5 {
			t.Fatalf("embedding value %d is %v by counts, %v one by one", i, got[i], v)
		}
	}
}

package gnn

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/temporal"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The gradients are checked three ways: against numeric differences of an independent
// float64 twin of the whole forward pass, against the same network in stock Gorgonia
// operations with its own differentiation, and against differences of the real loss.

// small is a network of a few rows at one cut, with a batch that has every kind of triplet.
type small struct {
	*network
	cfg    Config
	ds     *temporal.Dataset
	window *temporal.Window
	x, y   []float32
}

func newSmall(t *testing.T, layer1, layer2, decoder string) *small {
	t.Helper()
	cfg := testNetwork(8, decoder)
	for i, kind := range []string{layer1, layer2, layer1, layer2} {
		var err error
		if cfg.Layers[i], err = ParseLayer(kind); err != nil {
			t.Fatal(err)
		}
	}
	snap := modeltest.Graph(t, modeltest.Teams(1, 6, 60)).Snapshot()
	ds := temporal.NewDataset(snap, nil, nil)
	at := ds.CutTimes([]float64{0.7})[0]
	w := temporal.NewWindow(ds, temporal.NewCut(ds, at, temporal.NewOrders(ds)), ds.End+1)
	p := NewParams(cfg, ds.Relations)
	rng := num.NewPhilox(7, 7)
	for _, q := range p.List { // away from the start, where many gradients vanish
		noise := make([]float32, len(q.Value))
		num.Normal(rng, noise, 0.3)
		num.AddScaled(1, noise, q.Value)
	}
	x, y := FixedInputs(snap, ds.Destinations, cfg.Dim), FixedInputs(snap, ds.Sources, cfg.Dim)
	n, err := newNetwork(cfg, Shape{len(ds.Sources), len(ds.Destinations), ds.Relations}, p, x, y)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.release)
	setMessages(&n.convs, w.Messages())
	w.Sample(ds, &n.batch.Batch, rng, 8, temporal.Sampling{Negatives: 3, Campaigns: true})
	// Whatever the draw: a triplet of either kind with a new host.
	n.batch.Neighbours[0] = temporal.Neighbours{N: 2, Sources: true, Rows: [temporal.MaxNeighbours]int32{1, 2}}
	n.batch.Neighbours[1] = temporal.Neighbours{N: 3, Rows: [temporal.MaxNeighbours]int32{0, 1, 2}}
	for i := range 2 {
		n.batch.S[i], n.batch.D[i] = 0, 3
	}
	n.batch.Dropout(rng, 0.2)
	n.decoder.Scaling = &Scaling{}
	for i := range NumInputs {
		n.decoder.Scaling.Mean[i], n.decoder.Scaling.Inv[i] = 0.05*float32(i), 1/(1+0.1*float32(i))
	}
	return &small{n, cfg, ds, w, x, y}
}

func (s *small) gradients(t *testing.T) [][]float32 {
	t.Helper()
	if _, err := s.run(1, nil); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, g := range s.grads {
		out = append(out, slices.Clone(g))
	}
	return out
}

// twin computes the loss in float64, written from the formulas and not from the code:
// one message at a time over the list of edges.
func (s *small) twin(value map[string][]float64) float64 {
	k, ds := s.cfg.Dim, s.ds
	type pairKey struct{ s, d int32 }
	relations, degS, degD := map[pairKey]float64{}, map[int32]float64{}, map[int32]float64{}
	for _, e := range ds.Edges {
		if e.First < s.window.At {
			if relations[pairKey{e.S, e.D}] == 0 {
				degS[e.S]++
				degD[e.D]++
			}
			relations[pairKey{e.S, e.D}]++
		}
	}
	say := func(s int32) float64 { return 1 / math.Log(2+degS[s]) }
	length := map[int32]float64{}
	for p := range relations {
		length[p.d] += say(p.s) * say(p.s)
	}
	matrix := func(layer int, r int32) [][]float64 {
		m := make([][]float64, k)
		for i := range m {
			m[i] = make([]float64, k)
		}
		name := layerNames[layer]
		switch kind := s.cfg.Layers[layer]; {
		case kind.diagonal():
			for i := range k {
				m[i][i] = value[name][int(r)*k+i]
			}
		case kind.bases < 0:
			for i := range k {
				copy(m[i], value[name][int(r)*k*k+i*k:])
			}
		default:
			for b := range kind.bases {
				for i := range k {
					for j := range k {
						m[i][j] += value[name+".coef"][int(r)*kind.bases+b] * value[name+".basis"][b*k*k+i*k+j]
					}
				}
			}
		}
		return m
	}
	layer := func(i int, in func(row int32) []float64) map[int32][]float64 {
		out := map[int32][]float64{}
		for _, e := range ds.Edges {
			if e.First >= s.window.At {
				continue
			}
			to, from := e.S, e.D
			if toDestinations(i) {
				to, from = from, to
			}
			m := relations[pairKey{e.S, e.D}]
			norm := [4]float64{1 / math.Sqrt(degS[e.S]*degD[e.D]), 1 / math.Sqrt(degS[e.S]*degD[e.D]), say(e.S) / math.Sqrt(length[e.D]), 1 / degS[e.S]}[i] / m
			if out[to] == nil {
				out[to] = make([]float64, k)
			}
			h := in(from)
			if h == nil {
				continue
			}
			for a, w := range matrix(i, e.R) {
				for b := range w {
					out[to][a] += norm * w[b] * h[b]
				}
			}
		}
		return out
	}
	fixed := func(x []float32) func(int32) []float64 {
		return func(i int32) []float64 {
			out := make([]float64, k)
			for j, v := range num.Row(x, i, k) {
				out[j] = float64(v)
			}
			return out
		}
	}
	u := layer(0, fixed(s.x))
	v := layer(1, func(i int32) []float64 { return u[i] })
	c := layer(2, fixed(s.y))
	m := layer(3, func(i int32) []float64 { return c[i] })
	at := func(x map[int32][]float64, i int32) []float64 {
		if x[i] == nil {
			return make([]float64, k)
		}
		return x[i]
	}
	inner := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}

	var total, weights float64
	b := &s.batch
	for i := range b.S {
		var f [NumInputs]float64
		for j, n := range b.Counts[i] {
			f[j] = math.Log(1 + float64(n))
			if n == 0 && j < temporal.NumEventCounts {
				f[InputZero+j] = 1
			}
		}
		if n := &b.Neighbours[i]; n.N > 0 {
			for _, j := range n.Rows[:n.N] {
				if n.Sources {
					f[InputNeighbours] += inner(at(m, b.S[i]), at(m, j))
				} else {
					f[InputNeighbours] += inner(at(c, b.D[i]), at(c, j))
				}
			}
			f[InputNeighbours] = math.Asinh(10 * f[InputNeighbours] / float64(n.N*k))
		}
		if b.S[i] >= 0 && b.D[i] >= 0 {
			us, vd := at(u, b.S[i]), at(v, b.D[i])
			f[InputWalk] = math.Asinh(30 * inner(us, vd) / float64(k))
			f[InputProfile] = math.Asinh(10 * inner(at(m, b.S[i]), at(c, b.D[i])) / float64(k))
			if r := int(b.R[i]); r >= 0 {
				w := value["relation"][r*k:][:k]
				var sum float64
				for j := range w {
					switch s.cfg.Decoder {
					case DistMult:
						sum += us[j] * w[j] * vd[j]
					case TransE:
						sum += math.Pow(us[j]+w[j]-vd[j], 2)
					case RotatE:
						if j%2 == 0 {
							z := complex(us[j], us[j+1])*complex(math.Cos(w[j/2]), math.Sin(w[j/2])) - complex(vd[j], vd[j+1])
							sum += real(z)*real(z) + imag(z)*imag(z)
						}
					}
				}
				f[InputRelational] = -math.Sqrt(sum/float64(k) + distanceFloor)
				if s.cfg.Decoder == DistMult {
					f[InputRelational] = 10 * sum / float64(k)
				}
			}
		}
		y := value["output.bias"][0]
		for j := range Hidden {
			x := value["hidden.bias"][j]
			for q := range f {
				x += value["hidden"][q*Hidden+j] * (f[q] - float64(s.decoder.Scaling.Mean[q])) * float64(s.decoder.Scaling.Inv[q])
			}
			y += value["output"][j] * max(x, 0) * float64(b.mask[i][j])
		}
		w := float64(b.Weight[i])
		p := 1 / (1 + math.Exp(-y))
		total -= w * (float64(b.Label[i])*math.Log(p) + (1-float64(b.Label[i]))*math.Log(1-p))
		weights += w
	}
	return total / weights
}

var layerKinds = [][2]string{{"diagonal", "diagonal"}, {"full", "basis:2"}, {"basis:3", "full"}}

func TestGradientsAgreeWithTheFloat64Twin(t *testing.T) {
	if testing.Short() {
		t.Skip("one thread, and slow under the race detector")
	}
	for _, layers := range layerKinds {
		for _, kind := range []string{DistMult, TransE, RotatE} {
			t.Run(fmt.Sprint(layers, kind), func(t *testing.T) {
				s := newSmall(t, layers[0], layers[1], kind)
				got := s.gradients(t)
				value := map[string][]float64{}
				for _, p := range s.params.List {
					for _, v := range p.Value {
						value[p.Name] = append(value[p.Name], float64(v))
					}
				}
				loss, _ := s.run(1, nil)
				if want := s.twin(value); math.Abs(float64(loss)-want) > 1e-5*want {
					t.Errorf("loss %v, twin %v", loss, want)
				}
				for i, p := range s.params.List {
					x := value[p.Name]
					step := max(1, len(x)/40)
					var largest float64
					for j := 0; j < len(x); j += step {
						const h = 1e-5
						old := x[j]
						x[j] = old + h
						up := s.twin(value)
						x[j] = old - h
						down := s.twin(value)
						x[j] = old
						want := (up - down) / (2 * h)
						largest = max(largest, math.Abs(want))
						if math.Abs(float64(got[i][j])-want) > 2e-5+2e-3*math.Abs(want) {
							t.Errorf("%s[%d]: gradient %v, twin %v", p.Name, j, got[i][j], want)
						}
					}
					if largest == 0 {
						t.Errorf("%s: every gradient looked at is zero, the test shows nothing", p.Name)
					}
				}
			})
		}
	}
}

func TestGradientsAgreeWithDifferencesOfTheLoss(t *testing.T) {
	for _, layers := range layerKinds {
		s := newSmall(t, layers[0], layers[1], DistMult)
		grads := s.gradients(t)
		for i, p := range s.params.List {
			// Along the gradient itself: the slope there is its length.
			var length float64
			for _, g := range grads[i] {
				length += float64(g * g)
			}
			length = math.Sqrt(length)
			h := float32(4e-4 / length)
			old := slices.Clone(p.Value)
			num.AddScaled(h, grads[i], p.Value)
			up, err := s.run(1, nil)
			if err != nil {
				t.Fatal(err)
			}
			copy(p.Value, old)
			num.AddScaled(-h, grads[i], p.Value)
			down, _ := s.run(1, nil)
			copy(p.Value, old)
			if got := float64(up-down) / 8e-4; math.Abs(got-length) > 0.02*length+5e-4 {
				t.Errorf("%v %s: slope %v, gradient %v", layers, p.Name, got, length)
			}
		}
	}
}

// TestGradientsAgreeWithStockGorgonia builds the diagonal network with DistMult from
// stock operations: dense incidence matrices for messages, one-hot rows for the batch.
func TestGradientsAgreeWithStockGorgonia(t *testing.T) {
	s := newSmall(t, "diagonal", "diagonal", DistMult)
	want := s.gradients(t)
	loss, _ := s.run(1, nil)

	g := G.NewGraph()
	k, b := s.cfg.Dim, &s.batch
	n := len(b.S)
	constant := func(name string, rows, cols int, v []float32) *G.Node {
		return G.NewMatrix(g, tensor.Float32, G.WithName(name), G.WithShape(rows, cols), G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))))
	}
	learn := map[string]*G.Node{}
	var nodes G.Nodes
	perRelation := map[string][]*G.Node{}
	for _, p := range s.params.List {
		if p.PerRelation { // one row vector for each relation
			for r := range p.Rows {
				x := constant(fmt.Sprint(p.Name, r), 1, k, slices.Clone(p.Value[r*k:][:k]))
				perRelation[p.Name] = append(perRelation[p.Name], x)
				nodes = append(nodes, x)
			}
			continue
		}
		learn[p.Name] = constant(p.Name, p.Rows, p.Cols, slices.Clone(p.Value))
		nodes = append(nodes, learn[p.Name])
	}
	must := func(x *G.Node, err error) *G.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	ones := func(rows int) *G.Node {
		v := make([]float32, rows)
		num.Fill(v, 1)
		return constant(fmt.Sprintf("ones%d", rows), rows, 1, v)
	}
	layer := func(i int, h *G.Node) *G.Node {
		c := s.convs[i]
		var sum *G.Node
		for r := range s.ds.Relations {
			inc := make([]float32, c.rows*c.inRows)
			for to := range c.rows {
				for q := c.forth.Row[to]; q < c.forth.Row[to+1]; q++ {
					if int(c.forth.Rel[q]) == r {
						for e := c.forth.Group[q]; e < c.forth.Group[q+1]; e++ {
							inc[to*c.inRows+int(c.forth.Col[e])] = c.forth.Norm[c.norm][e]
						}
					}
				}
			}
			msg := must(G.Mul(constant(fmt.Sprintf("incidence %d %d", i, r), c.rows, c.inRows, inc), h))
			w := must(G.Mul(ones(c.rows), perRelation[layerNames[i]][r])) // the row, for every target
			msg = must(G.HadamardProd(msg, w))
			if sum == nil {
				sum = msg
			} else {
				sum = must(G.Add(sum, msg))
			}
		}
		return sum
	}
	u := layer(0, constant("x", len(s.ds.Destinations), k, s.x))
	v := layer(1, u)
	c := layer(2, constant("y", len(s.ds.Sources), k, s.y))
	m := layer(3, c)
	pick := func(name string, rows int, of []int32, also []int32) *G.Node {
		x := make([]float32, n*rows)
		for i, j := range of {
			if j >= 0 && also[i] >= 0 {
				x[i*rows+int(j)] = 1
			}
		}
		return constant(name, n, rows, x)
	}
	pickS, pickD := pick("pick s", len(s.ds.Sources), b.S, b.D), pick("pick d", len(s.ds.Destinations), b.D, b.S)
	us, vd, ms, cd := must(G.Mul(pickS, u)), must(G.Mul(pickD, v)), must(G.Mul(pickS, m)), must(G.Mul(pickD, c))
	inner := func(x *G.Node) *G.Node { return must(G.Mul(x, ones(k))) } // [n][k] -> [n][1]
	scale := func(x *G.Node, by float32) *G.Node {
		return must(G.Mul(x, constant(fmt.Sprint("scale ", by), 1, 1, []float32{by})))
	}
	asinhNode := func(x *G.Node) *G.Node { // log(x + sqrt(x^2 + 1)); all x here are >= 0 or small
		return must(G.Log(must(G.Add(x, must(G.Sqrt(must(G.Add(must(G.Square(x)), ones(n)))))))))
	}
	var wr *G.Node
	for r := range s.ds.Relations {
		x := make([]float32, n)
		for i := range x {
			if int(b.R[i]) == r {
				x[i] = 1
			}
		}
		row := must(G.Mul(constant(fmt.Sprint("pick r", r), n, 1, x), perRelation["relation"][r]))
		if wr == nil {
			wr = row
		} else {
			wr = must(G.Add(wr, row))
		}
	}
	nearS, nearD := make([]float32, n*len(s.ds.Sources)), make([]float32, n*len(s.ds.Destinations))
	nearOf := [2][]int32{make([]int32, n), make([]int32, n)}
	for i, x := range b.Neighbours {
		nearOf[0][i], nearOf[1][i] = -1, -1
		for _, j := range x.Rows[:x.N] {
			if x.Sources {
				nearOf[0][i] = b.S[i]
				nearS[i*len(s.ds.Sources)+int(j)] = 1 / float32(x.N)
			} else {
				nearOf[1][i] = b.D[i]
				nearD[i*len(s.ds.Destinations)+int(j)] = 1 / float32(x.N)
			}
		}
	}
	near := must(G.Add(
		inner(must(G.HadamardProd(must(G.Mul(pick("near s", len(s.ds.Sources), nearOf[0], nearOf[0]), m)), must(G.Mul(constant("of near s", n, len(s.ds.Sources), nearS), m))))),
		inner(must(G.HadamardProd(must(G.Mul(pick("near d", len(s.ds.Destinations), nearOf[1], nearOf[1]), c)), must(G.Mul(constant("of near d", n, len(s.ds.Destinations), nearD), c)))))))
	structure := []*G.Node{
		asinhNode(scale(inner(must(G.HadamardProd(us, vd))), walkScale/float32(k))),
		asinhNode(scale(inner(must(G.HadamardProd(ms, cd))), profileScale/float32(k))),
		asinhNode(scale(near, profileScale/float32(k))),
		scale(inner(must(G.HadamardProd(must(G.HadamardProd(us, wr)), vd))), distMultScale/float32(k)),
	}
	counting := make([]float32, n*NumInputs)
	for i := range n {
		for j, x := range b.Counts[i] {
			counting[i*NumInputs+j] = float32(math.Log1p(float64(x)))
			if x == 0 && j < temporal.NumEventCounts {
				counting[i*NumInputs+InputZero+j] = 1
			}
		}
	}
	inputs := constant("counts", n, NumInputs, counting)
	for j, x := range structure { // each column to its place
		place := make([]float32, NumInputs)
		place[InputWalk+j] = 1
		inputs = must(G.Add(inputs, must(G.Mul(x, constant(fmt.Sprint("place", j), 1, NumInputs, place)))))
	}
	means, invs := make([]float32, n*NumInputs), make([]float32, n*NumInputs)
	for i := range n {
		copy(means[i*NumInputs:], s.decoder.Scaling.Mean[:])
		copy(invs[i*NumInputs:], s.decoder.Scaling.Inv[:])
	}
	inputs = must(G.HadamardProd(must(G.Sub(inputs, constant("means", n, NumInputs, means))), constant("invs", n, NumInputs, invs)))
	keep := make([]float32, n*Hidden)
	for i := range n {
		copy(keep[i*Hidden:], b.mask[i][:])
	}
	h := must(G.Mul(inputs, learn["hidden"]))
	h = must(G.Rectify(must(G.Add(h, must(G.Mul(ones(n), learn["hidden.bias"]))))))
	h = must(G.HadamardProd(h, constant("keep", n, Hidden, keep)))
	y := must(G.Add(must(G.Mul(h, must(G.Transpose(learn["output"])))), must(G.Mul(ones(n), learn["output.bias"]))))
	// Cross-entropy with the sign of the label: log(1 + exp(-y)) for true, log(1 + exp(y)) for false.
	sign, weight := make([]float32, n), make([]float32, n)
	var sum float32
	for i := range n {
		sign[i], weight[i] = 1-2*b.Label[i], b.Weight[i]
		sum += weight[i]
	}
	for i := range weight {
		weight[i] /= sum
	}
	each := must(G.Log1p(must(G.Exp(must(G.HadamardProd(y, constant("sign", n, 1, sign)))))))
	cost := must(G.Sum(must(G.HadamardProd(each, constant("weight", n, 1, weight)))))
	var value G.Value
	G.Read(cost, &value)
	if _, err := G.Grad(cost, nodes...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(nodes...))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if got := value.Data().(float32); math.Abs(float64(got-loss)) > 1e-5 {
		t.Errorf("stock loss %v, fused %v", got, loss)
	}
	grad := func(x *G.Node) []float32 {
		v, err := x.Grad()
		if err != nil {
			t.Fatal(err)
		}
		return data(v)
	}
	compared := 0
	for i, p := range s.params.List {
		var stock []float32
		if p.PerRelation {
			for _, x := range perRelation[p.Name] {
				stock = append(stock, grad(x)...)
			}
		} else {
			stock = grad(learn[p.Name])
		}
		for j, x := range stock {
			if math.Abs(float64(x-want[i][j])) > 1e-5+1e-3*math.Abs(float64(x)) {
				t.Errorf("%s[%d]: stock %v, fused %v", p.Name, j, x, want[i][j])
			}
			compared++
		}
	}
	if compared < 100 {
		t.Errorf("only %d gradients compared", compared)
	}
}

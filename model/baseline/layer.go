package baseline

import "flb-filter-rgcn/model/internal/num"

// messageGroups are the messages of a graph, those with the same relation and destination
// together, by relation and then by destination. Group g holds messages start[g]:start[g+1].
type messageGroups struct {
	rel, dst []int32 // of each group
	start    []int32
	src      []int32   // of each message
	norm     []float32 // of each message: its weight over the weights of all messages to its destination

	inDegree []float32 // of each node
	order    num.Grouping
}

// build makes a message from s[i] to d[i] over r[i] for each i, that counts as weight[i]
// messages, or as one where weight is nil.
func (m *messageGroups) build(s, r, d []int32, weight []float32, nodes, relations int) {
	m.inDegree = num.Zeroed(m.inDegree, nodes)
	for i := range s {
		m.inDegree[d[i]] += weightOf(weight, i)
	}
	m.order.By(d, nodes, nil)
	m.order.By(r, relations, m.order.Items)

	m.rel, m.dst, m.start, m.src, m.norm = m.rel[:0], m.dst[:0], m.start[:0], m.src[:0], m.norm[:0]
	for _, i := range m.order.Items {
		if g := len(m.rel) - 1; g < 0 || m.rel[g] != r[i] || m.dst[g] != d[i] {
			m.rel, m.dst = append(m.rel, r[i]), append(m.dst, d[i])
			m.start = append(m.start, int32(len(m.src)))
		}
		m.src = append(m.src, s[i])
		m.norm = append(m.norm, weightOf(weight, int(i))/m.inDegree[d[i]])
	}
	m.start = append(m.start, int32(len(m.src)))
}

func weightOf(weight []float32, i int) float32 {
	if weight == nil {
		return 1
	}
	return weight[i]
}

// layer is a relational layer,
//
//	y[i] = sum over messages j -> i of norm W_r x[j] + W_0 x[i] + b,
//
// where W_r is a diagonal or a full matrix. Sums of the inputs of a group come first, so
// that there is one product with W_r for each group.
type layer struct {
	k    int
	full bool

	relation, loop, bias    []float32 // [relations][k] or [relations][k][k]; [k][k]; [k]
	dRelation, dLoop, dBias []float32 // their gradients
	sum, dSum               []float32 // [k]
	turned                  []float32 // [k][k], a matrix transposed: products with many vectors go along its rows
}

// gather sums the inputs of group g.
func (l *layer) gather(m *messageGroups, g int, x []float32) []float32 {
	clear(l.sum)
	for j := m.start[g]; j < m.start[g+1]; j++ {
		num.AddScaled(m.norm[j], num.Row(x, m.src[j], l.k), l.sum)
	}
	return l.sum
}

// weights returns W_r, or its gradient, out of those of all relations.
func (l *layer) weights(all []float32, r int32) []float32 {
	if l.full {
		return num.Row(all, r, l.k*l.k)
	}
	return num.Row(all, r, l.k)
}

// forward computes y from x, both [nodes][k].
func (l *layer) forward(m *messageGroups, x, y []float32) {
	num.Transpose(l.loop, l.turned, l.k)
	for i := range int32(len(x) / l.k) {
		copy(num.Row(y, i, l.k), l.bias)
		num.MulTransVec(l.turned, num.Row(x, i, l.k), num.Row(y, i, l.k))
	}
	for g, r := range m.rel {
		sum, to, w := l.gather(m, g, x), num.Row(y, m.dst[g], l.k), l.weights(l.relation, r)
		if !l.full {
			num.MulAdd(1, w, sum, to)
			continue
		}
		if g == 0 || r != m.rel[g-1] {
			num.Transpose(w, l.turned, l.k)
		}
		num.MulTransVec(l.turned, sum, to)
	}
}

// backward computes dx from dy, both [nodes][k], and adds to the gradients of the weights.
func (l *layer) backward(m *messageGroups, x, dy, dx []float32) {
	clear(dx)
	for i := range int32(len(x) / l.k) {
		d := num.Row(dy, i, l.k)
		num.AddScaled(1, d, l.dBias)
		num.AddOuter(d, num.Row(x, i, l.k), l.dLoop)
		num.MulTransVec(l.loop, d, num.Row(dx, i, l.k))
	}
	for g, r := range m.rel {
		sum, d := l.gather(m, g, x), num.Row(dy, m.dst[g], l.k)
		clear(l.dSum)
		if w, dw := l.weights(l.relation, r), l.weights(l.dRelation, r); l.full {
			num.AddOuter(d, sum, dw)
			num.MulTransVec(w, d, l.dSum)
		} else {
			num.MulAdd(1, d, sum, dw)
			num.MulAdd(1, d, w, l.dSum)
		}
		for j := m.start[g]; j < m.start[g+1]; j++ {
			num.AddScaled(m.norm[j], l.dSum, num.Row(dx, m.src[j], l.k))
		}
	}
}

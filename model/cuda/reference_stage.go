//go:build gpu

package cuda

import (
	"math"
	"slices"
)

// referenceStage is one step as the device gets it, in one copy: the triplets, the messages that
// they make, and the plans by which all is summed. Fields of int are places in the words.
type referenceStage struct {
	words     []uint32
	n         int // triplets
	groups    int
	slotWords int

	triplets                      int // [3][n]: source, relation, target
	relation, target              int // of each group
	group                         int // 0, 1, ... for each group
	one                           int // 1 for each group
	norm                          int // of each message
	firstOfTarget, byTarget       int // groups by their target, and where those of a node begin
	byGroup, bySource, byRelation spread
	bySide                        [3]spread // triplets by source, target, relation
}

// pack fills s from messages and, unless nil, a step: without one, all that the way forward needs.
func (s *referenceStage) pack(c ReferenceConfig, g *Groups, step *ReferenceStep) {
	s.words, s.slotWords, s.n = s.words[:0], 0, 0
	k, messages := c.Dim, len(g.Source)
	s.groups = len(g.Relation)
	s.relation, s.target = s.ints(g.Relation), s.ints(g.Target)
	s.group = len(s.words)
	for i := range s.groups {
		s.words = append(s.words, uint32(i))
	}
	s.one = len(s.words)
	for range s.groups {
		s.words = append(s.words, math.Float32bits(1))
	}
	s.norm = len(s.words)
	for _, x := range g.Norm {
		s.words = append(s.words, math.Float32bits(x))
	}
	// Messages by group, as they stand.
	numbers := make([]int32, messages)
	for i := range numbers {
		numbers[i] = int32(i)
	}
	s.byGroup = s.spread(numbers, g.Source, g.Start, nil, k)
	// Groups by target.
	begin := make([]int32, c.Nodes+1)
	for _, d := range g.Target {
		begin[d+1]++
	}
	for d := range c.Nodes {
		begin[d+1] += begin[d]
	}
	list, next := make([]int32, s.groups), slices.Clone(begin)
	for j, d := range g.Target {
		list[next[d]] = int32(j)
		next[d]++
	}
	s.firstOfTarget, s.byTarget = s.ints(begin), s.ints(list)
	if step == nil {
		return
	}
	// Messages by source, each with its group.
	groupOf := make([]int32, messages)
	for j := range s.groups {
		for i := g.Start[j]; i < g.Start[j+1]; i++ {
			groupOf[i] = int32(j)
		}
	}
	order, start, rows := group(g.Source, c.Nodes)
	others := make([]int32, messages)
	for i, m := range order {
		others[i] = groupOf[m]
	}
	s.bySource = s.spread(order, others, start, rows, k)
	// Groups by relation: they stand so. Relations without any have a gradient of zero.
	first := make([]int32, c.Relations+1)
	for _, r := range g.Relation {
		first[r+1]++
	}
	for r := range c.Relations {
		first[r+1] += first[r]
	}
	s.byRelation = s.spread(nil, nil, first, nil, k*k)
	s.n = len(step.Source)
	s.triplets = s.ints(step.Source)
	s.ints(step.Relation)
	s.ints(step.Target)
	for side, x := range [][]int32{step.Source, step.Target, step.Relation} {
		order, start, rows := group(x, max(c.Nodes, c.Relations))
		s.bySide[side] = s.spread(order, nil, start, rows, k)
	}
}

// group sorts items by a key below n, and returns where each key that occurs begins, and which it is.
func group(key []int32, n int) (order, start, rows []int32) {
	begin := make([]int32, n+1)
	for _, k := range key {
		begin[k+1]++
	}
	for k := range n {
		if begin[k+1] > 0 {
			start, rows = append(start, begin[k]), append(rows, int32(k))
		}
		begin[k+1] += begin[k]
	}
	start = append(start, int32(len(key)))
	order = make([]int32, len(key))
	for i, k := range key {
		order[begin[k]] = int32(i)
		begin[k]++
	}
	return order, start, rows
}

// spread places items and others, and the plan of their sums, of rows with so many columns.
func (s *referenceStage) spread(items, others, start, rows []int32, columns int) (out spread) {
	out.items, out.others = s.ints(items), s.ints(others)
	out.levels, out.slots = s.plan(start, rows, batchPiece)
	s.slotWords = max(s.slotWords, out.slots*columns)
	return out
}

// plan places a plan.
func (s *referenceStage) plan(start, rows []int32, most int) (levels []placed, slots int) {
	p := newPlan(start, rows, most)
	for _, l := range p.levels {
		at := placed{start: s.ints(l.start), pieces: len(l.dest)}
		at.dest = s.ints(l.dest)
		levels = append(levels, at)
	}
	return levels, p.slots
}

// ints appends numbers and returns their place.
func (s *referenceStage) ints(x []int32) (at int) {
	at = len(s.words)
	for _, v := range x {
		s.words = append(s.words, uint32(v))
	}
	return at
}

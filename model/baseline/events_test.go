package baseline

import (
	"context"
	"errors"
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

func edgesWithCounts(counts ...uint32) []graphbuf.Edge {
	edges := make([]graphbuf.Edge, len(counts))
	for i, n := range counts {
		edges[i] = graphbuf.Edge{Source: int32(i), Destination: int32(len(counts)), Count: n}
	}
	return edges
}

func TestASplitPartsEventsAndNotEdges(t *testing.T) {
	check := func(share float64, counts ...uint32) {
		t.Helper()
		edges := edgesWithCounts(counts...)
		var taken, want [2]uint64
		for _, n := range counts {
			want[1] += uint64(n)
		}
		want[0] = uint64(share * float64(want[1]))
		want[1] -= want[0]
		train, test, err := splitEvents(context.Background(), edges, share, num.NewPhilox(3, 3))
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range counts {
			if train.count(i)+test.count(i) != uint64(n) {
				t.Errorf("%v: edge %d has %d and %d events", counts, i, train.count(i), test.count(i))
			}
		}
		taken = [2]uint64{train.total(), test.total()}
		if taken != want {
			t.Errorf("%v: %v events, want %v", counts, taken, want)
		}
	}
	check(0.8, 1, 1, 1, 1, 1)
	check(0.8, 1000, 1, 1)
	check(0.5, 3, 0, 4)
	check(0.8, 1)
	check(0.8)

	train, _, _ := splitEvents(context.Background(), edgesWithCounts(10000, 10000), 0.8, num.NewPhilox(4, 4))
	if n := float64(train.count(0)); math.Abs(n-8000) > 150 { // 40 is the standard deviation
		t.Errorf("%v of 10000 events train, want some 8000", n)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := splitEvents(ctx, edgesWithCounts(1), 0.8, num.NewPhilox(1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the end", err)
	}
}

func TestAnEventIsDrawnAsOftenAsItOccurs(t *testing.T) {
	table := &eventTable{edges: edgesWithCounts(1, 0, 6, 3), upTo: []uint64{1, 1, 7, 10}}
	rng := num.NewPhilox(5, 5)
	const draws = 20000
	var got [4]float64
	for range draws {
		s, r, d := table.draw(rng)
		if r != 0 || d != 4 {
			t.Fatalf("drew relation %d, destination %d", r, d)
		}
		got[s] += 1.0 / draws
	}
	for i, want := range []float64{0.1, 0, 0.6, 0.3} {
		if math.Abs(got[i]-want) > 0.015 || want == 0 && got[i] > 0 {
			t.Errorf("edge %d in %.3f of the draws, want %v", i, got[i], want)
		}
	}
}

func TestABatchCorruptsOneEndOfEachTriplet(t *testing.T) {
	const nodes, sample = 1000, 4000
	table := &eventTable{edges: edgesWithCounts(2, 1), upTo: []uint64{2, 3}}
	b := newBatch(sample)
	b.draw(table, nodes, num.NewPhilox(6, 6))
	var sources, destinations int
	low := 0 // replacements in the lower half of the nodes
	for i := range sample {
		s, r, d := b.s[sample+i], b.r[sample+i], b.d[sample+i]
		if r != b.r[i] {
			t.Fatalf("triplet %d: relation %d of %d", i, r, b.r[i])
		}
		switch {
		case s != b.s[i] && d != b.d[i]:
			t.Fatalf("triplet %d: both ends replaced", i)
		case s != b.s[i]:
			sources++
			if s < nodes/2 {
				low++
			}
		case d != b.d[i]:
			destinations++
			if d < nodes/2 {
				low++
			}
		}
	}
	if math.Abs(float64(sources-destinations)) > 260 || sources+destinations < sample*99/100 { // 63 is the standard deviation
		t.Errorf("%d sources and %d destinations of %d replaced", sources, destinations, sample)
	}
	if math.Abs(float64(low)-sample/2) > 130 {
		t.Errorf("%d of %d replacements from the lower half of the nodes", low, sample)
	}
}

func TestMessagesAreGroupedByRelationAndDestination(t *testing.T) {
	var m messageGroups
	s := []int32{0, 1, 2, 0, 0}
	r := []int32{1, 0, 1, 1, 1}
	d := []int32{3, 3, 3, 2, 3}
	type message struct {
		s, r, d int32
		norm    float32
	}
	list := func(weight []float32) (out []message) {
		m.build(s, r, d, weight, 4, 2)
		for g := range m.rel {
			if g > 0 && (m.rel[g] < m.rel[g-1] || m.rel[g] == m.rel[g-1] && m.dst[g] <= m.dst[g-1]) {
				t.Errorf("group %d is out of order", g)
			}
			for j := m.start[g]; j < m.start[g+1]; j++ {
				out = append(out, message{m.src[j], m.rel[g], m.dst[g], m.norm[j]})
			}
		}
		return out
	}
	check := func(got, want []message) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("messages %v, want %v", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("message %d is %v, want %v", i, got[i], want[i])
			}
		}
	}
	check(list(nil), []message{{1, 0, 3, 0.25}, {0, 1, 2, 1}, {0, 1, 3, 0.25}, {2, 1, 3, 0.25}, {0, 1, 3, 0.25}})
	// The same again in the same buffers, by weight.
	check(list([]float32{1, 4, 2, 5, 1}), []message{{1, 0, 3, 0.5}, {0, 1, 2, 1}, {0, 1, 3, 0.125}, {2, 1, 3, 0.25}, {0, 1, 3, 0.125}})
}

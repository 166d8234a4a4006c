package num

import (
	"cmp"
	"slices"
	"testing"
)

// TestGrouping compares groups by one key and by two with a stable sort.
func TestGrouping(t *testing.T) {
	rng := NewPhilox(4, 1)
	var g Grouping
	for range 200 {
		n, keys := 1+rng.IntN(9), 1+rng.IntN(6)
		first, second := make([]int32, n), make([]int32, n)
		var want []int32
		for i := range n {
			first[i], second[i] = int32(rng.IntN(keys+1))-1, int32(rng.IntN(keys))
			if first[i] >= 0 {
				want = append(want, int32(i))
			}
		}
		slices.SortStableFunc(want, func(a, b int32) int { return cmp.Compare(first[a], first[b]) })
		g.By(first, keys, nil)
		if !slices.Equal(g.Items, want) {
			t.Fatalf("by %v: %v, want %v", first, g.Items, want)
		}
		if len(g.Start) != keys+1 || int(g.Start[keys]) != len(want) {
			t.Fatalf("by %v: starts %v", first, g.Start)
		}
		for k := range keys {
			for _, i := range g.Items[g.Start[k]:g.Start[k+1]] {
				if first[i] != int32(k) {
					t.Fatalf("by %v: item %d lies with key %d", first, i, k)
				}
			}
		}
		slices.SortStableFunc(want, func(a, b int32) int {
			return cmp.Or(cmp.Compare(second[a], second[b]), cmp.Compare(first[a], first[b]))
		})
		if g.By(second, keys, g.Items); !slices.Equal(g.Items, want) {
			t.Fatalf("by %v, then by %v: %v, want %v", first, second, g.Items, want)
		}
	}
	keys := []int32{2, 0, 1, 2}
	g.By(keys, 3, nil)
	if n := testing.AllocsPerRun(10, func() { g.By(keys, 3, nil); g.By(keys, 3, g.Items) }); n != 0 {
		t.Errorf("%v allocations with memory at hand", n)
	}
}

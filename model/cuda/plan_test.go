package cuda

import (
	"math/rand/v2"
	"testing"
)

// sums follows a plan as the kernels do.
func (p plan) sums(items []int, rows int) []int {
	out, slots := make([]int, rows), make([]int, p.slots)
	for i, l := range p.levels {
		for j, at := range l.dest {
			sum := 0
			for e := l.start[j]; e < l.start[j+1]; e++ {
				if i == 0 {
					sum += items[e]
				} else {
					sum += slots[e]
				}
			}
			if at >= 0 {
				out[at] += sum
			} else {
				slots[^at] += sum
			}
		}
	}
	return out
}

func TestPlanSumsEveryItemOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int{2, 3, 32, 128} {
		for range 200 {
			rows := 1 + rng.IntN(12)
			start, want, items := []int32{0}, make([]int, rows), []int{}
			var to []int32
			for i := range rows {
				to = append(to, int32(rows-1-i))
				n := rng.IntN(4)
				if rng.IntN(3) == 0 {
					n = rng.IntN(5 * most * most)
				}
				for range n {
					items = append(items, 1+rng.IntN(1000))
					want[rows-1-i] += items[len(items)-1]
				}
				start = append(start, int32(len(items)))
			}
			p := newPlan(start, to, most)
			for i, got := range p.sums(items, rows) {
				if got != want[i] {
					t.Fatalf("at most %d: row %d is %d, want %d", most, i, got, want[i])
				}
			}
			for _, l := range p.levels {
				for j := range l.dest {
					if n := l.start[j+1] - l.start[j]; n < 0 || int(n) > most {
						t.Fatalf("a piece of %d items, at most %d are allowed", n, most)
					}
				}
			}
		}
	}
}

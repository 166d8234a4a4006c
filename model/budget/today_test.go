package budget

import (
	"slices"
	"testing"

	"flb-filter-rgcn/model/internal/num"
)

// The score at a rank is that of sorting, in whatever order the scores come and however many are alike.
func TestScoreAtRank(t *testing.T) {
	const n = 3000
	rng := num.NewPhilox(1, 1)
	for name, score := range map[string]func(i int) float32{
		"any":         func(int) float32 { return rng.Float() },
		"ascending":   func(i int) float32 { return float32(i) / n },
		"descending":  func(i int) float32 { return 1 - float32(i)/n },
		"all alike":   func(int) float32 { return 0.5 },
		"mostly":      func(i int) float32 { return float32(i%3) / 3 },
		"organ pipes": func(i int) float32 { return float32(min(i, n-i)) / n },
	} {
		d := newToday(n)
		var sorted []float32
		for i := range n {
			d.record(entry{Key: uint64(i + 1), Score: score(i)}, false)
			sorted = append(sorted, d.Entries[i].Score)
		}
		slices.Sort(sorted)
		for _, rank := range []int{0, 1, n / 4, n / 2, n - 2, n - 1, n, 2 * n} {
			if got, want := d.scoreAtRank(rank), sorted[min(rank, n-1)]; got != want {
				t.Errorf("%s: %v at rank %d, want %v", name, got, rank, want)
			}
			d.Lowest = sorted[min(rank/2, n-1)] // as one of another rank, or of before
			if got, want := d.scoreAtRank(rank), sorted[min(rank, n-1)]; got != want {
				t.Errorf("%s: %v at rank %d beside a lowest of %v, want %v", name, got, rank, d.Lowest, want)
			}
			d.Lowest = sorted[min(rank+n/4, n-1)]
			if got, want := d.scoreAtRank(rank), sorted[min(rank, n-1)]; got != want {
				t.Errorf("%s: %v at rank %d beside a lowest of %v, want %v", name, got, rank, d.Lowest, want)
			}
			d.Lowest = 1
			d.scoreAtRank(rank)
			if name == "any" && rank < n && slices.IsSorted(d.spare) {
				t.Errorf("rank %d: all of the day is sorted, with the lock of the record path held", rank)
			}
		}
	}
}

// killer orders n scores such that each pivot is among the lowest that are left: the worst for a selection.
func killer(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i) / float32(n)
	}
	for i := n - 1; i > 2; i-- { // undo the rounds, the last of them first
		x[i/2], x[i] = x[i], x[i/2]
	}
	return x
}

// An order that was made to be halved slowly is ranked, too.
func TestScoreAtRankOfAnUnluckyOrder(t *testing.T) {
	x := killer(5000)
	sorted := slices.Sorted(slices.Values(x))
	for _, rank := range []int{0, 2500, 4999} {
		if got := atRank(slices.Clone(x), rank); got != sorted[rank] {
			t.Errorf("%v at rank %d, want %v", got, rank, sorted[rank])
		}
	}
}

// TestKeysThatWouldCollide: whoever picks names can make keys that agree in many bits, and gains nothing by it: their
// places in the index are as far apart as any others.
func TestKeysThatWouldCollide(t *testing.T) {
	const n = 4000
	for name, key := range map[string]func(i uint64) uint64{
		"equal low bits":  func(i uint64) uint64 { return i << 32 },
		"equal high bits": func(i uint64) uint64 { return i },
		"multiples":       func(i uint64) uint64 { return i * 8192 },
	} {
		d := newToday(n)
		for i := range uint64(n) {
			d.record(entry{Key: key(i + 1), Score: 0.5}, false)
		}
		if len(d.Entries) != n {
			t.Fatalf("%s: %d entries, want %d", name, len(d.Entries), n)
		}
		// A look-up goes through a run of cells in use: half full, the longest has some 30.
		longest, run := 0, 0
		for _, at := range d.index {
			if run++; at == 0 {
				run = 0
			}
			longest = max(longest, run)
		}
		if longest > 500 {
			t.Errorf("%s: a run of %d cells in use", name, longest)
		}
	}
}

// A full day keeps the lower half of its entries, of scores that are alike too, and the alerts among the others.
func TestAFullDayKeepsTheLowerHalf(t *testing.T) {
	const n = 400
	rng := num.NewPhilox(2, 1)
	for name, score := range map[string]func(i int) float32{
		"any":       func(int) float32 { return rng.Float() },
		"all alike": func(int) float32 { return 0.5 },
		"mostly":    func(i int) float32 { return float32(i%3) / 3 },
	} {
		d := newToday(n)
		var sorted []float32
		alerts := map[uint64]bool{}
		for i := range uint64(n) {
			alert := i%20 == 0
			d.record(entry{Key: i + 1, Score: score(int(i))}, alert)
			sorted = append(sorted, d.Entries[i].Score)
			if alert {
				alerts[i+1] = true
			}
		}
		slices.Sort(sorted)
		d.evictHigher()
		var lower []float32
		for i, e := range d.Entries {
			if at := d.index[d.find(e.Key)]; int(at) != i+1 {
				t.Fatalf("%s: entry %d is not found", name, i)
			}
			if delete(alerts, e.Key); e.Score < d.Watch || !e.Alert {
				lower = append(lower, e.Score)
			}
		}
		slices.Sort(lower)
		if len(alerts) > 0 || d.Watch != sorted[n/2] || len(lower) > n/2 || !slices.Equal(lower, sorted[:len(lower)]) || len(d.Entries) < n/2 || len(d.Entries) > n/2+n/20 {
			t.Errorf("%s: %d entries kept, %d of them low, up to %v; %d alerts are lost", name, len(d.Entries), len(lower), d.Watch, len(alerts))
		}
	}
}

// Of each source, and of new sources together, a day keeps the triplets with the lowest scores, in whatever order they come
// and wherever they come again.
func TestADayKeepsTheLowestOfASource(t *testing.T) {
	const triplets, ofSource, ofNewSources = 2000, 7, 40
	for name, score := range map[string]func(rng *num.Philox, i int) float32{
		"any":        func(rng *num.Philox, _ int) float32 { return rng.Float() },
		"ascending":  func(_ *num.Philox, i int) float32 { return float32(i+1) / triplets },
		"descending": func(_ *num.Philox, i int) float32 { return float32(triplets-i) / triplets },
	} {
		rng := num.NewPhilox(4, 1)
		d := newToday(triplets)
		d.ofSource, d.ofNewSources = ofSource, ofNewSources
		var all [2][]float32 // of known sources, and of new ones
		for i := range triplets {
			x := entry{Key: uint64(i + 1), Score: score(rng, i), Source: 1 + uint64(i%4)}
			if i%4 == 3 { // many new sources
				x.Source, x.New = uint64(100+i), true
			}
			d.record(x, false)
			d.record(x, false)
			if x.New {
				all[1] = append(all[1], x.Score)
			} else if x.Source == 2 {
				all[0] = append(all[0], x.Score)
			}
		}
		var kept [2][]float32
		for _, e := range d.Entries {
			switch {
			case e.gone:
			case e.New:
				kept[1] = append(kept[1], e.Score)
			case e.Source == 2:
				kept[0] = append(kept[0], e.Score)
			}
		}
		for i, n := range []int{ofSource, ofNewSources} {
			slices.Sort(all[i])
			slices.Sort(kept[i])
			if !slices.Equal(kept[i], all[i][:n]) {
				t.Errorf("%s, new %v: %v are kept, want %v", name, i == 1, kept[i], all[i][:n])
			}
		}
	}
}

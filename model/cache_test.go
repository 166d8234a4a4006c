package model

import (
	"math"
	"sync"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

func TestCoarse(t *testing.T) {
	for _, steps := range []int{fine, rough} {
		last := uint32(0)
		for n := uint32(0); n < 1<<17; n++ {
			c := coarse(n, steps)
			if n < 2<<steps && c != n {
				t.Fatalf("coarse(%d, %d) = %d", n, steps, c)
			}
			if c < last {
				t.Fatalf("coarse(%d, %d) = %d, of the number before it %d", n, steps, c, last)
			}
			last = c
			most := map[int]float64{fine: 0.061, rough: 0.23}[steps]
			if off := math.Abs(math.Log1p(float64(c)) - math.Log1p(float64(n))); off > most {
				t.Fatalf("coarse(%d, %d) = %d is off by %v in the logarithm", n, steps, c, off)
			}
		}
	}
	for _, from := range []uint32{1, 1 << 20, 1<<24 - 1<<16, 1<<31 - 1<<16, 1<<32 - 1<<17} {
		for n := from; n < from+1<<17 && n != 0; n++ {
			for _, steps := range []int{fine, rough} {
				same := class(n, fine)>>(fine-steps) == class(n-1, fine)>>(fine-steps)
				if same != (coarse(n, steps) == coarse(n-1, steps)) || class(n, fine) >= 1<<14 {
					t.Fatalf("class(%d) = %x, of the number before it %x; coarse with %d steps: %d and %d", n, class(n, fine), class(n-1, fine), steps, coarse(n, steps), coarse(n-1, steps))
				}
			}
		}
	}
	for x := float32(1) / 128; x < 1e4; x *= 1.001 {
		c := coarseFade(x)
		if x < 1.0/64 {
			if c != 0 {
				t.Fatalf("coarseFade(%v) = %v", x, c)
			}
		} else if r := c / x; r < 0.94 || r > 1.07 {
			t.Fatalf("coarseFade(%v) = %v", x, c)
		}
	}
}

// decodeExact is compute without coarse counts, and without the rule for repeats.
func decodeExact(s *Scorer, event *graphbuf.Event, ref *graphbuf.Ref, src, rel, dst int32) float32 {
	var x scratch
	return s.decode(&x, event, ref, src, rel, dst, s.lasting(nil, &x, event, ref, src, rel, dst))
}

// TestKeptScores lets many goroutines score the notebook's sessions with the memo: every
// score is the one that is computed without it. How far the coarse counts move the scores
// is bounded on the way.
func TestKeptScores(t *testing.T) {
	events := modeltest.Notebook(t)
	g := modeltest.Graph(t, events)
	refs := make([]graphbuf.Ref, len(events))
	g.Observe(events, refs)
	s, _ := train(t, g.Snapshot(), quickConfig())

	want := make([]float32, len(events))
	var off float64
	for i, ref := range refs {
		src, rel, dst := rowOf(s.sources, ref.Source), rowOf(s.relations, ref.Relation), rowOf(s.destinations, ref.Destination)
		age := s.tenure(&events[i], &ref, src, rel, dst)
		y, exact := s.compute(nil, &events[i], &ref, src, rel, dst), decodeExact(s, &events[i], &ref, src, rel, dst)
		if s.unlearned(&ref, src) {
			first := asAtFirst(ref)
			exact = max(exact, decodeExact(s, &events[i], &first, src, rel, dst))
		}
		want[i] = num.Sigmoid(y + age)
		off += math.Abs(float64(want[i] - num.Sigmoid(exact+age)))
	}
	if off /= float64(len(events)); off > 0.01 {
		t.Errorf("coarse counts move a score by %.4f in the mean", off)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				for i := range refs {
					if got := s.Score(nil, &events[i], &refs[i]); got != want[i] {
						t.Errorf("session %d scores %v, computed %v", i, got, want[i])
						return
					}
				}
			}
		})
	}
	wg.Wait()
	kept := 0
	for i := range s.cache.logits {
		if s.cache.logits[i].value.Load() != 0 {
			kept++
		}
	}
	if kept == 0 {
		t.Error("the memo is empty")
	}
	t.Logf("%d cells of %d in use, moved by %.4f", kept, len(s.cache.logits), off)
}

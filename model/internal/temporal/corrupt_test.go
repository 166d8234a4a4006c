package temporal

import (
	"fmt"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// Behind a bastion that is the only source nearly every change of a host is true as well. None of the corrupted triplets is.
func TestNoCorruptedTripletIsTrue(t *testing.T) {
	var events []graphbuf.Event
	for i := range 3000 {
		events = append(events, graphbuf.Event{Source: []byte("bastion"), Relation: []byte("ssh"), Destination: fmt.Appendf(nil, "server-%d", i%12), Time: int64(i) * 3600e9})
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	windows, _ := NewWindows(ds, false)
	w := windows.Get(windows.Len() - 1)
	corrupted, unknown := 0, 0
	var b Batch
	for seed := range uint64(20) {
		w.Sample(ds, &b, num.NewPhilox(seed, 1), SampleSize, Sampling{Negatives: 4})
		for i := range b.S {
			if b.Label[i] > 0 {
				continue
			}
			corrupted++
			if b.S[i] < 0 || b.R[i] < 0 || b.D[i] < 0 {
				unknown++
				continue
			}
			if e := ds.triplet.Find(ds.SD.Find(b.S[i], b.D[i]), b.R[i]); e >= 0 && ds.within(&ds.Edges[e], w.At, w.end) > 0 {
				t.Fatalf("the bastion's session with destination %d counts as corrupted, and is true", b.D[i])
			}
		}
	}
	if corrupted < 100 || unknown < corrupted {
		t.Errorf("%d of %d corrupted triplets have a host that was never seen: what else is there to change?", unknown, corrupted)
	}
}

// Where a bastion uses a third of its servers on a day, the others are no more than a quarter of the corrupted triplets: it
// used each of them on other days.
func TestFewCorruptedTripletsPaused(t *testing.T) {
	var events []graphbuf.Event
	for i := range 3000 {
		events = append(events, graphbuf.Event{Source: []byte("bastion"), Relation: []byte("ssh"), Destination: fmt.Append(nil, "server-", i/400%3*4+i%4), Time: int64(i) * 3600e9 / 5})
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	windows, _ := NewWindows(ds, false)
	var b Batch
	for _, negatives := range []int{1, 2, 3, 4, 6, 16} {
		corrupted, paused := 0, 0
		for i := range windows.Len() {
			w := windows.Get(i)
			w.Sample(ds, &b, num.NewPhilox(uint64(i), 1), SampleSize, Sampling{Negatives: negatives})
			for j := range b.S {
				switch {
				case b.Label[j] > 0:
				case b.Counts[j][CountSRD] > 0:
					paused++
					fallthrough
				default:
					corrupted++
				}
			}
		}
		if paused == 0 || 4*paused > corrupted {
			t.Errorf("%d for each true one: %d of %d corrupted triplets were true before, want some, and a quarter at most", negatives, paused, corrupted)
		}
	}
}

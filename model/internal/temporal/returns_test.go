package temporal

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
	"flb-filter-rgcn/model/internal/num"
)

// TestReturns: only what young sources did some hours ago may be an intruder's return, and nothing in the first half of
// the graph's life, when all sources are young.
func TestReturns(t *testing.T) {
	const days = 40
	var events []graphbuf.Event
	session := func(source, destination string, at float64) {
		events = append(events, graphbuf.Event{Source: []byte(source), Relation: []byte("ssh"), Destination: []byte(destination), Time: int64(at * float64(dayNanos))})
	}
	for day := range days {
		session("old", "server", float64(day))
		session("old", fmt.Sprint("server-", day), float64(day)+0.1) // a new pair of a source that is not
		session(fmt.Sprint("new-", day), "server", float64(day)+0.2)
		session(fmt.Sprint("new-", day), "server-2", float64(day)+0.9)
	}
	ds := NewDataset(modeltest.Graph(t, events).Snapshot(), nil, nil)
	window := func(day float64) *Window {
		at := int64(day * float64(dayNanos))
		return NewWindow(ds, NewCut(ds, at, NewOrders(ds)), at+dayNanos)
	}
	if n := len(window(days/2 - 1).returns); n > 0 {
		t.Errorf("%d edges in the first half", n)
	}
	w := window(30.95)
	for _, i := range w.returns {
		e := &ds.Edges[i]
		if at := float64(e.First) / float64(dayNanos); ds.sourceSince[e.S] != e.First && ds.sourceSince[e.S] < w.At-youngest || at < 25.95 || at > 30.7 {
			t.Errorf("an edge of day %v", at)
		}
	}
	if len(w.returns) != 10-1 { // of five newcomers, less what the last one did an hour ago
		t.Errorf("%d edges, want those of five newcomers", len(w.returns))
	}

	// So many more of the corrupted triplets are true ones; some are in any case, as there are few others here.
	share := func(returns bool) float64 {
		var b Batch
		n, of := 0, 0
		for seed := range uint64(200) {
			w.Sample(ds, &b, num.NewPhilox(1, seed), SampleSize, Sampling{Negatives: 4, Returns: returns})
			for i := range b.S {
				if b.Label[i] == 0 {
					of++
					if b.Counts[i][CountSRD] > 0 {
						n++
					}
				}
			}
		}
		return float64(n) / float64(of)
	}
	without := share(false)
	if with := share(true); w.returnShare != returnShare || math.Abs(with-returnShare-(1-returnShare)*without) > 0.02 {
		t.Errorf("%.3f of the corrupted triplets are true, %.3f without returns", with, without)
	}
	// Where a return is one of a hundred triplets that come again, it is drawn as often as the corrupted triplets of one.
	w.seen = slices.Repeat(w.seen, 100*len(w.returns)/len(w.seen))
	w.findReturns(ds)
	if got, want := w.returnShare, float32(len(w.returns))/float32(2*len(w.seen)); got != want || want > 0.006 {
		t.Errorf("share %v, want %v", got, want)
	}
}

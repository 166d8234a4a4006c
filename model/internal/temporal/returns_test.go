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
		if at := float64(e.First) / float64(dayNanos); ds.sourceSince[e.S] != e.First && ds.sourceSince[e.S] < w.At-Youngest || at < 25.95 || at > 30.7 {
			t.Errorf("an edge of day %v", at)
		}
	}
	for i := range ds.Edges {
		if e := &ds.Edges[i]; e.First > 28*dayNanos { // the newcomers of the last days were servers before
			ds.hostSince[e.S] = 0
		}
	}
	if n := len(window(30.95).returns); n == 0 || n >= len(w.returns) {
		t.Errorf("%d edges where some of the newcomers were servers, %d else", n, len(w.returns))
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

// What the addresses of a pool do is hardly an intruder's return: all of them together weigh as much as one host that
// alone does something.
func TestReturnsOfAPool(t *testing.T) {
	const days, perDay = 40, 20
	var events []graphbuf.Event
	session := func(source, destination string, at float64) {
		events = append(events, graphbuf.Event{Source: []byte(source), Relation: []byte("ssh"), Destination: []byte(destination), Time: int64(at * float64(dayNanos))})
	}
	for day := range days {
		for i := range perDay { // by their first letter, addresses of the pool are peers
			session(fmt.Sprintf("pool-%d-%d", day, i), "build", float64(day)+float64(i)/(2*perDay))
		}
		session("old", "server", float64(day)+0.6)
		if day%2 == 0 {
			session(fmt.Sprintf("%c-new", 'A'+day/2), "server", float64(day)+0.7)
		}
	}
	snap := modeltest.Graph(t, events).Snapshot()
	window := func(features HostFeatures) *Window {
		ds := NewDataset(snap, features, nil)
		at := 30 * int64(dayNanos)
		return NewWindow(ds, NewCut(ds, at, NewOrders(ds)), at+dayNanos)
	}
	ofPool := func(w *Window) (n, all float64) {
		rng := num.NewPhilox(1, 2)
		for range 10_000 {
			e := w.drawReturn(w.ds, rng)
			all++
			if name := snap.Nodes[w.ds.Sources[e.S]].Name; name[:4] == "pool" {
				n++
			}
		}
		return n, all
	}
	alone, peers := window(nil), window(firstLetter{})
	if len(alone.returns) != len(peers.returns) || len(alone.returns) < 5*perDay {
		t.Fatalf("%d and %d returns", len(alone.returns), len(peers.returns))
	}
	if n, all := ofPool(alone); n/all < 0.9 {
		t.Errorf("without features %v of %v returns are of the pool", n, all)
	}
	if n, all := ofPool(peers); n/all > 0.2 {
		t.Errorf("with features %v of %v returns are of the pool", n, all)
	}
	sum := func(w *Window) float32 { return w.returnSums[len(w.returnSums)-1] }
	if sum(alone) != float32(len(alone.returns)) || sum(peers) > 5 || sum(peers) < 2 { // three new hosts at most, and a pool
		t.Errorf("all returns weigh %v, %v without features", sum(peers), sum(alone))
	}
}

// firstLetter is a feature of a host's name.
type firstLetter struct{}

func (firstLetter) Kinds() []string   { return []string{"letter"} }
func (firstLetter) Most() int         { return 1 }
func (firstLetter) Known([]byte) bool { return true }
func (firstLetter) Append(dst []uint64, host []byte) []uint64 {
	return append(dst, uint64(host[0]))
}

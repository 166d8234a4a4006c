package model

// The shares of the activity at which cuts lie: trainWindows windows from firstCut to
// heldOut, whose triplets are learned from, and the rest, whose triplets judge.
const (
	firstCut     = 0.15
	heldOut      = 0.90
	trainWindows = 11
)

// span is a stretch of time: what is known before at, and what comes from then to end.
type span struct{ at, end int64 }

// windows are the windows of a training. Those of a large graph take more memory than all
// else, so of such a one only the last that was asked for stays.
type windows struct {
	ds     *dataset
	orders [2][]int32
	spans  []span
	kept   []*window // by span; nil: not made, or let go
	one    bool      // at most one is kept
}

// keepEdges is up to how many edges all windows stay.
const keepEdges = 100_000

// newWindows cuts the time of the data: windows to learn from, those without targets left
// out, and the one that judges. one keeps one window at a time, however small the graph.
func newWindows(ds *dataset, one bool) (train *windows, test span) {
	shares := make([]float64, trainWindows+1)
	for i := range shares {
		shares[i] = firstCut + (heldOut-firstCut)*float64(i)/trainWindows
	}
	times := ds.cutTimes(shares)
	train = &windows{ds: ds, orders: newOrders(ds), one: one || len(ds.edges) > keepEdges}
	for i, at := range times {
		sp := span{at, ds.end + 1}
		last := i == len(times)-1
		if !last {
			sp.end = times[i+1]
		}
		if at <= ds.start || at >= sp.end { // as good as nothing was known, or nothing can follow
			continue
		}
		if last {
			test = sp
		} else if ds.hasTargets(sp) {
			train.spans = append(train.spans, sp)
		}
	}
	train.kept = make([]*window, len(train.spans))
	return train, test
}

func (w *windows) len() int { return len(w.spans) }

// get returns a window, which is good until the next call.
func (w *windows) get(i int) *window {
	if w.kept[i] == nil {
		if w.one {
			w.forget()
		}
		w.kept[i] = w.make(w.spans[i])
	}
	return w.kept[i]
}

func (w *windows) make(sp span) *window {
	return newWindow(w.ds, newCut(w.ds, sp.at, w.orders), sp.end)
}

// forget lets go what is kept.
func (w *windows) forget() { clear(w.kept) }

// hasTargets says whether anything is likely to happen in a stretch of time.
func (ds *dataset) hasTargets(sp span) bool {
	for i := range ds.edges {
		if ds.edges[i].within(sp.at, sp.end) >= minChance {
			return true
		}
	}
	return false
}

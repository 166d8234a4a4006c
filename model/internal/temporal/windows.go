package temporal

// The shares of the activity at which cuts lie: trainWindows windows from firstCut to
// heldOut, whose triplets are learned from, and the rest, whose triplets judge.
const (
	firstCut     = 0.15
	heldOut      = 0.90
	TrainWindows = 11
)

// Span is a stretch of time: what is known before at, and what comes from then to end.
type Span struct{ start, end int64 }

// Windows are the windows of a training. Those of a large graph take more memory than all
// else, so of such a one only the last that was asked for stays.
type Windows struct {
	ds     *Dataset
	orders [2][]int32
	spans  []Span
	kept   []*Window // by span; nil: not made, or let go
	single bool      // at most one is kept
}

// KeepEdges is up to how many edges all windows stay.
const KeepEdges = 100_000

// NewWindows cuts the time of the data: windows to learn from, those without targets left
// out, and the one that judges. one keeps one window at a time, however small the graph.
func NewWindows(ds *Dataset, one bool) (train *Windows, test Span) {
	shares := make([]float64, TrainWindows+1)
	for i := range shares {
		shares[i] = firstCut + (heldOut-firstCut)*float64(i)/TrainWindows
	}
	times := ds.CutTimes(shares)
	train = &Windows{ds: ds, orders: NewOrders(ds), single: one || len(ds.Edges) > KeepEdges}
	for i, at := range times {
		sp := Span{at, ds.End + 1}
		last := i == len(times)-1
		if !last {
			sp.end = times[i+1]
		}
		if at <= ds.start || at >= sp.end { // as good as nothing was known, or nothing can follow
			continue
		}
		if last {
			test = sp
		} else if ds.HasPositives(sp) {
			train.spans = append(train.spans, sp)
		}
	}
	train.kept = make([]*Window, len(train.spans))
	return train, test
}

// Len is how many windows there are to learn from.
func (w *Windows) Len() int { return len(w.spans) }

// Get returns a window, which is good until the next call.
func (w *Windows) Get(i int) *Window {
	if w.kept[i] == nil {
		if w.single {
			w.Release()
		}
		w.kept[i] = w.Make(w.spans[i])
	}
	return w.kept[i]
}

// Make makes the window of a stretch of time, which is not kept.
func (w *Windows) Make(sp Span) *Window {
	return NewWindow(w.ds, NewCut(w.ds, sp.start, w.orders), sp.end)
}

// Release lets go what is kept.
func (w *Windows) Release() { clear(w.kept) }

// HasPositives says whether anything is likely to happen in a stretch of time.
func (ds *Dataset) HasPositives(sp Span) bool {
	for i := range ds.Edges {
		if ds.Edges[i].within(sp.start, sp.end) >= minChance {
			return true
		}
	}
	return false
}

package temporal

import "time"

// The shares of the activity at which cuts lie: TrainWindows windows from firstCut to heldOut, which train, and
// the rest, which judges.
const (
	firstCut     = 0.15
	heldOut      = 0.90
	TrainWindows = 11
)

// Span is a stretch of time from start up to, but without, end.
type Span struct{ start, end int64 }

// Windows are the windows of a training. Those of a large graph take more memory than all else, so of a large
// one only the last that was asked for stays.
type Windows struct {
	ds     *Dataset
	orders *Orders
	spans  []Span
	kept   []*Window // by span; nil: not made, or let go
	single bool      // at most one is kept
}

// A network of few triplets takes longer than a tenth of its activity until enough of them came to judge a model by. Up to
// wider of the windows that would train are held out as well then. That waits until the network is known for a day: in
// the first hours of a larger one there are few triplets, too, and nearly all are new.
const (
	EnoughHeldOut = 20
	wider         = 3
)

// Settled tells whether the graph has lived a day. The times of the events alone don't tell: a record with a wrong clock
// may be among them.
func (ds *Dataset) Settled() bool { return ds.lived >= 24*time.Hour }

// KeepEdges is the largest number of edges for which all windows stay in memory.
const KeepEdges = 100_000

// NewWindows divides the time of the data into windows that train, without those that have no positives, and the
// span that judges. single keeps one window at a time, however small the graph.
func NewWindows(ds *Dataset, single bool) (train *Windows, test Span) {
	shares := make([]float64, TrainWindows+1)
	for i := range shares {
		shares[i] = firstCut + (heldOut-firstCut)*float64(i)/TrainWindows
	}
	times := ds.CutTimes(shares)
	train = &Windows{ds: ds, orders: NewOrders(ds), single: single || len(ds.Edges) > KeepEdges}
	trains := func(cut int64) bool { return cut > ds.start } // else as good as nothing was known
	final := len(times) - 1
	if ds.Settled() {
		// After each step the last window that trains begins at times[final-2]. It has to have a past, or none would train.
		for least := final - wider; final > least && trains(times[final-2]) && ds.positives(Span{times[final], ds.End + 1}, nil, EnoughHeldOut) < EnoughHeldOut; {
			final--
		}
	}
	for i, at := range times[:final] {
		if sp := (Span{at, times[i+1]}); trains(at) && at < sp.end && ds.hasAnswered(sp) {
			train.spans = append(train.spans, sp)
		}
	}
	if at := times[final]; trains(at) && at <= ds.End {
		test = Span{at, ds.End + 1}
	}
	train.kept = make([]*Window, len(train.spans))
	return train, test
}

// Add adds a span to those that train, unless nothing can be learned from it.
func (w *Windows) Add(sp Span) {
	if w.ds.hasAnswered(sp) {
		w.spans, w.kept = append(w.spans, sp), append(w.kept, nil)
	}
}

// Start is when the first window that trains begins, unix nanoseconds. There has to be one.
func (w *Windows) Start() int64 { return w.spans[0].start }

// Len is how many windows there are to learn from.
func (w *Windows) Len() int { return len(w.spans) }

// Get returns window i, which is valid until the next call.
func (w *Windows) Get(i int) *Window {
	if w.kept[i] == nil {
		if w.single {
			w.Release()
		}
		w.kept[i] = w.Make(w.spans[i])
		w.kept[i].leaveOut(w.ds.Unanswered)
	}
	return w.kept[i]
}

// Make returns the window of a span without keeping it.
func (w *Windows) Make(sp Span) *Window {
	return NewWindow(w.ds, NewCut(w.ds, sp.start, w.orders), sp.end)
}

// Release frees the windows that were kept.
func (w *Windows) Release() { clear(w.kept) }

// HasPositives tells whether an event is likely within a span.
func (ds *Dataset) HasPositives(sp Span) bool { return ds.positives(sp, nil, 1) > 0 }

// hasAnswered is HasPositives without the edges that are not trained on.
func (ds *Dataset) hasAnswered(sp Span) bool { return ds.positives(sp, ds.Unanswered, 1) > 0 }

// positives counts the edges of which an event is likely within a span, up to most of them, without those left out by
// edge; nil: none.
func (ds *Dataset) positives(sp Span, without []bool, most int) (n int) {
	for i := 0; i < len(ds.Edges) && n < most; i++ {
		if (without == nil || !without[i]) && ds.within(&ds.Edges[i], sp.start, sp.end) >= minChance {
			n++
		}
	}
	return n
}

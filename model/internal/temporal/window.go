package temporal

import "slices"

// Window is the time after a cut. Its distinct triplets are the positives that the network learns to expect.
type Window struct {
	*Cut
	deltas       *deltas
	end          int64
	unseen, seen []positive
	returns      []int32   // edges that may be an intruder's return
	returnSums   []float32 // of the weights of the returns up to each
	returnShare  float32   // of the corrupted triplets
}

// positive is an edge with an event in the window, or one that is likely to have had one.
type positive struct {
	edge   int32
	chance float32
}

// leaveOut drops the positives that are not to be trained on, by edge; nil: none.
func (w *Window) leaveOut(unanswered []bool) {
	if unanswered == nil {
		return
	}
	is := func(p positive) bool { return unanswered[p.edge] }
	w.unseen, w.seen = slices.DeleteFunc(w.unseen, is), slices.DeleteFunc(w.seen, is)
}

// minChance is the least chance of an event with which a seen edge counts as a positive.
const minChance = 0.05

// NewWindow returns the window from a cut to end, unix nanoseconds.
func NewWindow(ds *Dataset, c *Cut, end int64) *Window {
	w := &Window{Cut: c, deltas: newDeltas(ds, c, end), end: end}
	for i := range ds.Edges {
		e := &ds.Edges[i]
		chance := ds.within(e, c.At, end)
		switch {
		case chance < minChance:
		case e.First >= c.At:
			w.unseen = append(w.unseen, positive{int32(i), chance})
		default:
			w.seen = append(w.seen, positive{int32(i), chance})
		}
	}
	w.findReturns(ds)
	return w
}

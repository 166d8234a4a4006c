package temporal

// Window is the time after a cut, whose distinct triplets are what the network learns to expect.
type Window struct {
	*Cut
	deltas       *deltas
	end          int64
	unseen, seen []positive
}

// positive is an edge with events in the window, or that would have some with the given chance.
type positive struct {
	edge   int32
	chance float32
}

// minChance is below what a known edge is not worth a place among the targets.
const minChance = 0.05

// NewWindow is the time from a cut to end, unix nanoseconds. The order of its positives is that of the edges.
func NewWindow(ds *Dataset, c *Cut, end int64) *Window {
	w := &Window{Cut: c, deltas: newDeltas(ds, c, end), end: end}
	for i := range ds.Edges {
		e := &ds.Edges[i]
		chance := e.within(c.At, end)
		switch {
		case chance < minChance:
		case e.First >= c.At:
			w.unseen = append(w.unseen, positive{int32(i), chance})
		default:
			w.seen = append(w.seen, positive{int32(i), chance})
		}
	}
	return w
}

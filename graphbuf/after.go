package graphbuf

import "math/bits"

// after is the snapshot of what the graph saw after a moment of event time: the edges last seen after it, each with the
// count that belongs to that time. It lets writers go on. copied, unless nil, is called before each block of slots, in
// their order, under the lock under which the block is copied.
func (g *Graph) after(moment int64, copied func()) *Snapshot {
	g.whole.RLock()
	defer g.whole.RUnlock()
	s := &Snapshot{Aged: true}
	g.mu.Lock()
	h, latest := newHorizon(moment, &g.clock, g.buckets)
	s.Bucket, s.Begun = g.buckets.length(), g.clock.now-h.lived%g.buckets.length()
	g.mu.Unlock()
	var found []kept
	block := make([]kept, 0, snapshotBlock) // found would have to grow under the lock
	g.inBlocks(g.edgeSlots, func(i uint32) {
		if i%snapshotBlock == 0 && copied != nil {
			copied()
		}
		e := g.edges.at(i)
		if e.src == 0 {
			return
		}
		h.bound(e.last, g.clock.lived-g.clock.age(e.seen)-g.clock.unit)
		if e.last > moment {
			block = append(block, g.keep(i))
		}
	}, func() {
		found = append(found, block...)
		block = block[:0]
	})
	h.since = min(h.since, latest)
	g.nameEdges(s, len(found), func(i int) *kept { return &found[i] }, func(k *kept, e *Edge) {
		e.Age, e.Active = k.age, k.activity.at(&h.buckets, h.lived)
		h.cut(e)
	})
	return s
}

// NewestUpTo returns when, in event time, the newest event came that did not come after a moment, as far as edges tell,
// which know of their last event alone; the moment itself where they tell of none. It lets writers go on.
func (g *Graph) NewestUpTo(moment int64) int64 {
	g.whole.RLock()
	defer g.whole.RUnlock()
	newest, found := moment, false
	g.inBlocks(g.edgeSlots, func(i uint32) {
		if e := g.edges.at(i); e.src != 0 && e.last <= moment && (!found || e.last > newest) {
			newest, found = e.last, true
		}
	}, nil)
	return newest
}

// horizon is a moment of the past, by which edges are divided into before and after.
type horizon struct {
	moment  int64 // of event time
	lived   int64 // what the clock had lived when the edges are divided
	since   int64 // and at the moment
	buckets buckets
}

// newHorizon returns the horizon at a moment with what the clock had lived by then at least, for edges to bound, and what
// it had at most. It lived as long as time passed, unless there were pauses, of which it does not keep when they were.
func newHorizon(moment int64, c *clock, b buckets) (h horizon, latest int64) {
	passed := max(0, since(c.now, moment))
	return horizon{moment, c.lived, max(0, c.lived-passed), b}, c.lived - c.counted(passed)
}

// bound takes the last sight of an edge and what the clock had lived by then: by the moment it had lived no less if that
// is later, else less by no more than the time that passed between them. So a pause is left out if an edge was last seen
// between it and the moment.
func (h *horizon) bound(last, lived int64) {
	h.since = max(h.since, lived-max(0, since(last, h.moment)))
}

// cut takes from an edge what came before the horizon. When each of its events came is not known, but in which buckets
// of time there were some: they are taken for evenly spread over those. At least one is left, the last.
func (h *horizon) cut(e *Edge) {
	if e.First > h.moment {
		return
	}
	length := h.buckets.length()
	now, border := h.buckets.at(h.lived), h.buckets.at(h.since)
	begun := max(h.lived-int64(now)*length, 1) // of the bucket that is not over
	var all, after float64                     // nanoseconds of buckets with events
	for active := e.Active; active != 0; active &= active - 1 {
		i := int32(bits.TrailingZeros64(active))
		span := length
		if i == 0 {
			span = begun
		}
		all += float64(span)
		switch at := now - i; {
		case at > border:
			after += float64(span)
		case at == border:
			after += float64(max(0, int64(at)*length+span-h.since))
		}
	}
	n := uint32(1)
	if all > 0 {
		n = uint32(max(1, float64(e.Count)*after/all+0.5))
	}
	e.Count = min(n, e.Count)
	e.First = h.moment
	if keep := now - border; keep < activityBits-1 {
		e.Active &= 1<<(keep+1) - 1
	}
}

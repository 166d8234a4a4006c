package graphbuf

import (
	"fmt"
	"slices"
	"time"
)

// Succession puts another graph in the place of one that goes on meanwhile: a base from elsewhere, and what the graph
// saw after the base's horizon. Events wait for no more than an exchange of pointers:
//
//	next.Restore(base)
//	s := g.Succeed(next, horizon) // copies what came after the horizon
//	s.CatchUp()                   // again and again, while next is looked at
//	err := s.Finish(...)          // next's contents are now g's
//
// All but Finish and Abandon may run beside events; CatchUp runs in one goroutine at a time.
type Succession struct {
	g, next *Graph
	spare   []touch
	// copied[b] is how many entries the journal had when block b of the slots was copied: earlier entries of that block
	// are in the copy already. It is nil after the first CatchUp.
	copied  []int
	Carried Carried
}

// Carried is what a graph had seen after a horizon.
type Carried struct {
	Edges  int
	Events uint64
}

// journal notes which edges were seen while a graph is copied. It allocates nothing: what it has no room for is missed.
type journal struct {
	touches []touch
	missed  uint64
}

// touch is one event.
type touch struct {
	edge uint32
	at   int64 // the time for which it counts
}

// journalRoom is for how many events there is room between two calls of CatchUp: of a tenth of a second at a million
// events a second.
const journalRoom = 1 << 17

func (j *journal) note(edge uint32, at int64) {
	if len(j.touches) == cap(j.touches) {
		j.missed++
		return
	}
	j.touches = append(j.touches, touch{edge, at})
}

// Succeed begins a succession: it adds to next, which holds a base and is nobody else's to write to, what g saw after the
// base's horizon, a moment of event time. Until Finish or Abandon no other succession of g may begin.
func (g *Graph) Succeed(next *Graph, horizon int64) *Succession {
	s := &Succession{g: g, next: next, spare: make([]touch, 0, journalRoom)}
	j := &journal{touches: make([]touch, 0, journalRoom)}
	g.mu.Lock()
	g.journal = j
	g.mu.Unlock()
	local := g.after(horizon, func() { s.copied = append(s.copied, len(j.touches)) })
	for i := range local.Edges {
		s.Carried.Events += uint64(local.Edges[i].Count)
	}
	s.Carried.Edges = len(local.Edges)
	next.Restore(local)
	return s
}

// catchBatch is how many events are caught up with under one lock of each graph.
const catchBatch = 256

// CatchUp shows next what the graph has seen since the last call, and returns how many events that were.
func (s *Succession) CatchUp() (n int) {
	s.g.mu.Lock()
	j := s.g.journal
	touches := j.touches
	j.touches = s.spare[:0]
	s.g.mu.Unlock()
	n = s.show(touches)
	s.spare = touches
	return n
}

// show shows next what the touched edges stand for, but for what was copied already.
func (s *Succession) show(touches []touch) (n int) {
	copied := s.copied
	s.copied = nil
	var events []Event
	refs := make([]Ref, catchBatch)
	at := 0 // number of a touch
	for some := range slices.Chunk(touches, catchBatch) {
		events = events[:0]
		s.g.mu.Lock()
		for _, t := range some {
			if block := int(t.edge / snapshotBlock); block >= len(copied) || at >= copied[block] {
				if e, ok := s.g.eventOf(t); ok {
					events = append(events, e)
				}
			}
			at++
		}
		s.g.mu.Unlock()
		s.next.Observe(events, refs[:len(events)])
		n += len(events)
	}
	return n
}

// eventOf is the event of a touch; false where its edge was evicted since. The lock is held.
func (g *Graph) eventOf(t touch) (Event, bool) {
	e := g.edges.at(t.edge)
	if e.src == 0 || t.at < e.first || t.at > e.last {
		return Event{}, false // the slot is free, or another edge's
	}
	src, rel, dst := g.nodes.slots.at(e.src), g.relations.slots.at(e.rel), g.nodes.slots.at(e.dst)
	if src.dead || rel.dead || dst.dead {
		return Event{}, false
	}
	return Event{[]byte(src.name), []byte(rel.name), []byte(dst.name), t.at}, true
}

// Finish gives g the contents of next. apart is called once and has to call swap, which is done in moments, at a time
// at which nobody observes: IDs and Refs of before mean nothing afterwards. Copies of g that are under way end first.
// Where events were missed, as CatchUp was not called often enough, g stays as it was: swap returns false, and Finish an
// error.
func (s *Succession) Finish(apart func(swap func() (done bool))) error {
	alone := make(chan struct{})
	go func() {
		s.g.whole.Lock()
		close(alone)
	}()
	defer func() {
		<-alone // if this ends early
		s.g.whole.Unlock()
	}()
	s.catchUpUntil(alone)
	// What comes while this is caught up with is less each time.
	for range 10 {
		if s.CatchUp() < catchBatch {
			break
		}
	}
	var missed uint64
	apart(func() bool {
		s.CatchUp()
		g, next := s.g, s.next
		g.mu.Lock()
		defer g.mu.Unlock()
		if missed = g.journal.missed; missed == 0 {
			next.mu.Lock()
			defer next.mu.Unlock()
			next.stats = g.stats // they count since the start of g
			g.contents, next.contents = next.contents, g.contents
		}
		g.journal = nil
		return missed == 0
	})
	if missed > 0 {
		return fmt.Errorf("graphbuf: %d events came faster than they could be carried over", missed)
	}
	return nil
}

// catchUpUntil catches up, often enough that no event is missed, until a channel is closed.
func (s *Succession) catchUpUntil(done <-chan struct{}) {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-done:
			return
		case <-again.C:
			s.CatchUp()
		}
	}
}

// Abandon ends a succession; g stays as it was.
func (s *Succession) Abandon() {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	s.g.journal = nil
}

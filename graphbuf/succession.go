package graphbuf

import (
	"errors"
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
	waiting []touch // taken out of the journal, to be shown to next
	shown   int     // how many touches were
	spare   []touch
	events  []Event // of one batch
	refs    []Ref
	// copied[b] is how many entries the journal had had when block b of the slots was copied: earlier entries of that
	// block are in the copy already.
	copied  []int
	Carried Carried
}

// ErrTooFast is of a Finish that left the graph as it was because events came faster than they could be carried over.
var ErrTooFast = errors.New("came faster than they could be carried over")

func tooFast(events uint64) error { return fmt.Errorf("graphbuf: %d events %w", events, ErrTooFast) }

// Carried is what a graph had seen after a horizon.
type Carried struct {
	Edges  int
	Events uint64
}

// journal notes which edges were seen while a graph is copied. It allocates nothing: what it has no room for is missed.
type journal struct {
	touches []touch
	taken   int // touches that are not here any more
	missed  uint64
	evicted slab[uint32] // by slot: how many of its edges were, since the journal began; those that are not here had none
}

// touch is one event.
type touch struct {
	edge       uint32
	generation uint32 // of the slot: how many of its edges were evicted before
	at         int64  // the time for which it counts
}

const (
	// journalRoom is for how many events the journal has room until it is emptied: of a tenth of a second at a million
	// events a second.
	journalRoom = 1 << 17
	// waitingRoom is for how many events the list has room into which it is emptied, in 64 MiB: of four seconds at that
	// rate, in which a graph of a million edges is copied.
	waitingRoom = 1 << 22
	// emptyingInterval is how often it is emptied while something takes long.
	emptyingInterval = 10 * time.Millisecond
)

func (j *journal) note(edge uint32, at int64) {
	if len(j.touches) == cap(j.touches) {
		j.missed++
		return
	}
	j.touches = append(j.touches, touch{edge, j.generation(edge), at})
}

// evict notes that an edge is evicted.
func (j *journal) evict(edge uint32) {
	for j.evicted.len() <= int(edge) {
		j.evicted.add()
	}
	*j.evicted.at(edge)++
}

// generation is how many edges of a slot were evicted.
func (j *journal) generation(edge uint32) uint32 {
	if int(edge) >= j.evicted.len() {
		return 0
	}
	return *j.evicted.at(edge)
}

// Succeed begins a succession: it adds to next, which holds a base and is nobody else's to write to, what g saw after the
// base's horizon, a moment of event time. Until Finish or Abandon no other succession of g may begin.
func (g *Graph) Succeed(next *Graph, horizon int64) *Succession {
	s := &Succession{g: g, next: next, spare: make([]touch, 0, journalRoom), events: make([]Event, 0, catchBatch), refs: make([]Ref, catchBatch)}
	g.mu.Lock()
	slots := g.edgeSlots()
	g.mu.Unlock()
	j := &journal{touches: make([]touch, 0, journalRoom), evicted: newSlab[uint32](slots)}
	g.mu.Lock()
	g.journal = j
	g.mu.Unlock()
	defer s.drainMeanwhile()()
	local := g.after(horizon, func() { s.copied = append(s.copied, j.taken+len(j.touches)) })
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
	s.take()
	all := len(s.waiting)
	for at := 0; at < all; at += catchBatch {
		n += s.show(s.waiting[at:min(at+catchBatch, all)])
		s.drain() // to show a long list takes longer than the journal lasts
	}
	s.waiting = slices.Delete(s.waiting, 0, all)
	return n
}

// take takes what the journal has. The list grows outside the lock.
func (s *Succession) take() {
	s.g.mu.Lock()
	j := s.g.journal
	touches := j.touches
	j.touches, j.taken = s.spare[:0], j.taken+len(touches)
	s.g.mu.Unlock()
	s.waiting = append(s.waiting, touches...)
	s.spare = touches
}

// drain takes what the journal has, unless the list is full: the journal then misses what it has no room for.
func (s *Succession) drain() {
	if len(s.waiting) < waitingRoom {
		s.take()
	}
}

// drainMeanwhile drains the journal until the function that it returns is called.
func (s *Succession) drainMeanwhile() (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		until(stop, s.drain)
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// until calls do every emptyingInterval until a channel is closed.
func until(done <-chan struct{}, do func()) {
	again := time.NewTicker(emptyingInterval)
	defer again.Stop()
	for {
		select {
		case <-done:
			return
		case <-again.C:
			do()
		}
	}
}

// show shows next what some touched edges stand for, but for what was copied already.
func (s *Succession) show(touches []touch) (n int) {
	s.look(touches)
	s.next.Observe(s.events, s.refs[:len(s.events)])
	return len(s.events)
}

// look looks up the events of some touches.
func (s *Succession) look(touches []touch) {
	s.events = s.events[:0]
	s.g.mu.Lock()
	defer s.g.mu.Unlock() // records would wait for ever after a panic
	for _, t := range touches {
		if block := int(t.edge / snapshotBlock); block >= len(s.copied) || s.shown >= s.copied[block] {
			if e, ok := s.g.eventOf(t); ok {
				s.events = append(s.events, e)
			}
		}
		s.shown++
	}
}

// eventOf is the event of a touch; false where its edge, or one of its names, was evicted since. The lock is held.
func (g *Graph) eventOf(t touch) (Event, bool) {
	if g.journal.generation(t.edge) != t.generation {
		return Event{}, false // the slot is free, or another edge's
	}
	e := g.edges.at(t.edge)
	src, rel, dst := g.nodes.slots.at(e.src), g.relations.slots.at(e.rel), g.nodes.slots.at(e.dst)
	if src.dead || rel.dead || dst.dead {
		return Event{}, false
	}
	return Event{[]byte(src.name), []byte(rel.name), []byte(dst.name), t.at}, true
}

// Finish gives g the contents of next. apart is called once and has to call swap, which is done in moments, at a time
// at which nobody observes: IDs and Refs of before mean nothing afterwards. Copies of g that are under way end first.
// Where events came faster than they could be carried over, or CatchUp was not called often enough, g stays as it was:
// swap is not called or returns false, and Finish an error that is ErrTooFast.
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
	until(alone, func() { s.CatchUp() })
	// What comes while this is caught up with is less each time.
	for range 10 {
		if s.CatchUp() < catchBatch {
			break
		}
	}
	if err := s.behind(); err != nil {
		s.Abandon()
		return err
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
		return tooFast(missed)
	}
	return nil
}

// behind is an error where more is left to be shown than may be while nobody observes: it does not get less.
func (s *Succession) behind() error {
	if n := len(s.waiting); n > journalRoom {
		return tooFast(uint64(n))
	}
	return nil
}

// Abandon ends a succession; g stays as it was.
func (s *Succession) Abandon() {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	s.g.journal = nil
}

package graphbuf

import (
	"math"
	"time"
)

// Another counter, such as a search engine to which many agents ship their records, may have counted what this graph
// did not see, and has counted what it did see as well. Merge takes in its counts so that no event counts twice.
//
// Time is cut into three slices: what is over, the overlap and what is open. Of each edge the graph keeps how many of
// its events lie in the overlap and in the open slice; the others are over. The other counter is read slice by slice,
// each with a reading of its own: of an edge, the graph then has the larger of both counts in that slice. The other one
// counts this graph's own events too, as soon as they have arrived there; so the larger count is that of all events,
// and to read a slice again changes nothing but what came since. What is over is read once. The overlap and the open
// slice are read again and again, and at times EndReading moves them on: events that arrive late are counted as long
// as they lie in the overlap.

// Slice is a slice of time.
type Slice int

// The slices, the earliest first.
const (
	Over Slice = iota
	Overlap
	Open
)

// OverlapLength is the shortest overlap: by how much a document may be late and still count.
const OverlapLength = time.Hour

// Sighting is what another counter says of a triplet in a stretch of time.
type Sighting struct {
	Source, Relation, Destination []byte
	Count                         uint32 // events, at least 1
	First, Last                   int64  // unix nanoseconds of event time
}

// Slices are where the slices begin and end.
type Slices struct{ Overlap, Open int64 } // beginnings, unix nanoseconds, whole milliseconds

// ledger is what a graph needs to merge.
type ledger struct {
	Slices
	edges    slab[tally] // by edge slot
	met      meetings
	slides   uint32
	reading  uint32
	complete bool // what is over was read to its end
}

// tally is what of an edge's events lies in the overlap and in the open slice.
type tally struct {
	counted [2]uint32 // in the overlap, in the open slice
	slides  uint32    // that it knows of
	told    uint32    // how many events the reading under way has told of the edge
	reading uint32    // for which told counts
}

// at is the tally of an edge as of now.
func (l *ledger) at(i uint32) *tally {
	t := l.edges.at(i)
	for ; t.slides != l.slides; t.slides++ {
		if l.slides-t.slides > uint32(len(t.counted)) {
			t.slides = l.slides - uint32(len(t.counted))
		}
		t.counted = [2]uint32{t.counted[1], 0}
	}
	if t.reading != l.reading {
		t.reading, t.told = l.reading, 0
	}
	return t
}

// begin makes room for an edge that is new.
func (l *ledger) begin(i uint32) {
	for l.edges.len() <= int(i) {
		l.edges.add()
	}
	*l.edges.at(i) = tally{slides: l.slides, reading: l.reading}
}

// sliceOf is the slice of a time.
func (s *Slices) sliceOf(t int64) Slice {
	switch {
	case t < s.Overlap:
		return Over
	case t < s.Open:
		return Overlap
	}
	return Open
}

// count notes n events of an edge in a slice.
func (l *ledger) count(i uint32, s Slice, n uint32) {
	if s == Over {
		return
	}
	t := l.at(i)
	t.counted[s-Overlap] = addSat(t.counted[s-Overlap], n)
}

// BeginSlices has the graph keep what Merge needs, from now on. All that it holds is over. In an empty graph the
// overlap lies behind now, which is in unix nanoseconds, else ahead. It does nothing where there are slices.
func (g *Graph) BeginSlices(now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ledger != nil {
		return
	}
	s := Slices{Overlap: wholeMillisecond(now - int64(OverlapLength)), Open: wholeMillisecond(now)}
	if g.live() > 0 {
		s.Overlap = wholeMillisecond(max(now, g.clock.now))
		s.Open = s.Overlap + int64(OverlapLength)
	}
	g.beginLedger(s)
}

func (g *Graph) beginLedger(s Slices) {
	g.ledger = &ledger{Slices: s}
	for range g.edges.len() {
		g.ledger.edges.add()
	}
	g.ledger.met.addAll(g)
}

// wholeMillisecond is the first whole millisecond after t. Search engines keep whole ones, and cut off the rest.
func wholeMillisecond(t int64) int64 {
	const ms = int64(time.Millisecond)
	return t - (t%ms+ms)%ms + ms
}

// Slices returns the slices, and whether there are any and what is over was read.
func (g *Graph) Slices() (s Slices, begun, complete bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ledger == nil {
		return s, false, false
	}
	return g.ledger.Slices, true, g.ledger.complete
}

// BeginReading begins a reading of a slice: what was told in one before it, which may not have come to its end, is told
// anew.
func (g *Graph) BeginReading() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ledger != nil {
		g.ledger.reading++
	}
}

// EndReading says that all slices were read to their ends, and moves them on if the open one has been open for an
// overlap's length. now is in unix nanoseconds.
func (g *Graph) EndReading(now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledger
	if l == nil {
		return
	}
	l.complete = true
	if since(now, l.Open) < int64(OverlapLength) {
		return
	}
	// No event may be in the new open slice yet.
	l.Slices = Slices{Overlap: l.Open, Open: wholeMillisecond(max(now, g.clock.now))}
	l.slides++
}

// mergeBatch is how many sightings one lock is held for. Most are of new triplets at first, which cost more than known
// ones.
const mergeBatch = 32

// Merge takes in what another counter says, of one slice in the reading under way, the latest stretch of time first. It
// returns how many events the graph did not have. Triplets of times that are over are held as far as there is room,
// and take no place of another. A graph without slices takes nothing in. Names are read during the call only.
func (g *Graph) Merge(slice Slice, sightings []Sighting) (added uint64) {
	for len(sightings) > 0 {
		n := min(len(sightings), mergeBatch)
		added += g.mergeLocked(slice, sightings[:n])
		sightings = sightings[n:]
	}
	return added
}

func (g *Graph) mergeLocked(slice Slice, sightings []Sighting) (added uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range sightings {
		if g.ledger == nil {
			break
		}
		added += uint64(g.merge(slice, &sightings[i]))
	}
	return added
}

// merge takes in one sighting and returns how many of its events are new.
func (g *Graph) merge(slice Slice, s *Sighting) (added uint32) {
	e := Event{Source: s.Source, Relation: s.Relation, Destination: s.Destination, Time: s.First}
	if e.long() {
		e = g.shorten(&e)
	}
	g.clock.believe(s.Last)
	g.expire()
	g.sweep()
	age := max(since(g.clock.now, s.Last), 0)
	i, told := g.findEdge(&e), s.Count
	added = s.Count
	if i != 0 {
		t := g.ledger.at(i)
		told = addSat(t.told, s.Count)
		added = min(s.Count, subSat(told, g.had(i, t, slice)))
	}
	how := recorded
	if slice == Over {
		how = backfilled
	}
	g.reach(age + max(since(s.Last, s.First), 0))
	var ref Ref
	switch {
	case i == 0:
		i = g.put(&ref, &e, added, s.Last, age, how)
		if i == 0 {
			return 0
		}
		p := g.parts(i)
		g.ledger.met.earlier(&p, s.First)
	case added > 0:
		p := g.parts(i)
		g.putAgain(i, &p, &e, added, s.Last, age, how)
	default:
		g.widen(i, s, age)
	}
	g.ledger.count(i, slice, added)
	g.ledger.at(i).told = told
	last := g.clock.lived - age
	from, to := g.buckets.at(last-max(since(s.Last, s.First), 0)), g.buckets.at(last)
	seen := spread(from, to, s.Count)
	seen.level = g.buckets.level
	a := &g.edges.at(i).activity
	a.raise(g.buckets.level)
	a.join(seen)
	g.stats.Events += uint64(added)
	g.lateness.count(uint64(added), false, &g.clock)
	return added
}

// had is how many events of a slice an edge has.
func (g *Graph) had(i uint32, t *tally, slice Slice) uint32 {
	if slice == Over {
		return subSat(g.edges.at(i).count, addSat(t.counted[0], t.counted[1]))
	}
	return t.counted[slice-Overlap]
}

// widen has an edge begin no later and end no earlier than a sighting all of whose events it has: the other counter may
// know of earlier ones. Nothing was seen again, so that the names stay where they are.
func (g *Graph) widen(i uint32, s *Sighting, age int64) {
	p := g.parts(i)
	none := Event{Time: s.First}
	g.putAgain(i, &p, &none, 0, s.Last, age, backfilled)
}

// backdate has an edge, and what it is part of, begin at t where they begin later.
func (g *Graph) backdate(p *parts, t int64) {
	if t >= p.edge.first {
		return
	}
	g.ledger.met.earlier(p, t)
	p.edge.first = t
	p.src.begin(t, t)
	p.rel.begin(t, t)
	p.dst.begin(t, t)
}

// reach makes the buckets long enough for an event of such an age.
func (g *Graph) reach(age int64) {
	b := &g.buckets
	if begin := g.clock.lived - age; b.first == 0 || begin < b.first {
		b.first = max(begin, 1)
	}
	b.reach(g.clock.lived)
}

// BucketFor is the length of the buckets of activity once the graph has events between two times, in unix nanoseconds.
func (g *Graph) BucketFor(oldest, newest int64) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets
	if g.clock.begun {
		newest = max(newest, g.clock.now)
	}
	lived := livedUnit + (newest%livedUnit+livedUnit)%livedUnit
	age := max(since(newest, oldest), 0)
	if g.clock.begun && b.first != 0 {
		age = max(age, g.clock.lived-b.first)
	}
	if age > math.MaxInt64/2 || lived-age < 1 {
		age = lived - 1
	}
	b.first = lived - age
	b.reach(lived)
	return time.Duration(b.length())
}

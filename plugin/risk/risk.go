// Package risk pools what is unusual about the sessions of one source: many slightly odd ones within a day are one
// story, which no single score tells. So is an odd session to a host, and odd ones from there.
//
// It owns the window of a day, what is kept of each source in it, and which sources were reported in it. What makes a
// session unusual, and by how much, it is told.
package risk

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Window is the time over which the evidence about a source adds up.
const Window = 24 * time.Hour

const (
	// maxSources bounds the sources with evidence within the window. A further one takes the place of the one with the
	// least.
	maxSources = 1024
	// maxNew bounds those among them that are known for less than a day, once all rows are taken: whoever comes from
	// outside with many addresses leaves no less room for what known hosts do.
	maxNew = maxSources / 2
	// maxTriplets bounds the triplets of a source that count. A further one takes the place of the one with the least
	// evidence.
	maxTriplets = 16
)

// Sources adds up evidence by source. It is safe for many goroutines and takes half a megabyte.
type Sources struct {
	seed maphash.Seed

	mu     sync.Mutex
	newest int64    // the latest time that was told, unix nanoseconds
	keys   []uint64 // of the rows: few enough to look through them all
	rows   []source

	arrivals arrivals
}

// Source is whose evidence a session adds to.
type Source struct {
	ID   graphbuf.ID // of the session's source in the graph
	Name []byte      // of the source, or of what stands for many of them; nil: the source
	New  bool        // it is known for less than a day
}

// source is what is kept of one.
type source struct {
	newest   int64   // its last session, unix nanoseconds
	isNew    bool    // as of then
	risk     float32 // sum of the triplets' evidence when they were last looked at
	n        int32   // of triplets
	triplets [maxTriplets]triplet
}

type triplet struct {
	key      uint64
	at       int64 // when the session came that brought the evidence, unix nanoseconds
	evidence float32
}

// NewSources returns a Sources without evidence.
func NewSources() *Sources {
	return &Sources{seed: maphash.MakeSeed(), keys: make([]uint64, 0, maxSources), rows: make([]source, 0, maxSources), arrivals: newArrivals()}
}

// Pooled is the evidence about a source within a window.
type Pooled struct {
	Risk      float32     // the sum of the triplets' evidence, with that of the session by which the source was reached
	Triplets  int         // that it is made of
	ReachedBy graphbuf.ID // the source of that session, the zero ID where there was none
}

// Add takes down a session's evidence against its source and returns what is known of the source with it. A triplet
// counts once, with the most that any of its sessions brought, until the window has passed since that session; weaker
// sessions in between leave no trace. If the session's own source was itself reached by an odd session within the
// window, the oddest of these counts too, for as much as the triplets at most: on a host to which odd sessions come all
// day, that says little. It does not allocate.
func (s *Sources) Add(e *graphbuf.Event, source Source, evidence float32) Pooled {
	name := e.Source
	if source.Name != nil {
		name = source.Name
	}
	key, id := s.hash(e, name)
	host, destination := maphash.Bytes(s.seed, e.Source), maphash.Bytes(s.seed, e.Destination)
	s.mu.Lock()
	defer s.mu.Unlock()
	x, from := s.of(key, e.Time, source.New)
	x.expire(from)
	x.add(triplet{id, max(e.Time, from+1), evidence}) // after a clock's step back events may lie before the window
	x.risk = 0
	for _, t := range x.triplets[:x.n] {
		x.risk += t.evidence
	}
	if host != destination {
		s.arrivals.add(destination, arrival{source.ID, max(e.Time, from+1), evidence}, from)
	}
	before := s.arrivals.of(host, from)
	return Pooled{Risk: x.risk + min(before.evidence, x.risk), Triplets: int(x.n), ReachedBy: before.from}
}

// of returns the row of a source that has a session at a time, and when the window begins.
func (s *Sources) of(key uint64, time int64, isNew bool) (x *source, from int64) {
	s.newest = max(s.newest, time)
	from = s.newest - int64(Window)
	i := slices.Index(s.keys, key)
	switch {
	case i >= 0:
	case len(s.rows) < maxSources:
		i = len(s.rows)
		s.keys, s.rows = append(s.keys, key), append(s.rows, source{})
	default:
		i = s.least(from, isNew)
		s.keys[i], s.rows[i] = key, source{}
	}
	x = &s.rows[i]
	x.newest, x.isNew = max(x.newest, time, from+1), isNew
	return x, from
}

// hash returns the keys of a session's source and triplet, if the source has that name.
func (s *Sources) hash(e *graphbuf.Event, name []byte) (source, triplet uint64) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.Write(name)
	source = h.Sum64()
	for _, name := range [][]byte{e.Relation, e.Destination} {
		h.WriteByte(0xff) // no name in UTF-8 has this byte
		h.Write(name)
	}
	return source, h.Sum64()
}

// least is the source whose row one more takes: that with the least evidence within the window. New sources have half of
// the rows at most where others want them too.
func (s *Sources) least(from int64, isNew bool) (at int) {
	least, atNew, leastNew, n := float32(math.Inf(1)), 0, float32(math.Inf(1)), 0
	for i := range s.rows {
		x := &s.rows[i]
		if x.newest <= from {
			return i
		}
		if x.risk < least {
			at, least = i, x.risk
		}
		if x.isNew {
			n++
			if x.risk < leastNew {
				atNew, leastNew = i, x.risk
			}
		}
	}
	if n > maxNew || n == maxNew && isNew {
		return atNew
	}
	return at
}

// expire drops the triplets whose session is not after a time.
func (x *source) expire(from int64) {
	kept := slices.DeleteFunc(x.triplets[:x.n], func(t triplet) bool { return t.at <= from })
	x.n = int32(len(kept))
}

// add takes up a triplet, or at least as much evidence about one: less would keep the most beyond its time.
func (x *source) add(t triplet) {
	least := 0
	for i := range x.triplets[:x.n] {
		have := &x.triplets[i]
		if have.key == t.key {
			if t.evidence >= have.evidence {
				have.at, have.evidence = max(have.at, t.at), t.evidence
			}
			return
		}
		if have.evidence < x.triplets[least].evidence {
			least = i
		}
	}
	switch {
	case x.n < maxTriplets:
		x.triplets[x.n] = t
		x.n++
	case t.evidence > x.triplets[least].evidence:
		x.triplets[least] = t
	}
}

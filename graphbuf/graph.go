// Package graphbuf keeps who talked to whom: a directed multigraph of distinct
// (source, relation, destination) triplets with their event counts and times,
// bounded in nodes, relations, edges and age.
//
// It owns names, ids, counts, eviction and snapshots. It knows no model, no
// record format and no file: a Snapshot encodes itself to bytes, and whoever
// keeps state decides where those go.
//
// # Time
//
// Clocks jump, by years even, and jump back; archives are read after newer ones. The rule is:
//
//   - The graph's time is that of the newest event that it believes. It never goes back.
//   - An event that lies behind it by more than a leap (a quarter of the window, a day at least) is of the past. It is
//     counted, and changes no time that is newer. Its triplet, if it is not held, is added only if there is room and it
//     is within the window, as the first to be evicted. It evicts nothing.
//   - An event that lies ahead by more than a leap is doubted, unless Config.Trusted says that the caller checks times.
//     It counts as if the jump had not been: the first one for the graph's time, those that follow for as much later as
//     they are. After 4,096 of them, an event of the time before taking back four, the jump is believed.
//   - The first event is believed, unless the caller says when the graph begins (Begin).
//   - An edge's age is the time that passed in the graph since it was last seen, where every pause, and every jump
//     that is believed, counts for a leap at most. Only that age, and never a date, has an edge evicted.
//   - Where the caller checks times, nothing in a Ref is older than the graph has known its names: whoever dates events
//     back makes no newcomer usual. Where more than one in eight of the events of late lay more than a day behind, as in
//     logs of before, names are as old as their events say. What is kept of triplets has their own times in any case.
//
// So no date that is wrong, for however long, evicts an edge or replaces one that is right.
package graphbuf

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Config bounds a Graph. What goes beyond a bound pushes out what was seen
// longest ago, what never came back first (see evict.go), so a flood of new names costs a fixed amount of memory.
type Config struct {
	MaxNodes     int           // distinct hosts, at least 5
	MaxRelations int           // distinct relations, at least 2
	MaxEdges     int           // distinct triplets, at least 1
	Window       time.Duration // age at which an edge may go, in event time; 0: never for its age
	Trusted      bool          // the caller checks the events' times: no jump ahead is doubted, and names are no older than known (see Time)
}

// The least that a graph works with. With fewer hosts, the second new host of an event could push out the first: see
// probationShare.
const leastNodes, leastEdges = 5, 1

// Unbounded returns the bounds of a graph that keeps all it is given.
func Unbounded() Config {
	return Config{MaxNodes: maxSlots, MaxRelations: maxSlots, MaxEdges: maxSlots}
}

// Validate reports the first bound that cannot hold a graph.
func (c Config) Validate() error {
	for _, b := range []struct {
		name       string
		value, min int
	}{
		{"MaxNodes", c.MaxNodes, leastNodes},
		{"MaxRelations", c.MaxRelations, 2},
		{"MaxEdges", c.MaxEdges, leastEdges},
	} {
		if b.value < b.min || b.value > maxSlots {
			return fmt.Errorf("graphbuf: %s is %d, allowed are %d to %d", b.name, b.value, b.min, maxSlots)
		}
	}
	if c.Window < 0 {
		return fmt.Errorf("graphbuf: Window is %v, allowed are 0 (no limit) and more", c.Window)
	}
	return nil
}

// Leap is how far an event may lie behind or ahead of the graph's time without being of the past, or doubted.
func (c Config) Leap() time.Duration { return time.Duration(newClock(c.Window, c.Trusted).leap) }

// maxSlots leaves the sign bit of an int32 link free for list heads.
const maxSlots = 1<<31 - 2

// ID names a node or a relation for as long as it is remembered. A slot is used
// again after eviction, under another generation: an ID kept from before then
// equals no live one. The zero ID is nobody's.
type ID struct{ Slot, Gen uint32 }

// Counts are what was seen so far that agrees with a triplet in some of its parts:
// first events, then how many different neighbours. They are sums over the edges that
// the graph still holds.
type Counts struct {
	SRD uint32 // this source, relation and destination
	SD  uint32 // this source and destination
	SR  uint32 // this source and relation
	RD  uint32 // this relation and destination
	S   uint32 // this source, as a source
	D   uint32 // this destination, as a destination
	R   uint32 // this relation

	DestinationsOfS, RelationsOfS uint32
	SourcesOfD                    uint32
	SourcesOfR                    uint32
}

// Event is one session. The names are read during the call only.
type Event struct {
	Source, Relation, Destination []byte
	Time                          int64 // unix nanoseconds
}

// Ref is what the graph knew of an Event just before that event happened.
// An ID is zero where the name is unknown (Look), and new where it just came (Observe).
type Ref struct {
	Source, Relation, Destination ID
	Edge                          uint32 // the triplet's slot, 0 when it was not held; later another one's, perhaps
	Counts                        Counts
	Time                          int64 // for which the event counts
	Now                           int64 // the graph's time
	SourceSince                   int64 // when the source first came, as a source; the time of the event if it is new
	HostSince                     int64 // when the source first came, as a source or as a destination; the time of the event if it is new
	DestinationSince              int64 // as HostSince, of the destination
	RelationSince                 int64 // when the relation first came; the time of the event if it is new
	TripletSince                  int64 // when the triplet first came; the time of the event if it is new
	TripletLast                   int64 // when it last came, not before TripletSince; the time of the event if it is new
	// HostQuiet is for how long, in nanoseconds, the graph went on since the source last came, as a source or as a
	// destination: to a minute, and 0 if it is new.
	HostQuiet int64
	// Destinations that are new to the source, each fading by half in a day: a host
	// that moves through the network has many, most hosts have less than one.
	NewDestinations float32
	// Half days on which the triplet was seen, as far as activity tells: a flood of an afternoon is one of them.
	HalfDays uint8
}

// Graph is safe for many writers and readers at a time.
type Graph struct {
	bounds Config // as it was made with

	// whole is held for reading while the graph is copied block by block, and for writing while other contents take the
	// place of these (see Succession). It is taken before mu. Events do not wait for it.
	whole sync.RWMutex

	// mu guards everything below. It is held for one batch of events, for one
	// block of a snapshot, or for one read of Stats.
	mu      sync.Mutex
	journal *journal // nil: nobody is about to take the graph's place
	contents
}

// contents are all that a graph holds, to be exchanged as one.
type contents struct {
	cfg            Config // bounds, or less: see Hold
	nodes          names
	relations      names
	source         slab[side] // by node slot: as a source
	destination    slab[side] // by node slot: as a destination
	relation       slab[side] // by relation slot
	edges          pool[edge]
	triplets       index
	sd, sr         pairs
	rd             pairs
	byAge          list // in two segments (see evict.go); the least recently seen edge of each is its last
	protectedCount int  // edges
	bySource       list // heads by node slot
	byDestination  list // heads by node slot
	byRel          list // heads by relation slot
	clock          clock
	lateness       lateness
	buckets        buckets
	ledger         *ledger // nil: nothing is merged
	stats          Stats
	// Slots of tombstones: names that were evicted and still have edges, the latest last.
	tombNodes, tombRelations []uint32
	long                     [3][MaxName]byte // see shorten
}

// Stats are the sizes of a Graph and what it has done since New or Restore.
type Stats struct {
	Nodes, Relations, Edges int
	Events                  uint64        // observed or merged
	NewEdges                uint64        // triplets that were not held when they came
	Evicted                 uint64        // edges evicted for a bound or for their age
	Old                     uint64        // events of the past, by more than a leap
	Outside                 uint64        // of these, what was not kept: its triplet was not held, and the window lies after it
	Doubted                 uint64        // events that counted for another time, as theirs lay too far ahead
	OldTime, DoubtedTime    int64         // of the last of them
	Now                     int64         // the graph's time; 0 when nothing was observed
	Lived                   time.Duration // from the first event to Now, without long pauses
}

// New returns an empty graph.
func New(cfg Config) (*Graph, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Graph{bounds: cfg, contents: contents{
		cfg:           cfg,
		clock:         newClock(cfg.Window, cfg.Trusted),
		buckets:       newBuckets(cfg.Window),
		nodes:         newNames(),
		relations:     newNames(),
		source:        newSlab[side](1),
		destination:   newSlab[side](1),
		relation:      newSlab[side](1),
		edges:         newPool[edge](),
		sd:            newPairs(),
		sr:            newPairs(),
		rd:            newPairs(),
		byAge:         newList(2, 1000),
		bySource:      newList(1, 1060),
		byDestination: newList(1, 1120),
		byRel:         newList(1, 1190),
	}}, nil
}

// Observe counts the events in order and stores in refs[i] what was known just
// before events[i]. refs must be as long as events. One call is one lock: hand
// over batches, not more than some hundred events so that others get their turn.
func (g *Graph) Observe(events []Event, refs []Ref) { g.ObserveUntil(events, refs, nil) }

// ObserveUntil is Observe up to and with the first event for which stop, unless nil, holds. It
// returns how many that were.
func (g *Graph) ObserveUntil(events []Event, refs []Ref, stop func(*Ref) bool) (n int) {
	refs = refs[:len(events)]
	g.mu.Lock()
	defer g.mu.Unlock()
	for n < len(events) {
		g.add(&refs[n], &events[n])
		n++
		if stop != nil && stop(&refs[n-1]) {
			break
		}
	}
	g.stats.Events += uint64(n)
	return n
}

// Look stores what is known of the events and changes nothing.
func (g *Graph) Look(events []Event, refs []Ref) {
	refs = refs[:len(events)]
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range events {
		e := &events[i]
		if e.long() {
			short := g.shorten(e)
			e = &short
		}
		g.look(&refs[i], e)
	}
}

// look is Look for an event whose names are as they are kept.
func (g *Graph) look(ref *Ref, e *Event) {
	if edge := g.findEdge(e); edge != 0 {
		p := g.parts(edge)
		g.fill(ref, edge, p.edge.src, p.edge.rel, p.edge.dst, &p, e.Time)
		return
	}
	s, d := g.nodes.find(e.Source), g.nodes.find(e.Destination)
	r := g.relations.find(e.Relation)
	p := g.unheld(s, r, d)
	g.fill(ref, 0, s, r, d, &p, e.Time)
}

// Near stores in out destinations of a source (or, with sources, sources of a destination),
// each once and those that are newest to it first, leaving out one; it returns how many. It looks at a
// few edges only, so it is for names that are new.
func (g *Graph) Near(of ID, sources bool, except ID, out []ID) int {
	const edgesPerName = 4 // looked at for each that is asked for: a pair may have many relations
	g.mu.Lock()
	defer g.mu.Unlock()
	head := g.liveNode(of)
	if head == 0 {
		return 0
	}
	ring := &g.bySource
	if sources {
		ring = &g.byDestination
	}
	n := 0
	next := ring.head[head].next
	for range edgesPerName * len(out) {
		if next < 0 || n == len(out) {
			break
		}
		other := g.edges.at(uint32(next)).dst
		if sources {
			other = g.edges.at(uint32(next)).src
		}
		id := g.nodes.id(other)
		if id != except && !g.nodes.slots.at(other).dead && !slices.Contains(out[:n], id) {
			out[n] = id
			n++
		}
		next = ring.item[next].next
	}
	return n
}

// Stats returns sizes and totals.
func (g *Graph) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stats
	st.Nodes, st.Relations, st.Edges = g.nodes.live, g.relations.live, g.live()
	st.Now = g.clock.now
	if g.buckets.first != 0 {
		st.Lived = time.Duration(g.clock.lived - g.buckets.first)
	}
	return st
}

// Begin sets the time of a graph that has seen nothing, in unix nanoseconds, for a caller who knows better than to believe
// the first event. It does nothing later.
func (g *Graph) Begin(time int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.clock.begun {
		g.clock.believe(time)
	}
}

func (g *Graph) live() int { return g.edges.used() }

package graphbuf

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// other is a counter that many graphs' events reach, some time after they came.
type other struct{ events []arrived }

type arrived struct {
	Event
	at int64 // when it reached the counter
}

// read has a graph read a slice of what has arrived by now, in stretches of a length, the latest first.
func (o *other) read(g *Graph, slice Slice, from, to, now, stretch int64) (added uint64) {
	type key struct {
		stretch int64
		triplet string
	}
	found := map[key]*Sighting{}
	for i := range o.events {
		e := &o.events[i]
		if e.at > now || e.Time < from || e.Time >= to {
			continue
		}
		k := key{e.Time / stretch, string(e.Source) + " " + string(e.Relation) + " " + string(e.Destination)}
		s := found[k]
		if s == nil {
			s = &Sighting{Source: e.Source, Relation: e.Relation, Destination: e.Destination, First: e.Time, Last: e.Time}
			found[k] = s
		}
		s.Count++
		s.First, s.Last = min(s.First, e.Time), max(s.Last, e.Time)
	}
	var order []key
	for k := range found {
		order = append(order, k)
	}
	slices.SortFunc(order, func(a, b key) int {
		return cmp.Or(cmp.Compare(b.stretch, a.stretch), cmp.Compare(a.triplet, b.triplet))
	})
	g.BeginReading()
	for _, k := range order {
		added += g.Merge(slice, []Sighting{*found[k]})
	}
	return added
}

// pull reads all that is to be read.
func (o *other) pull(g *Graph, now int64, window time.Duration) (added uint64) {
	g.BeginSlices(now)
	s, _, complete := g.Slices()
	oldest, newest := o.events[0].Time, o.events[len(o.events)-1].Time
	stretch := 2 * int64(g.BucketFor(max(now-int64(window), oldest), min(now, newest)))
	if !complete {
		added += o.read(g, Over, now-int64(window), s.Overlap, now, stretch)
	}
	added += o.read(g, Overlap, s.Overlap, s.Open, now, stretch)
	added += o.read(g, Open, s.Open, now+day, now, stretch)
	g.EndReading(now)
	return added
}

// described is a snapshot's edges in words, which the order of events does not change.
func described(s *Snapshot) (all []string) {
	for _, e := range s.Edges {
		source, relation, destination := s.Nodes[e.Source].Name, s.Relations[e.Relation].Name, s.Nodes[e.Destination].Name
		all = append(all, fmt.Sprintf("%s %s %s: %d events from %d to %d, active %x", source, relation, destination,
			e.Count, e.First, e.Last, ages(e.Active)))
	}
	slices.Sort(all)
	return all
}

const mergeStart = int64(1_790_000_000_000_000_000)

// fleet are the events of several agents in order of time, of whole milliseconds.
func fleet(seed uint64, n int, over time.Duration) (events []Event, agent []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		at := mergeStart + int64(over)/int64(n)*int64(i)
		h := rng.IntN(40)
		events = append(events, Event{
			Source: fmt.Append(nil, "host-", h), Relation: fmt.Append(nil, "client-", h%3),
			Destination: fmt.Append(nil, "server-", rng.IntN(1+h%8)), Time: at - at%int64(time.Millisecond),
		})
		agent = append(agent, rng.IntN(3))
	}
	return events, agent
}

var mergeConfig = Config{MaxNodes: 1000, MaxRelations: 100, MaxEdges: 10000, Window: 30 * 24 * time.Hour, Trusted: true}

func graphOf(t *testing.T, events []Event) *Graph {
	t.Helper()
	g, err := New(mergeConfig)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		g.Observe(events[i:i+1], make([]Ref, 1))
	}
	return g
}

// compareGraphs tells how a graph differs from the one of all events.
func compareGraphs(t *testing.T, got, want *Graph) {
	t.Helper()
	g, w := described(got.Snapshot()), described(want.Snapshot())
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Fatalf("%s is not there", w[i])
		case i >= len(w):
			t.Fatalf("%s is too much", g[i])
		case g[i] != w[i]:
			t.Fatalf("got %s\nwant %s", g[i], w[i])
		}
	}
}

// TestMergeIsTheGraphOfAll has one agent of three merge what all have shipped: at the start, then time and again,
// while its own events come and go there, late. What it has at the end is what one that saw everything has.
func TestMergeIsTheGraphOfAll(t *testing.T) {
	for seed := range uint64(12) {
		over := []time.Duration{20 * time.Minute, 10 * time.Hour, 26 * 24 * time.Hour}[seed%3]
		t.Run(fmt.Sprintf("%d, %v", seed, over), func(t *testing.T) {
			events, agent := fleet(seed, 4000, over)
			rng := rand.New(rand.NewPCG(seed, 2))
			o := &other{}
			for _, e := range events {
				o.events = append(o.events, arrived{e, e.Time + rng.Int64N(int64(OverlapLength)*9/10)})
			}
			g, err := New(mergeConfig)
			if err != nil {
				t.Fatal(err)
			}
			began := len(events) * 3 / 4 * int(seed%2) // every other one starts late
			end := mergeStart + int64(over)
			next := events[began].Time
			step := max(int64(over)/50, int64(time.Minute))
			for i := began; i < len(events); i++ {
				if events[i].Time >= next {
					o.pull(g, events[i].Time, mergeConfig.Window)
					next += min(step, int64(30*time.Minute))
				}
				if agent[i] == 0 {
					g.Observe(events[i:i+1], make([]Ref, 1))
				}
			}
			for now := end; now < end+2*int64(OverlapLength); now += int64(20 * time.Minute) {
				o.pull(g, now, mergeConfig.Window)
			}
			compareGraphs(t, g, graphOf(t, events))
			if added := o.pull(g, end+2*int64(OverlapLength), mergeConfig.Window); added != 0 {
				t.Errorf("a reading of what is known adds %d events", added)
			}
		})
	}
}

// TestMergeKnowsWhenHostsMet compares what the scores go by beside counts: since when a source is known, and how many
// destinations are new to it.
func TestMergeKnowsWhenHostsMet(t *testing.T) {
	events, _ := fleet(7, 3000, 12*24*time.Hour)
	o := &other{}
	for _, e := range events {
		o.events = append(o.events, arrived{e, e.Time})
	}
	g, err := New(mergeConfig)
	if err != nil {
		t.Fatal(err)
	}
	cut := len(events) - 300 // which come before the history is read
	g.BeginSlices(events[cut].Time)
	for i := cut; i < len(events); i++ {
		g.Observe(events[i:i+1], make([]Ref, 1))
	}
	now := events[len(events)-1].Time
	o.pull(g, now, mergeConfig.Window)
	want := graphOf(t, events)
	for i := range events {
		e := events[i]
		e.Time = now
		var got, is [1]Ref
		g.Look([]Event{e}, got[:])
		want.Look([]Event{e}, is[:])
		same := got[0].Counts == is[0].Counts && got[0].SourceSince == is[0].SourceSince &&
			got[0].RelationSince == is[0].RelationSince && got[0].TripletSince == is[0].TripletSince
		if !same {
			t.Fatalf("%s %s %s: got %+v, want %+v", e.Source, e.Relation, e.Destination, got[0], is[0])
		}
		if d := got[0].NewDestinations - is[0].NewDestinations; d > 0.02 || d < -0.02 {
			t.Fatalf("%s has %.3f new destinations, want %.3f", e.Source, got[0].NewDestinations, is[0].NewDestinations)
		}
	}
}

// TestMergeAfterAnInterruption has a reading end in its middle and begin anew.
func TestMergeAfterAnInterruption(t *testing.T) {
	events, _ := fleet(3, 2000, 5*24*time.Hour)
	o := &other{}
	for _, e := range events {
		o.events = append(o.events, arrived{e, e.Time})
	}
	g, err := New(mergeConfig)
	if err != nil {
		t.Fatal(err)
	}
	end := events[len(events)-1].Time
	g.BeginSlices(end)
	s, _, _ := g.Slices()
	for _, to := range []int64{end - 2*day, s.Overlap} {
		o.read(g, Over, to-day, to, end, 2*int64(g.BucketFor(events[0].Time, end)))
	}
	o.pull(g, end, mergeConfig.Window)
	o.pull(g, end+day, mergeConfig.Window)
	compareGraphs(t, g, graphOf(t, events))
}

// TestMergeKeepsBounds merges more than the graph may hold: what was seen last stays, and what is live is not evicted.
func TestMergeKeepsBounds(t *testing.T) {
	cfg := mergeConfig
	cfg.MaxEdges, cfg.MaxNodes = 100, 60
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &other{}
	const all = 400
	now := mergeStart
	for i := range all {
		at := now - int64(all-i)*int64(time.Hour)
		e := Event{Source: fmt.Append(nil, "host-", i%200), Relation: []byte("r"), Destination: fmt.Append(nil, "server-", i%7), Time: at}
		o.events = append(o.events, arrived{e, at})
	}
	g.BeginSlices(now)
	live := Event{Source: []byte("live"), Relation: []byte("r"), Destination: []byte("server-0"), Time: now}
	g.Observe([]Event{live}, make([]Ref, 1))
	o.pull(g, now, cfg.Window)
	st := g.Stats()
	if st.Edges > cfg.MaxEdges || st.Nodes > cfg.MaxNodes || st.Evicted > 0 {
		t.Errorf("%d edges between %d nodes, %d evicted", st.Edges, st.Nodes, st.Evicted)
	}
	var ref [1]Ref
	g.Look([]Event{live}, ref[:])
	if ref[0].Edge == 0 {
		t.Error("the live triplet is gone")
	}
	last := o.events[all-1].Event
	g.Look([]Event{last}, ref[:])
	if ref[0].Edge == 0 {
		t.Error("the latest triplet of the other counter is not held")
	}
}

// Hosts whose triplet others see again and again are not those seen longest ago: others go for new ones.
func TestMergedSightingsMarkTheirNamesAsSeen(t *testing.T) {
	cfg := mergeConfig
	cfg.MaxNodes, cfg.MaxRelations = 6, 3
	g := newGraph(t, cfg)
	g.BeginSlices(mergeStart)
	begun := mergeStart + int64(time.Second)
	at := begun
	g.observe1(event("busy", "often", "srv", at))
	g.observe1(event("a", "r", "b", at+1))
	g.observe1(event("c", "r2", "d", at+2))
	for i := range uint32(20) {
		at += int64(time.Minute)
		g.BeginReading()
		if added := g.Merge(Open, []Sighting{{[]byte("busy"), []byte("often"), []byte("srv"), i + 2, begun, at}}); added != 1 {
			t.Fatalf("reading %d added %d events, want 1", i, added)
		}
	}
	g.observe1(event("new", "r3", "newer", at+1))
	if ref := g.look1(event("busy", "often", "srv", at+2)); ref.Counts.SRD != 21 {
		t.Errorf("%+v of the triplet that was seen last", ref.Counts)
	}
	if ref := g.look1(event("a", "r", "b", at+2)); ref.Source != (ID{}) || ref.Relation != (ID{}) || ref.Destination != (ID{}) {
		t.Errorf("names seen longest ago are there: %+v", ref)
	}
	// What a reading tells of events that the graph has is no sight of them.
	g.observe1(event("c", "r2", "d", at+3))
	g.observe1(event("new", "r3", "newer", at+4))
	g.BeginReading()
	g.Merge(Open, []Sighting{{[]byte("busy"), []byte("often"), []byte("srv"), 21, begun, at}})
	g.observe1(event("another", "r4", "yet another", at+5))
	if g.HostID("busy") != (ID{}) || g.HostID("c") == (ID{}) {
		t.Errorf("busy is there as %v, c as %v", g.HostID("busy"), g.HostID("c"))
	}
	g.check(t)
}

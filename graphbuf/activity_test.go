package graphbuf

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// bucketsOf are the buckets before the snapshot's in which the times lie, the latest first; those before the 64th count
// for it.
func bucketsOf(s *Snapshot, times []int64) (ago []int) {
	for _, t := range times {
		end := s.Begun + s.Bucket
		ago = append(ago, min(int((end-1-t)/s.Bucket), activityBits-1))
	}
	slices.Sort(ago)
	return slices.Compact(ago)
}

// ages are the buckets of an edge's activity, counted back from the snapshot's, the latest first.
func ages(active uint64) (ago []int) {
	for ; active != 0; active &= active - 1 {
		ago = append(ago, bits.TrailingZeros64(active))
	}
	return ago
}

// TestActivityIsExact compares what edges keep with all the times of their events, on histories of minutes to a year,
// in order and out of it, before and after a restart.
func TestActivityIsExact(t *testing.T) {
	for _, history := range []time.Duration{10 * time.Minute, 6 * time.Hour, 3 * 24 * time.Hour, 29 * 24 * time.Hour, 365 * 24 * time.Hour} {
		for _, window := range []time.Duration{0, 30 * 24 * time.Hour} {
			if window > 0 && history > window {
				continue
			}
			t.Run(fmt.Sprintf("%v of %v", history, window), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(history), uint64(window)))
				cfg := Config{MaxNodes: 100, MaxRelations: 10, MaxEdges: 100, Window: window, Trusted: true}
				g, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				const start = int64(1_790_000_000_000_000_000)
				leap := int64(cfg.Leap())
				times := map[string][]int64{}
				refs := make([]Ref, 1)
				for i := range 3000 {
					at := start + int64(history)/3000*int64(i) - rng.Int64N(max(min(int64(history)/20, leap), 1))
					name := fmt.Sprint("host-", rng.IntN(1+rng.IntN(20)))
					if i == 0 {
						at = start
					}
					at = max(at, start)
					g.Observe([]Event{{Source: []byte(name), Relation: []byte("r"), Destination: []byte("d"), Time: at}}, refs)
					times[name] = append(times[name], at)
				}
				check := func(s *Snapshot) {
					t.Helper()
					if s.Bucket*activityBits < int64(history)*9/10 || s.Bucket > shortestBucket && s.Bucket*activityBits > 3*int64(history) {
						t.Errorf("buckets of %v for a history of %v", time.Duration(s.Bucket), history)
					}
					if s.Bucket <= day && s.Begun%s.Bucket != 0 {
						t.Errorf("a bucket of %v begins at %v", time.Duration(s.Bucket), time.Unix(0, s.Begun).UTC())
					}
					for _, e := range s.Edges {
						want := bucketsOf(s, times[s.Nodes[e.Source].Name])
						if got := ages(e.Active); !slices.Equal(got, want) {
							t.Errorf("%s was seen in the buckets %v, want %v", s.Nodes[e.Source].Name, got, want)
						}
					}
				}
				s := g.Snapshot()
				check(s)

				read := throughBytes(t, s)
				again, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				again.Restore(read)
				r := again.Snapshot()
				if r.Bucket != s.Bucket {
					t.Errorf("a restart makes buckets of %v into some of %v", time.Duration(s.Bucket), time.Duration(r.Bucket))
				}
				check(r)
			})
		}
	}
}

// TestActivityOfOlderStates: where a snapshot has no activity, events are spread evenly between the first and the last.
func TestActivityOfOlderStates(t *testing.T) {
	const start = int64(1_790_000_000_000_000_000)
	s := &Snapshot{
		Nodes: []Name{{Name: "a"}, {Name: "b"}}, Relations: []Name{{Name: "r"}},
		Edges: []Edge{
			{Source: 0, Destination: 1, Count: 2, First: start, Last: start + 32*day - 1},
			{Source: 1, Destination: 0, Count: 1000, First: start + 10*day, Last: start + 20*day},
		},
	}
	g, err := New(Config{MaxNodes: 10, MaxRelations: 2, MaxEdges: 10, Window: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	g.cfg.Window, g.clock.leap, g.clock.step = 0, leapForever, 40*day // nothing goes for its age here
	g.Restore(s)
	got := g.Snapshot()
	if got.Bucket != day/2 {
		t.Fatalf("buckets of %v, want half a day", time.Duration(got.Bucket))
	}
	for _, e := range got.Edges {
		n := len(ages(e.Active))
		if want := map[uint32]int{2: 2, 1000: 21}[e.Count]; n < want-1 || n > want+1 {
			t.Errorf("%d events in %d buckets, want about %d", e.Count, n, want)
		}
	}
}

func TestHalve(t *testing.T) {
	for range 1000 {
		seen, last := rand.Uint64()&rand.Uint64()|1, rand.Int32N(1000)+100
		a := activity{seen: seen, last: last}
		a.raise(1)
		want := map[int32]bool{}
		for _, i := range ages(seen) {
			want[(last-int32(i))>>1] = true
		}
		got := map[int32]bool{}
		for _, i := range ages(a.seen) {
			got[a.last-int32(i)] = true
		}
		if len(got) != len(want) {
			t.Fatalf("%x from %d halves to %v, want %v", seen, last, got, want)
		}
		for b := range want {
			if !got[b] {
				t.Fatalf("%x from %d halves to %v, want %v", seen, last, got, want)
			}
		}
	}
}

// TestNoRoomAllocatesNothing: an event of the past whose triplet finds no room leaves nothing behind.
func TestNoRoomAllocatesNothing(t *testing.T) {
	g, err := New(Config{MaxNodes: 5, MaxRelations: 2, MaxEdges: 1, Window: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	const now = int64(1_790_000_000_000_000_000)
	event := func(source string, at int64) []Event {
		return []Event{{Source: []byte(source), Relation: []byte("r"), Destination: []byte("d"), Time: at}}
	}
	refs := make([]Ref, 1)
	g.Observe(event("a", now), refs)
	late := event("b", now-20*day)
	if n := testing.AllocsPerRun(100, func() { g.Observe(late, refs) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s := g.Snapshot(); len(s.Edges) != 1 || s.Edges[0].Active != 1 {
		t.Errorf("%+v", s.Edges)
	}
}

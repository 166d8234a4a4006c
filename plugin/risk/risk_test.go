package risk

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// host is the ID of some host.
var host = Source{ID: graphbuf.ID{Slot: 7, Gen: 1}}

func event(source, relation, destination string, at time.Duration) *graphbuf.Event {
	const start = 1_700_000_000e9
	return &graphbuf.Event{Source: []byte(source), Relation: []byte(relation), Destination: []byte(destination), Time: start + int64(at)}
}

func wantRisk(t *testing.T, got Pooled, risk float64, triplets int) {
	t.Helper()
	if math.Abs(float64(got.Risk)-risk) > 1e-6 || got.Triplets != triplets {
		t.Errorf("%+v, want a risk of %v by %d triplets", got, risk, triplets)
	}
}

func TestEvidenceAddsUp(t *testing.T) {
	s := NewSources()
	wantRisk(t, s.Add(event("a", "ssh", "x", 0), host, 2), 2, 1)
	wantRisk(t, s.Add(event("a", "ssh", "x", time.Hour), host, 1), 2, 1) // the same once more
	wantRisk(t, s.Add(event("a", "ssh", "x", time.Hour), host, 3), 3, 1) // and stranger than before
	wantRisk(t, s.Add(event("a", "scp", "x", 2*time.Hour), host, 0.5), 3.5, 2)
	wantRisk(t, s.Add(event("b", "ssh", "x", 2*time.Hour), host, 1), 1, 1)
	wantRisk(t, s.Add(event("as", "sh", "x", 2*time.Hour), host, 1), 1, 1) // no part of a name counts for another name
	wantRisk(t, s.Add(event("a", "ssh", "y", 3*time.Hour), host, 1), 4.5, 3)
}

func TestEvidenceExpires(t *testing.T) {
	s := NewSources()
	s.Add(event("a", "ssh", "x", 0), host, 2)
	s.Add(event("a", "ssh", "y", 10*time.Hour), host, 1)
	wantRisk(t, s.Add(event("a", "ssh", "z", Window-1), host, 4), 7, 3)
	wantRisk(t, s.Add(event("a", "ssh", "z", Window), host, 4), 5, 2)
	wantRisk(t, s.Add(event("a", "ssh", "late", -time.Hour), host, 4), 9, 3) // what comes late counts until the window moves
	wantRisk(t, s.Add(event("a", "ssh", "z", Window+time.Minute), host, 4), 5, 2)
	s.Add(event("b", "ssh", "z", 3*Window), host, 1) // another source's session moves the window
	wantRisk(t, s.Add(event("a", "ssh", "z", 2*Window), host, 1), 1, 1)
	wantRisk(t, s.Add(event("a", "ssh", "y", Window), host, 1), 2, 2) // a clock was ahead: what comes before the window adds up all the same
}

// Sessions that became usual do not keep what the first was up.
func TestStrongEvidenceExpiresThoughWeakComes(t *testing.T) {
	s := NewSources()
	s.Add(event("a", "ssh", "x", 0), host, 5)
	wantRisk(t, s.Add(event("a", "ssh", "x", 23*time.Hour), host, 0.1), 5, 1)
	wantRisk(t, s.Add(event("a", "ssh", "x", 25*time.Hour), host, 0.1), 0.1, 1)
	wantRisk(t, s.Add(event("a", "ssh", "x", 48*time.Hour), host, 0.1), 0.1, 1)
}

// A source has room for the triplets that say most.
func TestMostTripletsOfASource(t *testing.T) {
	s := NewSources()
	for i := range 100 {
		s.Add(event("a", "ssh", fmt.Sprint(i), 0), host, float32(i%50))
	}
	want := 0.0
	for i := range maxTriplets {
		want += float64(49 - i/2)
	}
	wantRisk(t, s.Add(event("a", "ssh", "0", 0), host, 0), want, maxTriplets)
}

// A flood of slightly odd sources does not drive out one that is odder.
func TestAFloodOfSources(t *testing.T) {
	s := NewSources()
	s.Add(event("odd", "ssh", "x", 0), host, 5)
	for i := range 5 * maxSources {
		s.Add(event(fmt.Sprint("scanner-", i), "ssh", "x", time.Hour), host, 1)
	}
	if len(s.rows) != maxSources {
		t.Errorf("%d sources, want %d", len(s.rows), maxSources)
	}
	wantRisk(t, s.Add(event("odd", "ssh", "y", time.Hour), host, 1), 6, 2)
	// What is over makes room first.
	s.Add(event("late", "ssh", "x", Window+2*time.Hour), host, 1)
	s.Add(event("later", "ssh", "x", Window+2*time.Hour), host, 1)
	wantRisk(t, s.Add(event("late", "ssh", "x", Window+2*time.Hour), host, 1), 1, 1)
}

// Sources of one name add up together, and are reached each by itself.
func TestEvidenceOfManySources(t *testing.T) {
	s := NewSources()
	network := Source{ID: host.ID, Name: []byte("2001:db8::/64")}
	s.Add(event("jump", "ssh", "2001:db8::2", 0), Source{ID: graphbuf.ID{Slot: 8, Gen: 1}}, 2)
	wantRisk(t, s.Add(event("2001:db8::1", "ssh", "x", 0), network, 1), 1, 1)
	p := s.Add(event("2001:db8::2", "ssh", "y", time.Hour), network, 2)
	wantRisk(t, p, 5, 2) // 3 of their own, and 2 of who came to this one
	if p.ReachedBy.Slot != 8 {
		t.Errorf("reached by %v", p.ReachedBy)
	}
	wantRisk(t, s.Add(event("2001:db8::1", "ssh", "x", time.Hour), network, 1), 3, 2)
	wantRisk(t, s.Add(event("2001:db8::3", "ssh", "x", time.Hour), network, 1), 3, 2) // the same by another address
}

// Ever new sources, odder than a known host that goes slowly, leave it its row. A new one shares theirs.
func TestAFloodOfNewSources(t *testing.T) {
	s := NewSources()
	n := 0
	decoys := func(k int) {
		for range k {
			s.Add(event(fmt.Sprint("decoy-", n), "ssh", "x", time.Minute), Source{ID: host.ID, New: true}, 3)
			n++
		}
	}
	decoys(maxSources)
	var known Pooled
	for i := range maxTriplets {
		known = s.Add(event("known", "ssh", fmt.Sprint(i), time.Hour), host, 1)
		decoys(100)
	}
	wantRisk(t, known, maxTriplets, maxTriplets)
	for i := range maxSources {
		s.Add(event(fmt.Sprint("known-", i), "ssh", "x", time.Hour), host, 1)
		decoys(1)
	}
	isNew := 0
	for i := range s.rows {
		if s.rows[i].isNew {
			isNew++
		}
	}
	if isNew != maxNew {
		t.Errorf("%d rows of new sources, want %d", isNew, maxNew)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	s, r := NewSources(), NewReports(maxReports)
	events := make([]*graphbuf.Event, 3*maxSources)
	for i := range events {
		events[i] = event(fmt.Sprint("scanner-", i%(2*maxSources)), "ssh", fmt.Sprint("scanner-", (i+1)%(3*maxSources)), 0)
	}
	i := 0
	if n := testing.AllocsPerRun(len(events), func() {
		s.Add(events[i%len(events)], host, 1)
		r.Has(events[i%len(events)])
		r.Add(events[i%len(events)])
		i++
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSourcesByManyAtOnce(t *testing.T) {
	s, r := NewSources(), NewReports(maxReports)
	var reported atomic.Int32
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 500 {
				s.Add(event("a", "ssh", fmt.Sprint(i%maxTriplets), 0), host, 1)
				r.Has(event(fmt.Sprint(w, i%50), "ssh", "x", 0))
				if r.Add(event(fmt.Sprint(i%50), "ssh", "x", 0)) {
					reported.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if n := reported.Load(); n != 50 {
		t.Errorf("50 sources were reported %d times", n)
	}
	wantRisk(t, s.Add(event("a", "ssh", "0", 0), host, 1), maxTriplets, maxTriplets)
}

func BenchmarkAddToFullTable(b *testing.B) {
	s := NewSources()
	events := make([]*graphbuf.Event, 4*maxSources)
	for i := range events {
		events[i] = event(fmt.Sprint("scanner-", i), "ssh", "x", 0)
	}
	for i := 0; b.Loop(); i++ {
		s.Add(events[i%len(events)], host, 1)
	}
}

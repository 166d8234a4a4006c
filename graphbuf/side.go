package graphbuf

import (
	"math"
	"time"
)

// side is what the graph knows of a name in one of its parts.
type side struct {
	events     uint32
	neighbours uint32 // of a source its destinations, of a destination or a relation its sources
	relations  uint32 // of a source
	// Of a source: new destinations, faded to a time less than a step of Fade before the newest one.
	burst   float32
	burstAt int64
	since   int64 // its first event, in unix nanoseconds
	came    int64 // and the graph's time when that came, or since where another counter or a snapshot told it
}

// Fade is what a new destination still counts some nanoseconds later: half after a day, in steps
// of a fade of 1/1500 each, and nothing after 64 days. Negative times count as none.
func Fade(nanoseconds int64) float32 {
	if nanoseconds < 0 {
		return 1
	}
	steps := uint64(nanoseconds) / fadeStep
	if steps>>fadeBits >= 64 {
		return 0
	}
	return fades[steps&(1<<fadeBits-1)] / float32(uint64(1)<<(steps>>fadeBits))
}

const (
	fadeBits = 10
	fadeStep = uint64(24*time.Hour) >> fadeBits
)

// fades are the steps of the first day: every event asks, and an exponential would cost it
// a twentieth of its time.
var fades = func() (table [1 << fadeBits]float32) {
	for i := range table {
		table[i] = float32(math.Exp2(-float64(i) / (1 << fadeBits)))
	}
	return table
}()

// fade returns the new destinations as they count at t.
func (s *side) fade(t int64) float32 {
	switch {
	case s.burst == 0:
		return 0
	case t <= s.burstAt:
		return s.burst
	}
	return s.burst * Fade(since(t, s.burstAt))
}

// neighbour counts a neighbour that was first met at t, as the graph learned at a time.
func (s *side) neighbour(t, learned int64) {
	if s.neighbours++; s.neighbours == 1 {
		s.since, s.came = t, learned
	}
}

// begin has a name begin at t, as the graph learned at a time, where it begins later.
func (s *side) begin(t, learned int64) { s.since, s.came = min(s.since, t), min(s.came, learned) }

// meet counts a new destination at t. Late ones come faded, so that the order does not matter. Time goes on in whole
// steps of Fade: new destinations that follow one another faster would otherwise never fade.
func (s *side) meet(t int64) {
	switch {
	case s.burst == 0:
		s.burst, s.burstAt = 1, t
		return
	case t >= s.burstAt:
		now := s.burstAt + int64(uint64(since(t, s.burstAt))/fadeStep*fadeStep)
		s.burst, s.burstAt = s.fade(now), now
	}
	s.burst += Fade(since(s.burstAt, t))
}

// remeet has a destination count as met at an earlier time than before.
func (s *side) remeet(was, is int64) {
	if s.burst > 0 {
		s.burst = max(0, s.burst-Fade(since(s.burstAt, was))) + Fade(since(s.burstAt, is))
	}
}

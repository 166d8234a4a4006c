package graphbuf

import (
	"testing"
	"time"
)

// TestSlicesSurviveARestart has a graph and its slices saved and restored in the middle: no event counts twice, and
// what is over is not read again.
func TestSlicesSurviveARestart(t *testing.T) {
	events, agent := fleet(5, 3000, 10*time.Hour)
	o := &other{}
	for _, e := range events {
		o.events = append(o.events, arrived{e, e.Time + int64(5*time.Minute)})
	}
	g, err := New(mergeConfig)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if i%100 == 0 {
			o.pull(g, events[i].Time, mergeConfig.Window)
		}
		if i%700 == 699 {
			snapshot, slices := g.Snapshot(), g.AppendSlices(nil)
			if g, err = New(mergeConfig); err != nil {
				t.Fatal(err)
			}
			g.Restore(snapshot)
			if err := g.RestoreSlices(slices); err != nil {
				t.Fatal(err)
			}
			if _, begun, complete := g.Slices(); !begun || !complete {
				t.Fatal("what is over would be read again")
			}
		}
		if agent[i] == 0 {
			g.Observe(events[i:i+1], make([]Ref, 1))
		}
	}
	o.pull(g, events[len(events)-1].Time+int64(time.Hour), mergeConfig.Window)
	compareGraphs(t, g, graphOf(t, events))
}

// TestDamagedSlicesAreRefused cuts the bytes at each place, and changes each byte.
func TestDamagedSlicesAreRefused(t *testing.T) {
	g := graphOf(t, nil)
	g.BeginSlices(mergeStart)
	events, _ := fleet(1, 20, time.Minute)
	g.Observe(events, make([]Ref, len(events)))
	if len(g.AppendSlices(nil)) > 0 {
		t.Error("slices are saved before what is over was read")
	}
	g.EndReading(mergeStart)
	whole := g.AppendSlices(nil)
	other := graphOf(t, events)
	for n := range len(whole) {
		if err := other.RestoreSlices(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken", n, len(whole))
		}
	}
	if _, begun, _ := other.Slices(); begun {
		t.Error("damaged bytes changed the graph")
	}
	for i := range whole {
		b := append([]byte(nil), whole...)
		b[i] ^= 0xff
		other.RestoreSlices(b) // an error or not, no panic
	}
}

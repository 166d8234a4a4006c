package graphbuf

import (
	"bytes"
	"slices"
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

// TestSlicesThatMoveOnWhileTheyAreSaved has a pull come to its end after the beginnings of the slices were written and
// before the counts are: they do not belong together, and sessions would count twice after a restart.
func TestSlicesThatMoveOnWhileTheyAreSaved(t *testing.T) {
	g := graphOf(t, nil)
	g.BeginSlices(mergeStart)
	events, _ := fleet(1, 200, time.Minute)
	g.Observe(events, make([]Ref, len(events)))
	g.EndReading(mergeStart)
	head, slides, complete := g.appendSlicesHead(nil)
	if !complete {
		t.Fatal("what is over was read")
	}
	before, ok := g.appendCounts(slices.Clone(head), slides)
	if !ok || !bytes.Equal(before, g.AppendSlices(nil)) {
		t.Error("slices that stay are refused, or not those of AppendSlices")
	}
	g.EndReading(mergeStart + 2*int64(OverlapLength))
	if after, ok := g.appendCounts(slices.Clone(head), slides); ok {
		t.Errorf("counts of other slices are taken; they differ from those before: %v", !bytes.Equal(before, after))
	}
	if len(g.AppendSlices(nil)) == 0 {
		t.Error("nothing is saved of slices that have moved on")
	}
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

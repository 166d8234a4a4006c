package model

import (
	"math"
	"slices"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/modeltest"
)

// A warm training makes as many steps as there is something new: in time, or in triplets where a log is read that is
// older than what was known. They add up to the same however often one trains.
func TestStepsOfWarmTrainings(t *testing.T) {
	cfg := quickConfig()
	cfg.Dim, cfg.Steps = 8, 400
	events := modeltest.Teams(1, 40, 3000)
	of := func(from, to int) *graphbuf.Snapshot { return modeltest.Graph(t, events[from:to]).Snapshot() }
	most := withNewest(cfg.Steps / 4)
	first, _ := train(t, of(0, 2000), cfg)

	inOne, inTen := cfg, cfg
	inOne.Previous = first.Model()
	_, one := train(t, of(0, 2050), inOne)
	if one.Steps < 20 || one.Steps >= most {
		t.Errorf("one in forty more: %d steps, want some and less than %d", one.Steps, most)
	}
	sum, last := 0, first.Model()
	for to := 2005; to <= 2050; to += 5 {
		inTen.Previous = last
		s, r := train(t, of(0, to), inTen)
		if !r.Warm || r.Steps < 1 || r.Steps > one.Steps { // each covers several periods
			t.Fatalf("%+v", r)
		}
		sum, last = sum+r.Steps, s.Model()
	}
	if sum < one.Steps*3/4 || sum > one.Steps*3/2 {
		t.Errorf("one in forty more: %d steps in ten trainings, %d in one", sum, one.Steps)
	}

	same := cfg
	same.Previous = first.Model()
	if s, r := train(t, of(0, 2000), same); r.Steps != 0 || r.Kept || r.Quality != r.Previous || !slices.Equal(s.Model().params.Get("hidden").Value, first.Model().params.Get("hidden").Value) {
		t.Errorf("nothing new: %d steps, want none; %+v", r.Steps, r)
	}
	few := cfg
	few.Steps = 8
	start, _ := train(t, of(0, 2000), few)
	sum, last = 0, start.Model()
	for to := 2005; to <= 2500; to += 5 { // a step is due less often than one trains
		few.Previous = last
		s, r := train(t, of(0, to), few)
		sum, last = sum+r.Steps, s.Model()
	}
	if want := withNewest(warmWorth * few.Steps / 5); sum < want*3/4 || sum > want*3/2 {
		t.Errorf("a fifth of the time in a hundred trainings: %d steps, want some %d", sum, want)
	}
	late, _ := train(t, of(1000, 2000), cfg)
	older := cfg
	older.Previous = late.Model()
	if _, r := train(t, of(0, 2000), older); r.Steps < 20 {
		t.Errorf("an older log was read: %d steps", r.Steps)
	}
	another := cfg
	another.Previous = first.Model()
	if _, r := train(t, of(0, 1000), another); !r.Warm || r.Steps != most {
		t.Errorf("another log: %+v, want %d steps", r, most)
	}
	before := cfg
	before.Previous = first.Model().clone()
	before.Previous.heldOut, before.Previous.until = first.Model().heldOut, 0
	if _, r := train(t, of(0, 2020), before); r.Warm || r.Steps != withNewest(cfg.Steps) {
		t.Errorf("a model of a version before: %+v, want a cold start", r)
	}
}

// However long trainings go on, the relational score stays within bounds.
func TestTheRelationalScoreFades(t *testing.T) {
	cfg := quickConfig()
	cfg.Dim, cfg.Steps = 8, 400
	events := modeltest.Teams(1, 40, 3000)
	s, _ := train(t, modeltest.Graph(t, events).Snapshot(), cfg)
	largest := func(m *Model) float32 {
		v := m.params.Get("relation").Value
		return max(slices.Max(v), -slices.Min(v))
	}
	m, before := s.Model().clone(), largest(s.Model())
	m.fade(100)
	if got, want := largest(m), before*float32(math.Exp(-1)); before == 0 || math.Abs(float64(got-want)) > 1e-6 {
		t.Errorf("%v after a hundred steps, was %v, want %v", got, before, want)
	}
	if largest(s.Model()) != before {
		t.Error("the model that it was cloned from has changed")
	}
}

// A model that goes on has its inputs scaled to what data are like by then, and computes with that what it did before.
func TestScalingFollowsTheData(t *testing.T) {
	cfg := quickConfig()
	events := modeltest.Teams(1, 40, 3000)
	snap := func(n int) *graphbuf.Snapshot { return modeltest.Graph(t, events[:n]).Snapshot() }
	first, _ := train(t, snap(200), cfg)
	early := first.Model()

	moved := early.clone()
	cold, _ := train(t, snap(3000), cfg)
	moved.rescale(cold.Model().scaling)
	moved.scaling = cold.Model().scaling
	if moved.scaling == early.scaling {
		t.Fatal("the data are alike: the test shows nothing")
	}
	a, b := early.Scorer(snap(3000), 1, nil), moved.Scorer(snap(3000), 1, nil)
	g := modeltest.Graph(t, events)
	for i := range 100 {
		var ref [1]graphbuf.Ref
		e := events[i*29]
		e.Relation = []byte("client-1")
		g.Look([]graphbuf.Event{e}, ref[:])
		if x, y := a.Score(nil, &e, &ref[0]), b.Score(nil, &e, &ref[0]); math.Abs(logit(x)-logit(y)) > 1e-2 {
			t.Fatalf("%s: %v with the scaling of the training, %v with another", e.Source, x, y)
		}
	}

	for _, c := range []struct {
		events int
		anew   bool
	}{{204, false}, {3000, true}, {100, true}} {
		cfg.Previous = early
		s, r := train(t, snap(c.events), cfg)
		if m := s.Model(); !r.Warm || (m.scaling != early.scaling) != c.anew || (m.measured != early.measured) != c.anew {
			t.Errorf("%d events: scaling as before %v, measured on %+v", c.events, m.scaling == early.scaling, m.measured)
		}
		if c.events == 3000 && s.Model().scaling != cold.Model().scaling {
			t.Error("the scaling is another than that of a cold start")
		}
		var again Model
		if err := again.UnmarshalBinary(encoded(t, s.Model())); err != nil || again.measured != s.Model().measured {
			t.Errorf("decoded: %+v, %v", again.measured, err)
		}
	}
}

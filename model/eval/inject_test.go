package eval

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/simulate"
)

func TestInject(t *testing.T) {
	sessions, _ := simulated(t, func(c *simulate.Config) {
		c.Hosts, c.Teams, c.SessionsPerDay, c.AttacksPerDay = 60, 3, 300, 0
	})
	out := Inject(sessions, 0.5, 20, 3)
	kinds := map[string]int{}
	known := map[string]bool{}
	for i, s := range out {
		pair, whole := string(s.Source)+"|"+string(s.Destination), string(s.Source)+"|"+string(s.Destination)+"|"+string(s.Relation)
		kinds[s.Label]++
		switch s.Label {
		case simulate.LabelLateral, simulate.LabelNewSource:
			if known[pair] {
				t.Errorf("%s: the pair %s was there before", s.Label, pair)
			}
			if known["s"+string(s.Source)] != (s.Label == simulate.LabelLateral) {
				t.Errorf("%s: source %s", s.Label, s.Source)
			}
		case simulate.LabelStrangeTool:
			if !known[pair] || known[whole] {
				t.Errorf("strange tool: pair known %v, triplet known %v", known[pair], known[whole])
			}
		}
		known[pair], known[whole], known["s"+string(s.Source)] = true, true, true
		if i > 0 && s.Time < out[i-1].Time {
			t.Fatal("not in order of time")
		}
	}
	planted := len(out) - len(sessions)
	if want := len(sessions) / 2 / 20; math.Abs(float64(planted-want)) > 0.3*float64(want) || kinds[""] != len(sessions) {
		t.Errorf("%d planted among %d, want about %d", planted, len(sessions), want)
	}
	for _, k := range []string{simulate.LabelLateral, simulate.LabelStrangeTool, simulate.LabelNewSource} {
		if kinds[k] < planted/5 {
			t.Errorf("%d of %d are of kind %s", kinds[k], planted, k)
		}
	}
	again := Inject(sessions, 0.5, 20, 3)
	if !slices.EqualFunc(out, again, func(a, b Session) bool {
		return a.Label == b.Label && a.Time == b.Time && bytes.Equal(a.Source, b.Source)
	}) {
		t.Error("the same seed plants differently")
	}
}

// What is planted is judged, behind a session that is learned from alone too.
func TestInjectPlantsAnomaliesThatAreJudged(t *testing.T) {
	sessions, _ := simulated(t, func(c *simulate.Config) {
		c.Hosts, c.Teams, c.SessionsPerDay, c.AttacksPerDay = 60, 3, 300, 0
	})
	for i := range sessions {
		sessions[i].Ignored, sessions[i].Note = i%4 != 0, "of the session before"
	}
	planted := 0
	for _, s := range Inject(sessions, 0.5, 20, 3) {
		if s.Label == "" {
			continue
		}
		planted++
		if s.Ignored || s.Note != "" {
			t.Fatalf("planted: %+v", s)
		}
	}
	if planted == 0 {
		t.Error("nothing is planted")
	}
}

// Sessions of a time that is far before 1970 come first.
func TestInjectSortsAnyTimes(t *testing.T) {
	session := func(at int64) Session {
		return Session{Event: graphbuf.Event{Source: []byte("a"), Relation: []byte("r"), Destination: []byte("d"), Time: at}}
	}
	out := Inject([]Session{session(math.MaxInt64), session(0), session(math.MinInt64)}, 1, 1, 1)
	if out[0].Time != math.MinInt64 || out[1].Time != 0 || out[2].Time != math.MaxInt64 {
		t.Errorf("%d, %d, %d", out[0].Time, out[1].Time, out[2].Time)
	}
}

package eval

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/simulate"
)

// Days 1 to 3 have benign triplets with the scores 0.30, 0.31 and so on. The repeated pair comes on each of them; on
// day 1 it is behind 21 benign triplets and one of the slow attacker's, on day 3 it would be in the 14th place. Of the
// slow attacker's servers one is in the 21st place, which is not shown, the next in the 20th, which is, the others
// before it.
func TestResistanceByHand(t *testing.T) {
	scores := map[string]float64{"pair": 0.505, "s1": 0.495, "s2": 0.485, "s3": 0.1, "s4": 0.1}
	for i := range 30 {
		scores[fmt.Sprint("b", i)] = 0.3 + float64(i)/100
	}
	noted := func(text string, hours float64, note string) Session {
		s := session(text, hours, simulate.LabelLateral)
		s.Note = note
		return s
	}
	sessions := []Session{session("a ssh d", 0, "")}
	day := func(n float64, benign int, slow ...string) {
		for i := range benign {
			sessions = append(sessions, session(fmt.Sprint("a ssh b", i), 24*n, ""))
		}
		sessions = append(sessions, noted("x ssh pair", 24*n, simulate.NoteBruteForce))
		for _, s := range slow {
			sessions = append(sessions, noted("y ssh "+s, 24*n, simulate.NoteSlow))
		}
	}
	day(1, 30, "s1")
	day(2, 30, "s2")
	day(3, 10, "s3", "s4")
	var learned []*graphbuf.Snapshot
	out, err := Resistance(t.Context(), sessions, Plan{From: 1}, []Method{fixed(scores, &learned)}, 1)
	want := ResistanceResult{Method: "fixed", PairRank: 23, Missed: 1, FirstHalf: 0.5, SecondHalf: 1}
	if err != nil || len(out) != 1 || out[0] != want {
		t.Fatalf("got %+v, %v, want %+v", out, err, want)
	}
	var b bytes.Buffer
	if err := PrintResistance(&b, SummarizeResistance([][]ResistanceResult{out, out})); err != nil {
		t.Fatal(err)
	}
	cells := regexp.MustCompile(" {2,}").Split(strings.Split(b.String(), "\n")[1], -1)
	if want := []string{"fixed", "23.0 ± 0.0", "1.0 ± 0.0", "0.50 ± 0.00", "1.00 ± 0.00"}; !slices.Equal(cells, want) {
		t.Errorf("got %q, want %q", cells, want)
	}
}

// A method that sees nothing of a slow attacker misses all servers.
func TestResistanceOfABlindMethod(t *testing.T) {
	var sessions []Session
	for i := range 2 * Shown {
		sessions = append(sessions, session(fmt.Sprint("a ssh b", i), 24, ""))
	}
	attack := session("y ssh s", 24, simulate.LabelLateral)
	attack.Note = simulate.NoteSlow
	var learned []*graphbuf.Snapshot
	out, err := Resistance(t.Context(), append(sessions, attack), Plan{}, []Method{fixed(map[string]float64{"s": 1}, &learned)}, 1)
	if err != nil || len(out) != 1 || out[0].Missed != 1 || out[0].SecondHalf != 0 || !math.IsNaN(out[0].FirstHalf) || !math.IsNaN(out[0].PairRank) {
		t.Fatalf("got %+v, %v", out, err)
	}
	// Without attackers there is nothing to miss.
	out, err = Resistance(t.Context(), sessions, Plan{}, []Method{fixed(map[string]float64{"s": 1}, &learned)}, 1)
	if err != nil || len(out) != 1 || !math.IsNaN(out[0].Missed) || !math.IsNaN(out[0].SecondHalf) {
		t.Fatalf("without attackers: %+v, %v", out, err)
	}
}

// The floor of `rgcn eval -resistance`: neither two thousand repeats of a pair in an afternoon nor fourteen new servers
// in a week become usual before they were shown.
func TestPatientAttackersAreShown(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) {
		c.Hosts, c.SessionsPerDay, c.AttacksPerDay = 200, 1000, 0
		c.Days, c.SlowTargets, c.BruteForce = 14, 14, 2000
	})
	cfg := model.DefaultConfig()
	cfg.Dim, cfg.Steps, cfg.Threads = 64, 200, 2
	out, err := Resistance(t.Context(), sessions, Plan{From: c.AttackStart}, []Method{Trained("R-GCN", cfg)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", out[0])
	if e := out[0]; e.PairRank > Shown/2 || e.Missed > 2 || e.FirstHalf < 0.5 || e.SecondHalf < 0.4 {
		t.Errorf("%+v", e)
	}
}

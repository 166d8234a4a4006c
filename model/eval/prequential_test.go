package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/simulate"
)

// TestMethodsLearnFromThePastOnly: what a method gets to see on a day is what came before it.
func TestMethodsLearnFromThePastOnly(t *testing.T) {
	sessions, c := simulated(t, func(c *simulate.Config) { c.Hosts, c.Teams, c.SessionsPerDay = 60, 3, 200 })
	const day = int64(86400e9)
	start := sessions[0].Time - sessions[0].Time%day
	today := c.AttackStart - 1
	judged := 0
	spy := Method{Name: "spy", Learn: func(_ context.Context, before *graphbuf.Snapshot) (Score, float64, error) {
		today++
		for _, e := range before.Edges {
			if e.Last >= start+int64(today)*day {
				t.Fatalf("day %d is judged by an event of day %d", today, (e.Last-start)/day)
			}
		}
		return func(_ *graphbuf.Graph, _ *graphbuf.Event, r *graphbuf.Ref) float64 {
			judged++
			if d := int((r.Time - start) / day); d != today {
				t.Fatalf("a session of day %d is judged on day %d", d, today)
			}
			return 1
		}, 0, nil
	}}
	results, err := Prequential(t.Context(), sessions, Plan{From: c.AttackStart}, []Method{spy}, 1)
	if err != nil {
		t.Fatal(err)
	}
	distinct := map[string]bool{}
	for _, s := range sessions {
		if d := (s.Time - start) / day; d >= int64(c.AttackStart) {
			distinct[fmt.Sprintf("%d %s|%s|%s", d, s.Source, s.Relation, s.Destination)] = true
		}
	}
	if judged != len(distinct) {
		t.Errorf("%d triplets judged, %d are distinct on their day", judged, len(distinct))
	}
	if r := results[0]; r.AUC != 0.5 || r.Alerts != 0 {
		t.Errorf("a constant score: %+v", r)
	}
}

// The floor that no change may fall below, on seeds that nothing was tuned on.
func TestTheModelBeatsCounting(t *testing.T) {
	var runs [][]Result
	for _, seed := range []uint64{9001, 9002} {
		sessions, c := simulated(t, func(c *simulate.Config) { c.Seed = seed })
		cfg := model.DefaultConfig()
		cfg.Seed = seed
		counting := cfg
		counting.Without = []string{"structure", "names", "neighbours", "fan-out", "recent", "half-days", "campaigns"}
		r, err := Prequential(t.Context(), sessions, Plan{From: c.AttackStart}, []Method{Trained("model", cfg), Trained("counts", counting), NeverSeen()}, seed)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	rows := Summarize(runs)
	m, counts, rule := rows[0], rows[1], rows[2]
	t.Logf("AP %.3f, counts %.3f, rule %.3f", m.AP.Mean, counts.AP.Mean, rule.AP.Mean)
	if m.AP.Mean < counts.AP.Mean || m.AUC.Mean < counts.AUC.Mean || m.Recall40.Mean < counts.Recall40.Mean {
		t.Errorf("the model %+v is below the count prior %+v", m, counts)
	}
	if m.AUC.Mean < 0.98 || m.AP.Mean < 0.5 || m.Recall20.Mean < 0.45 || m.Recall40.Mean < 0.75 {
		t.Errorf("below the goal: %+v", m)
	}
	if counts.AP.Mean < rule.AP.Mean {
		t.Errorf("counting %+v is below the rule %+v", counts, rule)
	}
}

func TestPartsJudgeEverySession(t *testing.T) {
	sessions, _ := simulated(t, func(c *simulate.Config) { c.Hosts, c.Teams, c.SessionsPerDay = 60, 3, 200 })
	learned := 0
	m := Method{Name: "x", Learn: func(context.Context, *graphbuf.Snapshot) (Score, float64, error) {
		learned++
		return func(*graphbuf.Graph, *graphbuf.Event, *graphbuf.Ref) float64 { return 0.1 }, 0.5, nil
	}}
	r, err := Parts(t.Context(), sessions, 0.75, 4, []Method{m}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := float64(len(sessions)-len(sessions)*3/4) / 4; learned != 4 || math.Abs(r[0].Alerts-want) > 1 {
		t.Errorf("learned %d times, %v alerts a part, want 4 and %v", learned, r[0].Alerts, want)
	}
}

// On the notebook's own file, with anomalies planted among its last sessions, the model has to
// find them better than the rule that flags what was never seen.
func TestTheModelBeatsTheRuleOnTheNotebooksFile(t *testing.T) {
	b := samples.Read(t, samples.Notebook)
	var sessions []Session
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		c := strings.Split(line, "\t")
		ts, err := strconv.ParseFloat(c[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, Session{Event: graphbuf.Event{
			Source: []byte(c[2]), Relation: []byte(c[8]), Destination: []byte(c[4]), Time: int64(ts * 1e9),
		}})
	}
	slices.SortStableFunc(sessions, func(a, b Session) int { return int(min(max(a.Time-b.Time, -1), 1)) })
	var runs [][]Result
	for _, seed := range []uint64{11, 12} {
		cfg := model.DefaultConfig()
		cfg.Seed = seed
		r, err := Parts(t.Context(), Inject(sessions, 0.4, 30, seed), 0.4, 3, []Method{Trained("model", cfg), NeverSeen()}, seed)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	rows := Summarize(runs)
	t.Logf("AUC %.3f, rule %.3f; AP %.3f, rule %.3f", rows[0].AUC.Mean, rows[1].AUC.Mean, rows[0].AP.Mean, rows[1].AP.Mean)
	if rows[0].AUC.Mean <= rows[1].AUC.Mean || rows[0].AP.Mean <= 1.5*rows[1].AP.Mean {
		t.Errorf("model %+v, rule %+v", rows[0], rows[1])
	}
}

package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// alert is what the tests of alerts read of an enriched record.
type alert struct {
	triplet       string
	day           time.Time
	low           bool
	reason, label string
}

// replayed makes the sessions of an enterprise and replays them, training once a day.
func replayed(t *testing.T, simulation []string, settings ...string) (alerts []alert) {
	t.Helper()
	dir := t.TempDir()
	sim, out := filepath.Join(dir, "sim.ndjson"), filepath.Join(dir, "out.ndjson")
	mustRun(t, slices.Concat([]string{"simulate", "-o", sim}, simulation)...)
	args := []string{"replay", "-q", "-set", "train_interval=1d", "-set", "explain=true", "-o", out}
	for _, s := range settings {
		args = append(args, "-set", s)
	}
	mustRun(t, append(args, sim)...)
	for _, line := range lines(t, read(t, out)) {
		r := decode(t, line)
		text := func(key string) string { s, _ := r[key].(string); return s }
		alerts = append(alerts, alert{
			triplet: text("id.orig_h") + " " + text("client") + " " + text("id.resp_h"),
			day:     time.Unix(int64(r["ts"].(float64)), 0).UTC().Truncate(24 * time.Hour),
			low:     r["low_score"].(bool), reason: text("score_reason"), label: text("label"),
		})
	}
	return alerts
}

// Working days are alike, so on each of them a budget of 20 is to give 20 alerts, and at
// most 5 more or less, Mondays after a weekend included. With attacks, more than that is strange on each of them.
func TestABudgetIsKept(t *testing.T) {
	flagged := map[time.Time]map[string]bool{}
	var first time.Time
	for _, a := range replayed(t, []string{"-seed", "73", "-days", "19"}, "threshold_method=budget", "threshold_per_day=20") {
		if first.IsZero() {
			first = a.day
		}
		if flagged[a.day] == nil {
			flagged[a.day] = map[string]bool{}
		}
		if a.low {
			flagged[a.day][a.triplet] = true
		}
	}
	kept, days := 0, 0
	for day, triplets := range flagged {
		week := int(day.Sub(first) / (7 * 24 * time.Hour))
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday || week == 0 {
			continue
		}
		days++
		n := len(triplets)
		if n >= 15 && n <= 25 {
			kept++
		}
		if n < 8 || n > 35 {
			t.Errorf("%s: %d alerts", day.Format("Mon Jan 2"), n)
		}
	}
	if days != 10 || kept < 8 {
		t.Errorf("a budget of 20 gave 15 to 25 alerts on %d of %d working days", kept, days)
	}
}

// The first session of each planted triplet says what is wrong with it.
func TestReasonsOfPlantedAttacks(t *testing.T) {
	want := map[string]string{"lateral": "new_pair", "strange_tool": "new_relation", "new_source": "new_source"}
	seen, right, all := map[string]bool{}, map[string]int{}, map[string]int{}
	for _, a := range replayed(t, []string{"-seed", "31", "-days", "10"}) {
		if a.label == "" || seen[a.triplet] {
			continue
		}
		seen[a.triplet] = true
		all[a.label]++
		if a.reason == want[a.label] {
			right[a.label]++
		} else {
			t.Logf("%s: %s is called %s", a.label, a.triplet, a.reason)
		}
	}
	for label := range want {
		if all[label] < 10 || right[label] < all[label]*19/20 {
			t.Errorf("%s: %d of %d have the reason %s", label, right[label], all[label], want[label])
		}
	}
}

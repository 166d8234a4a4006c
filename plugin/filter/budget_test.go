package filter

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a budget learned of the last days is still there after a restart, and a look by
// another instance spends none of it.
func TestABudgetOutlivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	properties := []string{"state_dir", dir, "threshold_method", "budget", "threshold_per_day", "5"}
	f := offline(t, host(properties...))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	strange := func(i int) []byte { return session(3000+i, fmt.Sprintf("stranger-%d", i), "server-0-1", "client-1") }
	low := func(f *Instance, i int) bool {
		t.Helper()
		out, _ := f.Process(nil, strange(i))
		return decode(t, out)[0].body["low_score"].(bool)
	}
	for i := range 40 {
		low(f, i)
	}
	low(f, 39) // the threshold follows at the next low score
	was := f.Status().Model.Threshold
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	look, err := NewFrozen(host(properties...))
	if err != nil {
		t.Fatal(err)
	}
	low(look, 100)
	if look.judge.frozenThreshold != look.judge.alerts.Usual() {
		t.Errorf("a look judges by %v, usual is %v", look.judge.frozenThreshold, look.judge.alerts.Usual())
	}
	if err := look.Close(); err != nil {
		t.Fatal(err)
	}

	again := offline(t, host(properties...))
	defer again.Close()
	low(again, 39)
	if now := again.Status().Model.Threshold; now != was {
		t.Errorf("the threshold is %v after the restart, was %v", now, was)
	}
}

// What a day has spent of the budget is remembered over a restart in the middle of it: the same sessions have low
// scores as without one.
func TestARestartSpendsNothingTwice(t *testing.T) {
	verdicts := func(restart bool) (low []bool) {
		properties := []string{"state_dir", filepath.Join(t.TempDir(), "state"), "threshold_method", "budget", "threshold_per_day", "5"}
		f := offline(t, host(properties...))
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		for i := range 60 {
			if restart && i == 30 {
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				f = offline(t, host(properties...))
			}
			out, _ := f.Process(nil, session(3000+i, fmt.Sprintf("stranger-%d", i), fmt.Sprintf("elsewhere-%d", i%7), "client-1"))
			low = append(low, decode(t, out)[0].body["low_score"].(bool))
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return low
	}
	without, with := verdicts(false), verdicts(true)
	if !slices.Equal(without, with) || !slices.Contains(without[:30], true) {
		t.Errorf("low without a restart\n%v\nand with one\n%v", without, with)
	}
}

// Whoever raises a budget by more than its days reach is told that it begins anew.
func TestABudgetThatIsRaisedSaysWhatItLeaves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	f := offline(t, host("state_dir", dir, "threshold_method", "budget"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	for day := range 3 {
		for i := range 40 {
			f.Process(nil, session(3000+day*1440+i, fmt.Sprintf("stranger-%d-%d", day, i), "server-0-1", "client-1"))
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for perDay, want := range map[string]bool{"20": false, "40": false, "200": true} {
		h := host("state_dir", dir, "threshold_method", "budget", "threshold_per_day", perDay, "threshold_sources_per_day", "10")
		again, err := NewOffline(h)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(h.log(), "much smaller threshold.per_day than "+perDay+" and"); got != want {
			t.Errorf("threshold.per_day = %s: told of what is left: %v, want %v\n%s", perDay, got, want, h.log())
		}
		if err := again.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/model/eval"
)

// smallWorld has two days with attacks, the eighth and the ninth.
var smallWorld = []string{"-hosts", "60", "-teams", "3", "-sessions", "300", "-days", "9", "-attacks", "6", "-chains", "1"}

// alertFigures runs eval -sources and returns each figure's values by seed.
func alertFigures(t *testing.T, args ...string) map[string][]float64 {
	t.Helper()
	code, out, errs := runEval(t, slices.Concat([]string{"-sources", "-q", "-json"}, smallWorld, small, args)...)
	var rows []struct {
		Figure string
		Seeds  []float64
	}
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	figures := map[string][]float64{}
	for _, r := range rows {
		figures[r.Figure] = r.Seeds
	}
	return figures
}

// What eval -sources says is what the commands simulate and replay give: the same alerts on the same records.
func TestEvalSourcesIsReplay(t *testing.T) {
	got := alertFigures(t, "-seeds", "2", "-seed", "5", "-train-every", "12h")
	for i, seed := range []string{"5", "6"} {
		log, _ := mustRun(t, slices.Concat([]string{"simulate", "-q", "-seed", seed}, smallWorld)...)
		scored, _ := mustRun(t, withSmall("replay", "-q", "-set", "train_interval=12h", "-set", "train_seed="+seed, write(t, "log", log))...)
		var reports, found float64
		attackers, reported, lows := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, line := range lines(t, scored) {
			r := decode(t, line)
			day := math.Floor(r["ts"].(float64) / 86400)
			attacker := fmt.Sprint(day, r["id.orig_h"])
			if r["label"] != nil {
				attackers[attacker] = true
			}
			if day < 20514+7 { // 2026-03-02 is the first day
				continue
			}
			if r["source_alert"] == true {
				reports++
				reported[attacker] = true
			}
			if r["low_score"] == true {
				lows[fmt.Sprint(attacker, r["client"], r["id.resp_h"])] = true
			}
		}
		for a := range attackers {
			if reported[a] {
				found++
			}
		}
		for _, c := range []struct {
			figure string
			want   float64
		}{
			{"days with attacks", 2}, {"attackers a day", float64(len(attackers)) / 2}, {"source alerts a day", reports / 2},
			{"attackers found by source alerts", found / float64(len(attackers))}, {"low scores a day", float64(len(lows)) / 2},
		} {
			if v := got[c.figure][i]; math.Abs(v-c.want) > 1e-9 {
				t.Errorf("seed %s, %s: %v, want %v", seed, c.figure, v, c.want)
			}
		}
		if found == 0 || len(lows) == 0 {
			t.Errorf("seed %s: %v attackers found and %d low scores, want some of both", seed, found, len(lows))
		}
	}
}

// Settings of the filter count, and the attackers of -resistance go with -sources.
func TestEvalSourcesTakesSettings(t *testing.T) {
	if v := alertFigures(t, "-seeds", "1", "-set", "threshold_sources_per_day=0"); v["source alerts a day"][0] != 0 || v["low scores a day"][0] == 0 {
		t.Errorf("without a budget for sources: %v", v)
	}
	if v := alertFigures(t, "-seeds", "1", "-resistance", "-attacks", "0", "-chains", "0", "-slow", "6", "-brute-force", "100"); v["attackers a day"][0] > 2 {
		t.Errorf("of two patient attackers: %v", v)
	}
}

func TestEvalSourcesRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"some.log"}, exitUsage, "-sources reads no files"},
		{[]string{"-methods", "sort"}, exitUsage, "-methods does not go with -sources"},
		{[]string{"-without", "tenure"}, exitUsage, "-without does not go with -sources"},
		{[]string{"-state", t.TempDir()}, exitUsage, "state.dir is set, want it unset"},
		{[]string{"-set", "train_interval=1h"}, exitUsage, "want -train-every in place of -set train_interval"},
		{[]string{"-set", "train_seed=7"}, exitUsage, "want -seed in place of -set train_seed"},
		{[]string{"-set", "train_steps=0"}, exitUsage, "train_steps"},
		{[]string{"-seeds", "1", "-preset", "ecs"}, exitFailed, "want the preset zeek"},
	} {
		code, _, errs := runEval(t, slices.Concat([]string{"-sources"}, smallWorld, c.args)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d: %s", c.args, code, errs)
		}
	}
}

// The table says each figure's mean over the seeds.
func TestEvalSourcesTable(t *testing.T) {
	stdout, _ := mustRun(t, slices.Concat([]string{"eval", "-sources", "-q", "-seeds", "2"}, smallWorld, small)...)
	has(t, stdout, "FIGURE", "BY SEED", "source alerts a day", "days with attacks", "2 ± 0")
	for _, row := range eval.SummarizeAlerts([]eval.AlertResult{{}}) {
		has(t, stdout, row.Figure)
	}
}

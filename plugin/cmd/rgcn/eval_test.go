package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/model/eval"
)

func runEval(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(context.Background(), append([]string{"eval"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestEvalOnASimulation(t *testing.T) {
	small := []string{"-seeds", "1", "-hosts", "60", "-teams", "3", "-sessions", "300", "-days", "9", "-attacks", "6"}
	code, out, errs := runEval(t, small...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"METHOD", "ALERTS/DAY", "R-GCN", "reference objective", "never-seen rule", "count prior", "sort by counts"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	code, out, errs = runEval(t, append(small, "-json")...)
	var rows []eval.Row
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != 6 || rows[0].AUC.Mean < 0.5 {
		t.Errorf("exit %d, %v: %s %s", code, err, out, errs)
	}
}

// Settings given by -set reach the models.
func TestEvalTakesSettings(t *testing.T) {
	alerts := func(perDay string) float64 {
		t.Helper()
		code, out, errs := runEval(t, "-seeds", "1", "-json", "-hosts", "100", "-teams", "4", "-sessions", "500",
			"-set", "model_dim=16", "-set", "train_steps=100", "-set", "threshold_method=budget", "-set", "threshold_per_day="+perDay)
		var rows []eval.Row
		if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil {
			t.Fatalf("exit %d, %v: %s", code, err, errs)
		}
		return rows[0].Alerts.Mean
	}
	if few, many := alerts("3"), alerts("60"); !(few > 0 && few < many) {
		t.Errorf("%v alerts with a budget of 3, %v with one of 60", few, many)
	}
	if code, _, errs := runEval(t, "-set", "model_dim=7"); code != exitUsage || !strings.Contains(errs, "model_dim") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// A world whose attacks begin on its first day is judged in parts of that day.
func TestEvalOnAWorldOfOneDay(t *testing.T) {
	code, out, errs := runEval(t, "-seeds", "1", "-world", "flat", "-parts", "1", "-set", "train_steps=50", "-set", "model_dim=32")
	if code != 0 || !strings.Contains(out, "ALERTS/PART") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := runEval(t, "-resistance", "-world", "flat"); code != exitUsage || !strings.Contains(errs, "want -attack-start 1 or more") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestEvalOnAFile(t *testing.T) {
	dir := t.TempDir()
	labelled, plain := filepath.Join(dir, "labelled"), filepath.Join(dir, "plain")
	var out, errs bytes.Buffer
	sim := []string{"simulate", "-hosts", "60", "-teams", "3", "-sessions", "200", "-days", "9", "-q"}
	if execute(context.Background(), append(sim, "-o", labelled), &out, &errs) != 0 || execute(context.Background(), append(sim, "-o", plain, "-labels=false"), &out, &errs) != 0 {
		t.Fatal(errs.String())
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-seeds", "1", "-parts", "1", "-from", "0.7", labelled}, 0, "ALERTS/PART"},
		{[]string{"-seeds", "1", "-parts", "1", "-inject", plain}, 0, "R-GCN"},
		{[]string{"-seeds", "1", plain}, exitFailed, "-inject plants anomalies"},
		{[]string{"-inject"}, exitUsage, "wants a FILE"},
		{[]string{"-seeds", "0"}, exitUsage, "want 1 to 1000"},
		{[]string{"-from", "1"}, exitUsage, "between 0 and 1"},
		{[]string{"-hosts", "3"}, exitUsage, "hosts"},
		{[]string{filepath.Join(dir, "none")}, exitFailed, "none"},
	} {
		code, out, errs := runEval(t, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: exit %d, want %d and %q in\n%s%s", c.args, code, c.code, c.want, out, errs)
		}
	}
	empty := filepath.Join(dir, "empty")
	os.WriteFile(empty, []byte("{\"a\":1}\n"), 0o600)
	if code, _, errs := runEval(t, empty); code != exitFailed || !strings.Contains(errs, "no record has a source and a destination") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestEvalOfPatientAttackers(t *testing.T) {
	small := []string{"-resistance", "-seeds", "1", "-hosts", "100", "-teams", "4", "-sessions", "300", "-days", "10", "-slow", "6", "-brute-force", "300"}
	code, out, errs := runEval(t, append(small, "-json")...)
	var rows []eval.ResistanceRow
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != 6 || rows[0].PairRank.Mean < 1 {
		t.Errorf("exit %d, %v: %s %s", code, err, out, errs)
	}
	if code, _, errs := runEval(t, "-resistance", "x.log"); code == 0 || !strings.Contains(errs, "-resistance reads no files") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// Any goroutine that is done with a seed draws the bar, so this is for the race detector too. The last count covers all
// seeds.
func TestProgressOfManyGoroutines(t *testing.T) {
	c, b := screen(80)
	e := &env{console: c, stdout: io.Discard}
	v := &evaluation{seeds: 500, jobs: 4}
	runs, err := perSeed(context.Background(), v, e, func(seed uint64) (int, error) { return int(seed), nil })
	if err != nil || len(runs) != 500 || runs[499] != 499 || !strings.HasSuffix(b.String(), eraseLine) {
		t.Errorf("%d runs, %v, %q", len(runs), err, b.String())
	}
}

func TestEvalOfAFleet(t *testing.T) {
	small := []string{"-hosts", "60", "-teams", "3", "-sessions", "300", "-days", "9", "-attacks", "6", "-seeds", "1", "-set", "train_steps=20", "-set", "model_dim=16"}
	for _, split := range []string{"destinations", "sources"} {
		code, out, errs := runEval(t, append(small, "-fleet", "2", "-split", split, "-json")...)
		var rows []eval.Row
		if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != 3 {
			t.Fatalf("exit %d, %v: %s %s", code, err, out, errs)
		}
		for i, want := range []string{"one machine", "fleet", "each agent alone"} {
			if r := rows[i]; r.Method != want || !(r.AUC.Mean > 0.5) {
				t.Errorf("%+v, want %s", r, want)
			}
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-fleet", "-1"}, "want 1 to 100"},
		{[]string{"-fleet", "3", "-split", "teams"}, "want destinations or sources"},
		{[]string{"-split", "sources"}, "-split does not go with"},
		{[]string{"-fleet", "3", "-methods", "sort"}, "-methods does not go with -fleet"},
		{[]string{"-fleet", "3", "-world", "flat"}, "want -attack-start 1 or more"},
		{[]string{"-fleet", "3", "some.log"}, "-fleet reads no files"},
	} {
		if code, _, errs := runEval(t, c.args...); code != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d: %s", c.args, code, errs)
		}
	}
}

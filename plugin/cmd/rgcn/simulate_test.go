package main

import (
	"bytes"
	"context"
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/simulate"
)

func TestSimulate(t *testing.T) {
	args := []string{"simulate", "-hosts", "60", "-teams", "3", "-sessions", "200", "-seed", "5"}
	stdout, stderr := mustRun(t, args...)
	has(t, stderr, " sessions, ", " of them attacks")
	has(t, stdout, `"label":"lateral"`, `"label":"new_source"`, `"note":"`)
	file := filepath.Join(t.TempDir(), "sim")
	if again, _ := mustRun(t, append(args, "-o", file)...); again != "" || read(t, file) != stdout {
		t.Error("the second run, with -o, wrote other bytes")
	}
	if other, _ := mustRun(t, append(args, "-seed", "6")...); other == stdout {
		t.Error("another seed, the same bytes")
	}
	plain, _ := mustRun(t, append(args, "-labels=false")...)
	labelled, bare := lines(t, stdout), lines(t, plain)
	if len(labelled) != len(bare) || strings.Contains(plain, `"label"`) || strings.Contains(plain, `"note"`) {
		t.Fatalf("%d lines with labels, %d without: %.300s", len(labelled), len(bare), plain)
	}
	for i := range bare {
		if !strings.HasPrefix(labelled[i], strings.TrimSuffix(bare[i], "}")) {
			t.Fatalf("line %d: %s with labels, %s without", i+1, labelled[i], bare[i])
		}
	}
	// What it writes, the other commands read.
	_, stderr = mustRun(t, withSmall("train", "-state", t.TempDir(), file)...)
	has(t, stderr, "0 without source or destination")
}

// TestSimulateFlags: every knob has its flag, and the default of the package.
func TestSimulateFlags(t *testing.T) {
	parse := func(args ...string) simulate.Config {
		t.Helper()
		c := simulate.Default()
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		declareSimulation(fs, &c)
		if err := fs.Parse(args); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := parse(); got != simulate.Default() {
		t.Errorf("no flags: got %+v", got)
	}
	want := simulate.Config{
		Seed: 2, Start: time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC), Days: 3, Hosts: 50, Teams: 4, SessionsPerDay: 6,
		TeamPrefixes: true, Novelty: 0.5, AttackStart: 7, AttacksPerDay: 8, Lateral: 9, StrangeTool: 10, NewSource: 11,
		IntrudersOutside: true, SlowTargets: 12, BruteForce: 13,
	}
	got := parse("-seed=2", "-start=2025-01-31", "-days=3", "-hosts=50", "-teams=4", "-sessions=6", "-team-prefixes", "-novelty=0.5",
		"-attack-start=7", "-attacks=8", "-lateral=9", "-strange-tool=10", "-new-source=11", "-intruders-outside", "-slow=12", "-brute-force=13")
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSimulateInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := hook{after: cancel}, bytes.Buffer{}
	if status := run(ctx, []string{"simulate"}, &stdout, &stderr); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	for _, line := range lines(t, stdout.String()) {
		decode(t, line)
	}
}

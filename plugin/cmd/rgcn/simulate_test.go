package main

import (
	"bytes"
	"context"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/model/simulate"
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

// TestSimulateWithoutAttacks asks for attacks that cannot come.
func TestSimulateWithoutAttacks(t *testing.T) {
	args := []string{"simulate", "-hosts", "60", "-teams", "3", "-sessions", "50", "-days", "2"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-chains", "5"}, "no session will be an attack: attack start 7: the last of 2 days is day 1, as they are counted from 0 (-attack-start, "},
		{[]string{"-attacks", "0", "-slow", "3"}, "no session will be an attack: attack start 7"},
		{[]string{"-attacks", "0", "-attack-start", "1", "-returns", "0.5"}, "no session will be an attack: returns 0.5: "},
		{[]string{"-attacks", "0"}, ""},
		{[]string{"-chains", "5", "-attack-start", "1"}, ""},
	} {
		_, stderr := mustRun(t, append(args, c.args...)...)
		if c.want == "" && strings.Contains(stderr, "no session will") || !strings.Contains(stderr, c.want) || c.want != "" && !strings.Contains(stderr, ", 0 of them attacks") {
			t.Errorf("%q: %s", c.args, stderr)
		}
	}
}

// parseSimulation is the configuration that flags make.
func parseSimulation(t testing.TB, args ...string) simulate.Config {
	t.Helper()
	c := simulate.Default()
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	declareSimulation(fs, &c)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSimulateWorlds: a world sets all but what the flags beside it say,
// wherever they stand.
func TestSimulateWorlds(t *testing.T) {
	for _, name := range simulate.Worlds() {
		want, err := simulate.World(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := parseSimulation(t, "-world", name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		want.Start, want.Days, want.Novelty, want.TeamPrefixes, want.Seed = time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC), 30, 0.1, true, 1<<63
		flags := []string{"-start=2025-01-31", "-days=30", "-novelty=0.1", "-team-prefixes", "-seed=9223372036854775808"}
		for i := range len(flags) + 1 {
			args := slices.Insert(slices.Clone(flags), i, "-world="+name)
			if got := parseSimulation(t, args...); got != want {
				t.Errorf("%q: got %+v, want %+v", args, got, want)
			}
		}
	}
	// What a flag says again holds, even if it is the office's.
	if got := parseSimulation(t, "-days=12", "-world=flat", "-world=busy", "-hosts=400"); got.Days != 12 || got.Hosts != 400 || got.Teams != 15 {
		t.Errorf("%d days, %d hosts, %d teams; want 12, 400 and 15", got.Days, got.Hosts, got.Teams)
	}
	for _, command := range []string{"simulate", "eval"} {
		stdout, _ := mustRun(t, command, "-h")
		for _, name := range simulate.Worlds() {
			has(t, stdout, name+" ", simulate.Summary(name))
		}
		_, stderr, status := rgcn(command, "-world", "moon")
		if has(t, stderr, `world "moon": allowed are office, busy, exposed, flat, large`); status != exitUsage {
			t.Errorf("%s: status %d, want %d", command, status, exitUsage)
		}
	}
	stdout, _ := mustRun(t, "simulate", "-world", "exposed", "-days", "8")
	has(t, stdout, `"direction":"INBOUND"`, `"note":"scan"`, `"label":"lateral"`)
	if _, stderr, status := rgcn("simulate", "-world", "busy", "-hosts", "150", "-team-servers", "9"); status != exitUsage || !strings.Contains(stderr, "leave 135 servers and 3 workstations for 15 teams") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, stderr, status := rgcn("simulate", "-start", "Monday"); status != exitUsage || !strings.Contains(stderr, "want a day such as 2006-01-02") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestSimulateFlags: every knob has its flag, and the default of the package.
func TestSimulateFlags(t *testing.T) {
	parse := func(args ...string) simulate.Config { return parseSimulation(t, args...) }
	if got := parse(); got != simulate.Default() {
		t.Errorf("no flags: got %+v", got)
	}
	want := simulate.Config{
		Seed: 2, Start: time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC), Days: 3, Hosts: 50, Teams: 4, SessionsPerDay: 6,
		TeamPrefixes: true, Novelty: 0.5, AttackStart: 7, AttacksPerDay: 8, Lateral: 9, StrangeTool: 10, NewSource: 11,
		IntrudersOutside: true, SlowTargets: 12, BruteForce: 13, TeamServers: 14, SharedServers: 15, AutomationHosts: 16, Acquaintances: 17,
		Clients: 18, WorkWeekends: true, TakeUps: 1.9, ClientChanges: 2.1, AutomationTargets: 20, ExposedHosts: 21, ScanSources: 22,
		AttackHour: 2, Foothold: 0.3, ServerLife: 2.3, LeaseLife: 2.4, Runners: 25,
	}
	got := parse("-seed=2", "-start=2025-01-31", "-days=3", "-hosts=50", "-teams=4", "-sessions=6", "-team-prefixes", "-novelty=0.5",
		"-attack-start=7", "-attacks=8", "-lateral=9", "-strange-tool=10", "-new-source=11", "-intruders-outside", "-slow=12", "-brute-force=13",
		"-team-servers=14", "-shared-servers=15", "-automation-hosts=16", "-acquaintances=17", "-clients=18", "-work-weekends", "-take-ups=1.9",
		"-client-changes=2.1", "-automation-targets=20", "-exposed=21", "-scan-sources=22", "-attack-hour=2", "-foothold=0.3", "-server-life=2.3", "-lease-life=2.4", "-runners=25")
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSimulateInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := hook{after: cancel}, bytes.Buffer{}
	if status := execute(ctx, []string{"simulate"}, &stdout, &stderr); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	for _, line := range lines(t, stdout.String()) {
		decode(t, line)
	}
}

package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/simulate"
)

var simulateCommand = command{
	name:    "simulate",
	args:    "> FILE",
	summary: "Make the SSH sessions of an enterprise, with labelled attacks, as lines of JSON like Zeek's.",
	example: "rgcn simulate -hosts 400 -days 12 -seed 7 -o sim.ndjson",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		c := simulate.Default()
		declareSimulation(fs, &c)
		var out output
		out.declare(fs)
		labels := fs.Bool("labels", true, "say in label and note which sessions are attacks and what is new; without, the lines are as Zeek's own")
		return func(ctx context.Context, e *env) error { return simulateSessions(ctx, e, c, &out, *labels) }
	},
}

func declareSimulation(fs *flag.FlagSet, c *simulate.Config) {
	fs.Uint64Var(&c.Seed, "seed", c.Seed, "`N`: the same seed and flags give the same bytes")
	fs.Func("start", "first `DAY`, as 2006-01-02 (default "+c.Start.Format(time.DateOnly)+")", func(text string) (err error) {
		if c.Start, err = time.Parse(time.DateOnly, text); err != nil {
			return fmt.Errorf("want a day such as %s", time.DateOnly)
		}
		return nil
	})
	fs.IntVar(&c.Days, "days", c.Days, "days: `N`")
	fs.IntVar(&c.Hosts, "hosts", c.Hosts, "workstations, servers and automation on the first day: `N`")
	fs.IntVar(&c.Teams, "teams", c.Teams, "teams: `N`")
	fs.IntVar(&c.SessionsPerDay, "sessions", c.SessionsPerDay, "benign sessions on a working day, on average: `N`")
	fs.BoolVar(&c.TeamPrefixes, "team-prefixes", c.TeamPrefixes, "give every team address prefixes of its own")
	fs.Float64Var(&c.Novelty, "novelty", c.Novelty, "`FACTOR` on the rates of hires, moves and upgrades")
	fs.IntVar(&c.AttackStart, "attack-start", c.AttackStart, "first day with attacks, from 0: `N`")
	fs.IntVar(&c.AttacksPerDay, "attacks", c.AttacksPerDay, "distinct attack triplets a day: `N`")
	fs.Float64Var(&c.Lateral, "lateral", c.Lateral, "`WEIGHT` of lateral moves among the attacks")
	fs.Float64Var(&c.StrangeTool, "strange-tool", c.StrangeTool, "`WEIGHT` of known pairs with a strange client")
	fs.Float64Var(&c.NewSource, "new-source", c.NewSource, "`WEIGHT` of new sources")
	fs.BoolVar(&c.IntrudersOutside, "intruders-outside", c.IntrudersOutside, "let new sources come from outside the enterprise's addresses")
	fs.IntVar(&c.SlowTargets, "slow", c.SlowTargets, "servers that one patient source moves to over all days with attacks: `N`")
	fs.IntVar(&c.BruteForce, "brute-force", c.BruteForce, "sessions of one source at one server within four hours: `N`")
}

func simulateSessions(ctx context.Context, e *env, c simulate.Config, out *output, labels bool) error {
	if len(e.args) > 0 {
		return usagef("unexpected %q: simulate reads no files, -o names the one to write", e.args[0])
	}
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	if err := out.open(e.stdout, nil); err != nil {
		return err
	}
	var line []byte
	var failed error
	sessions, attacks := 0, 0
	err := simulate.Generate(c, func(s *simulate.Session) bool {
		sessions++
		if s.Label != "" {
			attacks++
		}
		if !labels {
			s.Label, s.Note = "", ""
		}
		line = simulate.AppendNDJSON(line[:0], s)
		failed = first(ctx.Err(), out.writeLine(line))
		return failed == nil
	})
	err = first(failed, err, out.close())
	if err == nil {
		e.Log(filter.LevelInfo, fmt.Sprintf("%d sessions, %d of them attacks", sessions, attacks))
	}
	return err
}

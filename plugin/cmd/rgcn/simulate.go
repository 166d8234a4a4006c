package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"flb-filter-rgcn/model/simulate"
	"flb-filter-rgcn/plugin/filter"
)

var simulateCommand = command{
	name:    "simulate",
	args:    "> FILE",
	summary: "Make the SSH sessions of an enterprise, with labelled attacks, as lines of JSON like Zeek's.",
	example: "rgcn simulate -world busy -days 12 -seed 7 -o sim.ndjson",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		c := simulate.Default()
		declareSimulation(fs, &c)
		var out output
		out.declare(fs)
		labels := fs.Bool("labels", true, "say in label and note which sessions are attacks and what is new; without, the lines are as Zeek's own")
		return func(ctx context.Context, e *env) error { return simulateSessions(ctx, e, c, &out, *labels) }
	},
}

// declareSimulation declares a flag for each value of a configuration, and -world,
// which sets them all but those of the flags beside it.
func declareSimulation(fs *flag.FlagSet, c *simulate.Config) {
	declareConfig(fs, c)
	own := flag.NewFlagSet("", flag.ContinueOnError)
	declareConfig(own, c)
	usage := "start from the world `NAME` (default office), which the other flags change:"
	for _, name := range simulate.Worlds() {
		usage += fmt.Sprintf("\n%-9s%s", name, simulate.Summary(name))
	}
	fs.Func("world", usage, func(name string) error {
		world, err := simulate.World(name)
		if err != nil {
			return err
		}
		// Flags may stand before -world.
		beside := map[string]string{}
		fs.Visit(func(f *flag.Flag) {
			if own.Lookup(f.Name) != nil {
				beside[f.Name] = f.Value.String()
			}
		})
		*c = world
		for name, value := range beside {
			if err := own.Set(name, value); err != nil {
				return err
			}
		}
		return nil
	})
}

func declareConfig(fs *flag.FlagSet, c *simulate.Config) {
	fs.Uint64Var(&c.Seed, "seed", c.Seed, "`N`: the same seed and flags give the same bytes")
	fs.Var((*dayValue)(&c.Start), "start", "first `DAY`, as 2006-01-02")
	fs.IntVar(&c.Days, "days", c.Days, "days: `N`")
	fs.IntVar(&c.Hosts, "hosts", c.Hosts, "workstations, servers and automation on the first day, exposed servers among them: `N`")
	fs.IntVar(&c.Teams, "teams", c.Teams, "teams: `N`")
	fs.IntVar(&c.TeamServers, "team-servers", c.TeamServers, "servers of each team, all teams being equal: `N`; 0 for unequal ones")
	fs.IntVar(&c.SharedServers, "shared-servers", c.SharedServers, "servers that all teams use: `N`; 0 for one in 60 hosts")
	fs.IntVar(&c.AutomationHosts, "automation-hosts", c.AutomationHosts, "automation hosts: `N`; 0 for one in 100 hosts")
	fs.IntVar(&c.Acquaintances, "acquaintances", c.Acquaintances, "hosts of any kind that each workstation uses: `N`; 0 for habits by team")
	fs.IntVar(&c.Clients, "clients", c.Clients, "distinct client banners of the enterprise, at least: `N`")
	fs.BoolVar(&c.WorkWeekends, "work-weekends", c.WorkWeekends, "let people work on Saturdays and Sundays too")
	fs.IntVar(&c.SessionsPerDay, "sessions", c.SessionsPerDay, "benign sessions on a working day, on average: `N`")
	fs.BoolVar(&c.TeamPrefixes, "team-prefixes", c.TeamPrefixes, "give every team address prefixes of its own")
	fs.Float64Var(&c.Novelty, "novelty", c.Novelty, "`FACTOR` on the rates of hires, moves and upgrades")
	fs.Float64Var(&c.TakeUps, "take-ups", c.TakeUps, "times a day that someone takes up another server of the team: `N`; 0 leaves it to -novelty")
	fs.Float64Var(&c.ClientChanges, "client-changes", c.ClientChanges, "times a day that someone's client changes for no reason: `N`")
	fs.IntVar(&c.AutomationTargets, "automation-targets", c.AutomationTargets, "servers, others each day, that an automation host visits: `N`; 0 for always the same")
	fs.Float64Var(&c.ServerLife, "server-life", c.ServerLife, "days that a server of a team lasts before one with a new address takes its place, on average: `N`; 0 for ever")
	fs.Float64Var(&c.LeaseLife, "lease-life", c.LeaseLife, "days that a workstation keeps its address, on average: `N`; 0 for ever")
	fs.IntVar(&c.Runners, "runners", c.Runners, "machines that come for one job each working day, from addresses never seen before: `N`")
	fs.IntVar(&c.ExposedHosts, "exposed", c.ExposedHosts, "servers that the internet reaches: `N`")
	fs.IntVar(&c.ScanSources, "scan-sources", c.ScanSources, "addresses never seen before that come to exposed servers each day: `N`")
	fs.IntVar(&c.AttackStart, "attack-start", c.AttackStart, "first day with attacks, from 0: `N`")
	fs.IntVar(&c.AttackHour, "attack-hour", c.AttackHour, "hour of that day before which there are none: `N`; with one, -attack-start may be 0")
	fs.IntVar(&c.AttacksPerDay, "attacks", c.AttacksPerDay, "distinct attack triplets a day: `N`")
	fs.Float64Var(&c.Lateral, "lateral", c.Lateral, "`WEIGHT` of lateral moves among the attacks")
	fs.Float64Var(&c.StrangeTool, "strange-tool", c.StrangeTool, "`WEIGHT` of known pairs with a strange client")
	fs.Float64Var(&c.NewSource, "new-source", c.NewSource, "`WEIGHT` of new sources")
	fs.BoolVar(&c.IntrudersOutside, "intruders-outside", c.IntrudersOutside, "let new sources come from outside the enterprise's addresses")
	fs.IntVar(&c.SlowTargets, "slow", c.SlowTargets, "servers that one patient source moves to over all days with attacks: `N`")
	fs.IntVar(&c.BruteForce, "brute-force", c.BruteForce, "sessions of one source at one server within four hours: `N`")
	fs.Float64Var(&c.Hops, "hops", c.Hops, "times a day that someone goes on from a server of the team to another: `N`")
	fs.IntVar(&c.Chains, "chains", c.Chains, "intruders a day who move on from host to host: `N`")
	fs.Float64Var(&c.Returns, "returns", c.Returns, "`CHANCE` a day that intruders use a triplet of a day before again")
	fs.Float64Var(&c.Foothold, "foothold", c.Foothold, "`CHANCE` a day of an intruder who goes on inwards from an exposed server")
}

// dayValue is a flag's value: a day.
type dayValue time.Time

func (d *dayValue) String() string { return time.Time(*d).Format(time.DateOnly) }

func (d *dayValue) Set(text string) error {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("want a day such as %s", time.DateOnly)
	}
	*d = dayValue(day)
	return nil
}

func simulateSessions(ctx context.Context, e *env, c simulate.Config, out *output, labels bool) error {
	if len(e.args) > 0 {
		return usagef("unexpected %q: simulate reads no files, -o names the one to write", e.args[0])
	}
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	if why := c.Attackless(); why != "" {
		e.Log(filter.LevelWarn, "no session will be an attack: "+why+" (-attack-start, -days, -attacks, -slow, -brute-force, -foothold, -chains, -returns)")
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

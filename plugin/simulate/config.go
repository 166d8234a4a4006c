// Package simulate makes the SSH sessions of an enterprise, with labelled
// attacks among them: teams with habits, shared servers, automation, people who
// come, move and upgrade, and intruders. The same configuration gives the same
// bytes.
//
// It owns what an enterprise and an attack look like, and what is true of each
// session. It never knows how anyone looks for attacks, and nothing in it is
// set with a detector in view.
package simulate

import (
	"fmt"
	"math"
	"time"
)

// Config says what is simulated. Default is a good start.
type Config struct {
	Seed  uint64
	Start time.Time // midnight of the first day; its weekday counts

	Days           int
	Hosts          int // workstations, servers and automation on the first day
	Teams          int
	SessionsPerDay int // benign ones on a working day, on average

	// TeamPrefixes gives every team /24 prefixes of its own. Otherwise addresses
	// are dealt at random from one range and say nothing about teams.
	TeamPrefixes bool
	// Novelty multiplies the rates of benign change: hires, moves, upgrades. 0
	// leaves an enterprise where nothing new happens but rare habits.
	Novelty float64

	AttackStart   int // first day with attacks, counted from 0
	AttacksPerDay int // distinct attack triplets a day
	// Weights of the three kinds of attack, see Session.Label.
	Lateral, StrangeTool, NewSource float64
	// IntrudersOutside lets new sources come from addresses outside the
	// enterprise's prefixes, which makes them easy to tell.
	IntrudersOutside bool
	// SlowTargets is the number of servers that one patient source moves to,
	// evenly spread over the days with attacks. It adds to AttacksPerDay.
	SlowTargets int
	// BruteForce is the number of sessions that one source opens to one server
	// within four hours of the first day with attacks. It adds to AttacksPerDay.
	BruteForce int
}

// Default is an enterprise of 400 hosts over 12 days from a Monday on, with
// attacks on the five working days of the second week: about 1,100 distinct
// triplets on such a day, 24 of them attacks.
func Default() Config {
	return Config{
		Seed: 1, Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		Days: 12, Hosts: 400, Teams: 10, SessionsPerDay: 2200,
		Novelty:     1,
		AttackStart: 7, AttacksPerDay: 24, Lateral: 1, StrangeTool: 1, NewSource: 1,
	}
}

const (
	minHosts = 20      // below, a team has no servers of its own
	maxHosts = 100_000 // beyond, planning takes minutes
	// A day is made and sorted in memory, at some 150 bytes a session.
	maxPerDay = 1_000_000
)

// Validate says which value is out of range, and what the range is.
func (c Config) Validate() error {
	for _, k := range []struct {
		name      string
		v, lo, hi int
		why       string
	}{
		{"days", c.Days, 1, 3650, ""},
		{"hosts", c.Hosts, minHosts, maxHosts, ""},
		{"teams", c.Teams, 2, c.Hosts / 10, " (ten hosts a team)"},
		{"sessions per day", c.SessionsPerDay, 1, maxPerDay, ""},
		{"attack start", c.AttackStart, 1, math.MaxInt32, " (a day without attacks goes before)"},
		{"attacks per day", c.AttacksPerDay, 0, c.Hosts, " (one for each host)"},
		{"slow targets", c.SlowTargets, 0, c.Hosts, " (one for each host)"},
		{"brute force", c.BruteForce, 0, maxPerDay, ""},
	} {
		if k.v < k.lo || k.v > k.hi {
			return fmt.Errorf("simulate: %s %d: allowed are %d to %d%s", k.name, k.v, k.lo, k.hi, k.why)
		}
	}
	for _, k := range []struct {
		name string
		v    float64
	}{{"novelty", c.Novelty}, {"lateral", c.Lateral}, {"strange tool", c.StrangeTool}, {"new source", c.NewSource}} {
		if !(k.v >= 0 && k.v <= 100) {
			return fmt.Errorf("simulate: %s %g: allowed are 0 to 100", k.name, k.v)
		}
	}
	if c.AttacksPerDay > 0 && c.Lateral+c.StrangeTool+c.NewSource == 0 {
		return fmt.Errorf("simulate: %d attacks per day, but lateral, strange tool and new source are all 0: at least one is wanted", c.AttacksPerDay)
	}
	if y := c.Start.UTC().Year(); y < 1970 || y > 2100 {
		return fmt.Errorf("simulate: start %s: allowed are the years 1970 to 2100", c.Start.Format(time.RFC3339))
	}
	return nil
}

// working tells whether people work on a day.
func (c Config) working(day int) bool {
	weekday := c.Start.AddDate(0, 0, day).Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

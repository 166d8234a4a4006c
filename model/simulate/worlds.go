package simulate

import (
	"fmt"
	"strings"
	"time"
)

// worlds are in the order in which help lists them. None of their figures was
// chosen by what a detector makes of them.
var worlds = []struct {
	name, summary string
	config        func() Config
}{
	{"office", "400 hosts in 10 teams, 12 days; attacks in the second week", Default},
	{"busy", "477 hosts in 15 equal teams, 6 days; new servers, clients and automation targets every day", busy},
	{"exposed", "an office with 3 hosts that the internet reaches, and 2,000 new scanners a day", exposedOffice},
	{"flat", "40 hosts that meet one another whatever their team, one day; attacks after noon", flat},
	{"large", "5,000 hosts in 100 teams, 60 clients, 7 days", large},
	{"elastic", "an office whose teams have networks of their own, in which servers last 4 days and addresses 3; 150 jobs a day from new addresses", elastic},
}

// Worlds are the names that World takes.
func Worlds() (names []string) {
	for _, w := range worlds {
		names = append(names, w.name)
	}
	return names
}

// World returns the configuration of a world by its name.
func World(name string) (Config, error) {
	for _, w := range worlds {
		if w.name == name {
			return w.config(), nil
		}
	}
	return Config{}, fmt.Errorf("world %q: allowed are %s", name, strings.Join(Worlds(), ", "))
}

// Summary says in a line what a world is, "" for an unknown one.
func Summary(name string) string {
	for _, w := range worlds {
		if w.name == name {
			return w.summary
		}
	}
	return ""
}

// Default is the office: an enterprise of 400 hosts over 12 days from a Monday on, with
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

// busy has teams of 25 people and 6 servers each, 8 shared servers and 4
// automation hosts. People take up servers and change clients every day from the
// first on, weekends included, and automation goes to other servers each day.
func busy() Config {
	c := Default()
	c.Days, c.WorkWeekends, c.AttackStart = 6, true, 2
	c.Teams, c.TeamServers, c.SharedServers, c.AutomationHosts = 15, 6, 8, 4
	c.Hosts = c.Teams*(25+c.TeamServers) + c.SharedServers + c.AutomationHosts
	c.SessionsPerDay = 4000
	c.TakeUps, c.ClientChanges, c.AutomationTargets = 46, 12, 60
	return c
}

// exposedOffice lets the internet in on three hosts of the office. Its attacks
// come from inside, and on half of the days also from one of the three.
func exposedOffice() Config {
	c := Default()
	c.ExposedHosts, c.ScanSources, c.Foothold = 3, 2000, 0.5
	return c
}

// flat is a small network on one day. Habits do not follow its two teams: they
// only say which servers a lateral move goes to.
func flat() Config {
	c := Default()
	c.Days, c.AttackStart, c.AttackHour, c.AttacksPerDay = 1, 0, 12, 9
	c.Hosts, c.Teams, c.Acquaintances, c.SessionsPerDay = 40, 2, 15, 1200
	return c
}

// elastic is an office in which hosts come and go: servers are replaced, addresses
// leased, and jobs run on machines that come for them.
func elastic() Config {
	c := Default()
	c.TeamPrefixes, c.ServerLife, c.LeaseLife, c.Runners = true, 4, 3, 150
	return c
}

// large has as many sessions a host as the office, and as many attacks in all:
// intruders do not multiply with the hosts they find.
func large() Config {
	c := Default()
	c.Days, c.AttackStart = 7, 3
	c.Hosts, c.Teams, c.SessionsPerDay, c.Clients = 5000, 100, 27_500, 60
	return c
}

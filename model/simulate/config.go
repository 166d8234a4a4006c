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

// Config says what is simulated. World has some to start from.
type Config struct {
	Seed  uint64
	Start time.Time // midnight of the first day; its weekday counts

	Days           int
	Hosts          int // workstations, servers, exposed ones too, and automation on the first day
	Teams          int
	SessionsPerDay int // benign ones on a working day, on average

	// TeamServers is the number of servers of each team on the first day; people
	// are then divided equally among the teams too. Each uses a third to half of
	// the team's servers at first. 0 draws teams of different sizes.
	TeamServers     int
	SharedServers   int // servers that all teams use; 0 for one in 60 hosts, at least 3
	AutomationHosts int // over all days; 0 for one in 100 hosts, 2 to 16, on the first day and more later

	// Acquaintances is the number of hosts that each workstation uses: servers of
	// any team, and other workstations. 0 lets habits follow the teams.
	Acquaintances int
	// Clients is the number of distinct client banners of the enterprise over all
	// days, at least: a few people use rare ones to make it up. 0 adds none.
	Clients int
	// WorkWeekends lets people work on Saturdays and Sundays as on other days.
	WorkWeekends bool

	// TeamPrefixes gives every team /24 prefixes of its own. Otherwise addresses
	// are dealt at random from one range and say nothing about teams.
	TeamPrefixes bool
	// Novelty multiplies the rates of benign change: hires, moves, upgrades. 0
	// leaves an enterprise where nothing new happens but rare habits.
	Novelty float64
	// TakeUps is how often a day, on average, someone takes up another server of
	// their own team, from the first day on. 0 leaves it to Novelty.
	TakeUps float64
	// ClientChanges is how often a day, on average, someone's client becomes
	// another one for no reason, from the first day on.
	ClientChanges float64
	// AutomationTargets is the number of servers, drawn anew each day, that each
	// automation host visits. 0 lets it keep to its own servers.
	AutomationTargets int

	// Hops is how often a day, on average, someone goes on from a server of their
	// team to another one of it.
	Hops float64

	// ServerLife is how many days, on average, a server of a team lasts before
	// another one takes its place under a new address. 0 keeps them all.
	ServerLife float64
	// LeaseLife is how many days, on average, a workstation keeps its address. 0
	// lets it keep it for good.
	LeaseLife float64
	// Runners is how many machines come for one job each working day, on average,
	// and go again: from addresses never seen before to a shared server and one or
	// two servers of a team.
	Runners int

	ExposedHosts int // servers that the internet reaches, among Hosts
	ScanSources  int // addresses never seen before that come to exposed hosts each day, on average

	AttackStart   int // first day with attacks, counted from 0
	AttackHour    int // hour of that day before which there are none; with one, AttackStart may be 0
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
	// Foothold is the chance, on each day with attacks, of an intruder who goes on
	// inwards from an exposed host. It adds to AttacksPerDay.
	Foothold float64
	// Chains is the number of intruders a day who move on from host to host, two to
	// four moves each. It adds to AttacksPerDay.
	Chains int
	// Returns is the chance, on each day, that intruders use a triplet of a day
	// before again.
	Returns float64
}

const (
	minHosts = 20      // below, a team has no servers of its own
	maxHosts = 100_000 // beyond, planning takes minutes
	// A day is made and sorted in memory, at some 150 bytes a session.
	maxPerDay = 1_000_000
	// A host's number has 24 bits in the key of a triplet, and those inside need some.
	maxScanners    = 10_000_000
	maxRunners     = 3_000_000 // from 10.200.0.0 to 10.255.255.255
	maxOutside     = 500_000   // half of the addresses that takeOutside has
	maxAttackHour  = 19        // a brute force takes four hours
	maxClients     = 100
	maxScansPerDay = 100_000
)

// Validate says which value is out of range, and what the range is.
func (c Config) Validate() error {
	firstStart := 1
	if c.AttackHour > 0 {
		firstStart = 0
	}
	for _, k := range []struct {
		name      string
		v, lo, hi int
		why       string
	}{
		{"days", c.Days, 1, 3650, ""},
		{"hosts", c.Hosts, minHosts, maxHosts, ""},
		{"teams", c.Teams, 2, c.Hosts / 10, " (ten hosts a team)"},
		{"sessions per day", c.SessionsPerDay, 1, maxPerDay, ""},
		{"team servers", c.TeamServers, 0, c.Hosts, ""},
		{"shared servers", c.SharedServers, 0, c.Hosts, ""},
		{"automation hosts", c.AutomationHosts, 0, c.Hosts, ""},
		{"acquaintances", c.Acquaintances, 0, c.Hosts / 2, " (half of the hosts)"},
		{"clients", c.Clients, 0, maxClients, ""},
		{"automation targets", c.AutomationTargets, 0, c.Hosts, ""},
		{"exposed hosts", c.ExposedHosts, 0, c.Hosts / 10, " (one in ten hosts)"},
		{"scan sources", c.ScanSources, 0, min(maxScansPerDay, maxScanners/max(c.Days, 1)), " (10,000,000 over all days)"},
		{"attack hour", c.AttackHour, 0, maxAttackHour, ""},
		{"attack start", c.AttackStart, firstStart, math.MaxInt32, " (a day without attacks goes before, or hours with an attack hour)"},
		{"attacks per day", c.AttacksPerDay, 0, c.Hosts, " (one for each host)"},
		{"slow targets", c.SlowTargets, 0, c.Hosts, " (one for each host)"},
		{"brute force", c.BruteForce, 0, maxPerDay, ""},
		{"runners", c.Runners, 0, min(maxScansPerDay, maxRunners/max(c.Days, 1)), " (3,000,000 over all days)"},
		{"chains", c.Chains, 0, c.Hosts, " (one for each host)"},
	} {
		if k.v < k.lo || k.v > k.hi {
			return fmt.Errorf("%s %d: allowed are %d to %d%s", k.name, k.v, k.lo, k.hi, k.why)
		}
	}
	for _, k := range []struct {
		name  string
		v, hi float64
	}{
		{"novelty", c.Novelty, 100}, {"lateral", c.Lateral, 100}, {"strange tool", c.StrangeTool, 100}, {"new source", c.NewSource, 100},
		{"take-ups", c.TakeUps, float64(c.Hosts)}, {"client changes", c.ClientChanges, float64(c.Hosts)}, {"foothold", c.Foothold, 1}, {"hops", c.Hops, float64(c.Hosts)},
		{"returns", c.Returns, 1}, {"server life", c.ServerLife, 3650}, {"lease life", c.LeaseLife, 3650},
	} {
		if !(k.v >= 0 && k.v <= k.hi) {
			return fmt.Errorf("%s %g: allowed are 0 to %g", k.name, k.v, k.hi)
		}
	}
	if c.ExposedHosts == 0 && (c.ScanSources > 0 || c.Foothold > 0) {
		return fmt.Errorf("scan sources %d and foothold %g, but exposed hosts 0: at least one is wanted", c.ScanSources, c.Foothold)
	}
	if n := c.sizes(); n.servers < c.Teams || n.people < c.Teams {
		return fmt.Errorf("hosts %d: %d shared servers, %d exposed and %d automation hosts leave %d servers and %d workstations for %d teams: at least one of each a team is wanted",
			c.Hosts, n.shared, c.ExposedHosts, n.automation, n.servers, n.people, c.Teams)
	}
	if c.AttacksPerDay > 0 && c.Lateral+c.StrangeTool+c.NewSource == 0 {
		return fmt.Errorf("%d attacks per day, but lateral, strange tool and new source are all 0: at least one is wanted", c.AttacksPerDay)
	}
	if n := float64(c.AttacksPerDay) * float64(c.Days); c.IntrudersOutside && n > maxOutside {
		return fmt.Errorf("attacks per day %d on %d days, with intruders from outside: allowed are %d attacks in all", c.AttacksPerDay, c.Days, maxOutside)
	}
	if y := c.Start.UTC().Year(); y < 1970 || y > 2100 {
		return fmt.Errorf("start %s: allowed are the years 1970 to 2100", c.Start.Format(time.RFC3339))
	}
	return nil
}

// Attackless says why there are no attacks though some are configured, "" where there are some or none is.
func (c Config) Attackless() string {
	struck := c.AttacksPerDay > 0 || c.SlowTargets > 0 || c.BruteForce > 0 || c.Foothold > 0 || c.Chains > 0
	switch {
	case c.AttackStart >= c.Days && (struck || c.Returns > 0):
		return fmt.Sprintf("attack start %d: the last of %d days is day %d, as they are counted from 0", c.AttackStart, c.Days, c.Days-1)
	case c.Returns > 0 && !struck:
		return fmt.Sprintf("returns %g: intruders come back to attacks of days before, and no other attack is configured", c.Returns)
	}
	return ""
}

// working tells whether people work on a day.
func (c Config) working(day int) bool {
	if c.WorkWeekends {
		return true
	}
	weekday := c.Start.AddDate(0, 0, day).Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

// sizes are the numbers of hosts of each kind on the first day.
type sizes struct{ shared, automation, servers, people int }

func (c Config) sizes() (n sizes) {
	if n.shared = c.SharedServers; n.shared == 0 {
		n.shared = max(3, c.Hosts/60)
	}
	if n.automation = c.AutomationHosts; n.automation == 0 {
		n.automation = min(max(2, c.Hosts/100), 16) // each may touch every server
	}
	rest := c.Hosts - n.shared - n.automation - c.ExposedHosts
	if n.servers = c.Teams * c.TeamServers; n.servers == 0 {
		n.servers = rest * 36 / 100
	}
	n.people = rest - n.servers
	return n
}

package simulate

import (
	"slices"
	"strings"
	"testing"
)

// TestAttackKnobsLeaveBenignAlone: whatever the attacks, people do the same.
func TestAttackKnobsLeaveBenignAlone(t *testing.T) {
	for _, world := range []string{"office", "elastic"} {
		leavesBenignAlone(t, named(t, world))
	}
}

func leavesBenignAlone(t *testing.T, world Config) {
	want := only(generate(t, world), benign)
	for name, change := range map[string]func(*Config){
		"no attacks": func(c *Config) { c.AttacksPerDay = 0 },
		"more":       func(c *Config) { c.AttacksPerDay = 200; c.AttackStart = 2 },
		"mix":        func(c *Config) { c.Lateral = 0; c.NewSource = 5 },
		"outside":    func(c *Config) { c.IntrudersOutside = true },
		"slow":       func(c *Config) { c.SlowTargets = 30; c.BruteForce = 1000 },
		"chains":     func(c *Config) { c.Chains = 5 },
		"returns":    func(c *Config) { c.Returns = 0.5 },
	} {
		c := world
		change(&c)
		if got := only(generate(t, c), benign); !slices.Equal(got, want) {
			t.Errorf("%s: %d benign sessions differ from the default's %d", name, len(got), len(want))
		}
	}
}

func TestAttackMix(t *testing.T) {
	c := with(func(c *Config) {
		c.AttacksPerDay = 40
		c.Lateral, c.StrangeTool, c.NewSource = 5, 3, 0
		c.AttackStart = 9
	})
	count := map[string]int{}
	seen := map[triplet]bool{}
	for _, s := range only(generate(t, c), attack) {
		if !seen[s.triplet()] {
			seen[s.triplet()] = true
			count[s.Label]++
		}
		if c.dayOf(s) < 9 {
			t.Errorf("attack on day %d, want none before 9", c.dayOf(s))
		}
	}
	if count[LabelLateral] != 3*25 || count[LabelStrangeTool] != 3*15 || len(count) != 2 {
		t.Errorf("got %v, want 75 lateral and 45 strange tools over three days", count)
	}
}

func TestTeamPrefixes(t *testing.T) {
	// teamsOf counts the teams that share each prefix, at most.
	teamsOf := func(c Config) (most int) {
		teams := map[string]map[int]bool{}
		for addr, h := range hostsByAddress(c) {
			if teams[prefix24(addr)] == nil {
				teams[prefix24(addr)] = map[int]bool{}
			}
			teams[prefix24(addr)][h.team] = true
			most = max(most, len(teams[prefix24(addr)]))
		}
		return most
	}
	c := Default()
	if got := teamsOf(c); got <= c.Teams/2 {
		t.Errorf("shuffled: at most %d of %d teams share a prefix", got, c.Teams)
	}
	c.TeamPrefixes = true
	if got := teamsOf(c); got != 1 {
		t.Errorf("team prefixes: %d teams share one", got)
	}
}

func TestIntruders(t *testing.T) {
	for _, prefixes := range []bool{false, true} {
		for _, outside := range []bool{false, true} {
			c := with(func(c *Config) { c.TeamPrefixes, c.IntrudersOutside = prefixes, outside })
			known := map[string]bool{}
			for addr := range hostsByAddress(c) {
				known[prefix24(addr)] = true
			}
			sources := 0
			for _, s := range generate(t, c) {
				if s.Label == LabelNewSource {
					if sources++; known[prefix24(s.Source)] == outside {
						t.Errorf("outside %v: new source %s, prefix known %v", outside, s.Source, known[prefix24(s.Source)])
					}
				}
			}
			if sources == 0 {
				t.Error("no new source")
			}
		}
	}
}

func TestNovelty(t *testing.T) {
	count := func(novelty float64) int {
		c := with(func(c *Config) { c.Novelty = novelty })
		return distinct(only(generate(t, c), func(s Session) bool { return benign(s) && s.Note != "" && s.Note != NoteUpgrade }), Session.triplet)
	}
	none, one, four := count(0), count(1), count(4)
	if none != 0 || one < 50 || four < 2*one {
		t.Errorf("novel benign triplets: %d, %d and %d at 0, 1 and 4; want none, some, several times as many", none, one, four)
	}
}

func TestSlow(t *testing.T) {
	c := with(func(c *Config) { c.SlowTargets = 12; c.AttacksPerDay = 0 })
	slow := only(generate(t, c), attack)
	days := map[int]int{}
	targets := map[pair]bool{}
	for _, s := range slow {
		if s.Note != NoteSlow || s.Source != slow[0].Source {
			t.Errorf("attack from %s with note %q beside the slow one of %s", s.Source, s.Note, slow[0].Source)
		}
		if !targets[s.pair()] {
			targets[s.pair()] = true
			days[c.dayOf(s)]++
		}
	}
	if len(targets) != 12 || len(days) != 5 {
		t.Errorf("%d targets over %v, want 12 over five days", len(targets), days)
	}
	for day, n := range days {
		if n < 2 || n > 3 {
			t.Errorf("%d new targets on day %d, want 2 or 3", n, day)
		}
	}
}

func TestBruteForce(t *testing.T) {
	c := with(func(c *Config) { c.BruteForce = 500; c.AttacksPerDay = 0 })
	tries := only(generate(t, c), attack)
	success := len(only(tries, func(s Session) bool { return s.AuthSuccess }))
	if len(tries) != 500 || distinct(tries, Session.triplet) != 1 || success != 1 || tries[0].Note != NoteBruteForce {
		t.Fatalf("%d sessions of %d triplets, %d successes, note %q", len(tries), distinct(tries, Session.triplet), success, tries[0].Note)
	}
	if took := tries[499].Time.Sub(tries[0].Time).Hours(); took > 4 {
		t.Errorf("took %.1f hours, want at most 4", took)
	}
}

// TestChains: each move but the first of an intruder goes on from a host that a move reached before.
func TestChains(t *testing.T) {
	c := with(func(c *Config) { c.Chains = 3; c.AttacksPerDay = 0 })
	reached := map[string]Session{}
	moves, first := 0, map[string]bool{}
	seen := map[triplet]bool{}
	for _, s := range only(generate(t, c), attack) {
		if s.Note != NoteChain || s.Label != LabelLateral {
			t.Fatalf("attack %q with note %q", s.Label, s.Note)
		}
		if seen[s.triplet()] {
			continue
		}
		seen[s.triplet()] = true
		if before, ok := reached[s.Source]; ok && c.dayOf(before) == c.dayOf(s) {
			moves++
		} else {
			first[s.Source] = true
		}
		reached[s.Destination] = s
	}
	if days := c.Days - c.AttackStart; len(first) > 3*days || moves < 3*days {
		t.Errorf("%d moves on from hosts that were reached, of %d intruders, in %d days", moves, len(first), days)
	}
}

// TestReturns: what comes back is an attack of a day before.
func TestReturns(t *testing.T) {
	c := with(func(c *Config) { c.Returns = 0.5 })
	day := map[triplet]int{}
	again := map[triplet]bool{}
	for _, s := range only(generate(t, c), attack) {
		first, ok := day[s.triplet()]
		if !ok {
			day[s.triplet()] = c.dayOf(s)
		}
		if s.Note != NoteReturn {
			continue
		}
		if again[s.triplet()] = true; !ok || first == c.dayOf(s) {
			t.Errorf("%v comes back on day %d, and was not there on a day before", s.triplet(), c.dayOf(s))
		}
	}
	if len(again) < 24 {
		t.Errorf("%d triplets came back in five days", len(again))
	}
}

// TestHops: people go on from a server, and all else stays as it is.
func TestHops(t *testing.T) {
	all := generate(t, with(func(c *Config) { c.Hops = 10 }))
	hosts := hostsByAddress(with(func(c *Config) { c.Hops = 10 }))
	from := map[string]bool{}
	on := 0
	for _, s := range all {
		if s.Note != NoteHop {
			continue
		}
		if s.Label != "" {
			t.Errorf("%+v is an attack", s)
		}
		if hosts[s.Source].role == server {
			on++
		} else {
			from[s.Destination] = true
		}
	}
	if on < 20 || len(from) == 0 {
		t.Errorf("%d sessions go on from a server, %d servers are met on the way", on, len(from))
	}
	key := func(s Session) string { return s.Time.String() + s.Source + s.Destination + s.UID }
	usual := map[string]bool{}
	for _, s := range generate(t, Default()) {
		usual[key(s)] = true
	}
	kept := 0
	for _, s := range all {
		if usual[key(s)] {
			kept++
		}
	}
	if kept < len(usual)*99/100 {
		t.Errorf("%d of %d sessions are as without", kept, len(usual))
	}
}

func TestSizes(t *testing.T) {
	all := generate(t, with(func(c *Config) { c.Days, c.Hosts, c.Teams, c.SessionsPerDay, c.Novelty = 3, 1500, 25, 9000, 0 }))
	if n := len(all); n < 3*8000 || n > 3*10000 {
		t.Errorf("%d sessions in 3 days of 9000", n)
	}
	hosts := hostsByAddress(with(func(c *Config) { c.Hosts, c.Teams, c.Novelty = 1500, 25, 0 }))
	teams := map[int]bool{}
	for _, h := range hosts {
		teams[h.team] = true
	}
	if len(hosts) != 1500 || len(teams) != 25+1 {
		t.Errorf("%d hosts in %d teams, want 1500 in 25 and the common one", len(hosts), len(teams))
	}
	if n := distinct(all, func(s Session) string { return s.Source }); n < 700 {
		t.Errorf("%d sources of 1500 hosts", n)
	}
}

// TestFleet: automation, failures, cron and tools common elsewhere are there.
func TestFleet(t *testing.T) {
	all := generate(t, Default())
	benignClients := map[string]bool{}
	failed := 0
	for _, s := range only(all, benign) {
		benignClients[s.Client] = true
		if !s.AuthSuccess {
			failed++
		}
	}
	if share := float64(failed) / float64(len(all)); share < 0.005 || share > 0.05 {
		t.Errorf("%.3f of the sessions fail, want about 0.02", share)
	}
	var common, novel int
	for _, s := range all {
		if s.Label == LabelStrangeTool {
			if benignClients[s.Client] {
				common++
			} else {
				novel++
			}
		}
	}
	if common == 0 || novel == 0 {
		t.Errorf("strange tools: %d common elsewhere, %d novel; want both", common, novel)
	}
	for _, user := range []string{"svc-auto0", "svc-auto1", "svc-cron"} {
		if !slices.ContainsFunc(all, func(s Session) bool { return s.User == user }) {
			t.Errorf("no session of %s", user)
		}
	}
	if !slices.ContainsFunc(all, func(s Session) bool { return strings.Contains(s.Client, "Windows") }) {
		t.Error("no Windows client")
	}
}

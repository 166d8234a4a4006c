package simulate

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWorldNames(t *testing.T) {
	if got, want := Worlds(), []string{"office", "busy", "exposed", "flat", "large", "elastic"}; !slices.Equal(got, want) {
		t.Errorf("got worlds %q, want %q", got, want)
	}
	if c := named(t, "office"); c != Default() {
		t.Errorf("office is %+v, want the default", c)
	}
	if _, err := World("moon"); err == nil || err.Error() != `world "moon": allowed are office, busy, exposed, flat, large, elastic` {
		t.Errorf("got %v", err)
	}
	for _, name := range Worlds() {
		if err := named(t, name).Validate(); err != nil || Summary(name) == "" {
			t.Errorf("%s, summary %q: %v", name, Summary(name), err)
		}
	}
	if got := Summary("moon"); got != "" {
		t.Errorf("summary %q of no world", got)
	}
}

// TestWorldAttacks: each day with attacks has all that were asked for, of three
// kinds alike, and no other day has any. TestLabelsAreTrue has the rest.
func TestWorldAttacks(t *testing.T) {
	for _, name := range Worlds() {
		c := named(t, name)
		count := map[int]map[string]int{}
		for day := range c.Days {
			count[day] = map[string]int{}
		}
		seen := map[triplet]bool{}
		for _, s := range generate(t, c) {
			if benign(s) || s.Note != "" || seen[s.triplet()] {
				continue
			}
			seen[s.triplet()] = true
			count[c.dayOf(s)][s.Label]++
		}
		for day, n := range count {
			want := 0
			if day >= c.AttackStart {
				want = c.AttacksPerDay / 3
			}
			for _, label := range []string{LabelLateral, LabelStrangeTool, LabelNewSource} {
				if n[label] != want {
					t.Errorf("%s, day %d: %d %s triplets, want %d", name, day, n[label], label, want)
				}
			}
		}
	}
}

// firstDay is the world that a configuration stands for, and how many hosts of
// each role it has on the first day.
func firstDay(c Config) (*world, map[role]int) {
	w, n := newWorld(c, newRand(c.Seed, streamWorld)), map[role]int{}
	for _, h := range w.hosts {
		if h.from == 0 {
			n[h.role]++
		}
	}
	return w, n
}

// about fails unless a mean of n counts is near one that is wanted: within four
// standard deviations of a Poisson process.
func about(t testing.TB, what string, got, n int, want float64) {
	t.Helper()
	if mean := float64(got) / float64(n); math.Abs(mean-want) > 4*math.Sqrt(want/float64(n)) {
		t.Errorf("%s: %.1f on the mean of %d, want about %.0f", what, mean, n, want)
	}
}

func TestBusyHosts(t *testing.T) {
	w, n := firstDay(named(t, "busy"))
	if n[workstation] != 15*25 || n[server] != 15*6 || n[shared] != 8 || n[automation] != 4 {
		t.Errorf("%v, want 375 workstations, 90 servers, 8 shared ones and 4 automation hosts", n)
	}
	left := 0
	for team, hosts := range w.teams {
		there := func(id int32) bool { return w.hosts[id].from == 0 }
		people, servers := slices.DeleteFunc(slices.Clone(hosts[0]), func(id int32) bool { return !there(id) }), 0
		for _, id := range hosts[1] {
			if there(id) {
				servers++
			}
		}
		if len(people) != 25 || servers != 6 {
			t.Errorf("team %d: %d people and %d servers, want 25 and 6", team, len(people), servers)
		}
		for _, id := range people {
			before, ever := 0, 0
			for _, b := range w.hosts[id].habits {
				if to := w.hosts[b.to]; to.team == team && to.from == 0 {
					ever++
					if b.note == "" {
						before++
					}
				}
			}
			if before < 2 || before > 3 {
				t.Errorf("team %d: someone uses %d servers of the team at first, want 2 or 3", team, before)
			}
			left += 6 - ever
		}
	}
	if left < 375*2 {
		t.Errorf("%d pairs are left to take up after the last day, want two a person", left)
	}
}

// TestBusyDays: what is new keeps its pace from the first day to the last.
func TestBusyDays(t *testing.T) {
	const seeds = 5
	var takeUps, changes [6]int
	for seed := range uint64(seeds) {
		c := named(t, "busy")
		c.Seed = seed
		hosts := hostsByAddress(c)
		pairs, clients := map[pair]bool{}, map[pair]bool{}
		targets := map[pair]map[int]int{} // of automation, by day
		for _, s := range generate(t, c) {
			day := c.dayOf(s)
			from, to := hosts[s.Source], hosts[s.Destination]
			if !pairs[s.pair()] && s.Note == NoteOwnTeam && from.team == to.team {
				takeUps[day]++
			}
			if used := (pair{s.Source, s.Client}); !clients[used] {
				clients[used] = true
				if s.Note == NoteClientChange {
					changes[day]++
				}
			}
			pairs[s.pair()] = true
			if from != nil && from.role == automation {
				if targets[s.pair()] == nil {
					targets[s.pair()] = map[int]int{}
				}
				targets[s.pair()][day]++
			}
		}
		daily, always := map[string][6]int{}, map[string]int{}
		for p, days := range targets {
			n := daily[p.src]
			for day := range days {
				n[day]++
			}
			daily[p.src] = n
			if len(days) == 6 {
				always[p.src]++
			}
		}
		if len(daily) != 4 {
			t.Errorf("seed %d: %d automation hosts, want 4", seed, len(daily))
		}
		for src, n := range daily {
			// By chance (60/98)^6 of the servers are visited every day, 5 of 98.
			if n != [6]int{60, 60, 60, 60, 60, 60} || always[src] > 20 {
				t.Errorf("seed %d: automation host %s visits %v servers, %d of them every day; want 60 that differ", seed, src, n, always[src])
			}
		}
	}
	for day := range takeUps {
		about(t, "servers of the team taken up", takeUps[day], seeds, 46)
		about(t, "clients changed", changes[day], seeds, 12)
	}
}

func TestExposed(t *testing.T) {
	scans, days, footholds, attackDays := 0, 0, 0, 0
	for seed := range uint64(4) {
		c := named(t, "exposed")
		c.Seed = seed
		hosts := hostsByAddress(c)
		seen := map[string]int{} // first day of outside sources
		again, inwards := map[string]bool{}, map[int]bool{}
		clients := map[string]bool{}
		targets := map[string]bool{}
		for _, s := range generate(t, c) {
			day := c.dayOf(s)
			if s.Note == NoteFoothold {
				inwards[day] = true
			}
			if strings.HasPrefix(s.Source, "10.") != (s.Note != NoteScan) {
				t.Fatalf("seed %d: source %s with note %q", seed, s.Source, s.Note)
			}
			if s.Note != NoteScan {
				continue
			}
			if s.Label != "" || s.AuthSuccess || hosts[s.Destination].role != exposed {
				t.Errorf("seed %d: a scan that is an attack, gets in or goes inside: %+v", seed, s)
			}
			clients[s.Client], targets[s.Destination] = true, true
			if first, ok := seen[s.Source]; !ok {
				seen[s.Source] = day
			} else if first < day {
				again[s.Source] = true
			}
		}
		for _, part := range []string{"-Go", "-libssh_", "-paramiko_"} {
			if !slices.ContainsFunc(slices.Sorted(maps.Keys(clients)), func(client string) bool { return strings.Contains(client, part) }) {
				t.Errorf("seed %d: no client %q among the scanners' %d", seed, part, len(clients))
			}
		}
		if len(targets) != 3 {
			t.Errorf("seed %d: %d hosts are scanned, want 3", seed, len(targets))
		}
		if share := float64(len(again)) / float64(len(seen)); share < 0.01 || share > 0.05 {
			t.Errorf("seed %d: %.3f of the scanners come again on another day, want a few", seed, share)
		}
		scans, days = scans+len(seen), days+c.Days
		footholds, attackDays = footholds+len(inwards), attackDays+c.Days-c.AttackStart
	}
	about(t, "new scanners a day", scans, days, 2000)
	if footholds == 0 || footholds == attackDays {
		t.Errorf("an intruder goes inwards on %d of %d days, want some", footholds, attackDays)
	}
}

// TestScansLeaveTheInsideAlone: people and attackers do the same, however many scan.
func TestScansLeaveTheInsideAlone(t *testing.T) {
	inside := func(sources int) []Session {
		c := named(t, "exposed")
		c.ScanSources = sources
		return only(generate(t, c), func(s Session) bool { return s.Note != NoteScan })
	}
	if none, some := inside(0), inside(500); !slices.Equal(none, some) {
		t.Errorf("%d sessions without scans differ from %d beside them", len(none), len(some))
	}
}

func TestFlat(t *testing.T) {
	c := named(t, "flat")
	for seed := range uint64(5) {
		c.Seed = seed
		if _, n := firstDay(c); n[workstation]+n[server]+n[shared]+n[automation] != 40 {
			t.Errorf("seed %d: %v, want 40 hosts", seed, n)
		}
		all, hosts := generate(t, c), hostsByAddress(c)
		noon := c.Start.Add(12 * time.Hour)
		late := only(all, func(s Session) bool { return !s.Time.Before(noon) })
		if share := float64(len(late)) / float64(len(all)); share < 0.4 || share > 0.75 {
			t.Errorf("seed %d: %.2f of the sessions come after noon, want about half", seed, share)
		}
		if early := len(only(all, attack)) - len(only(late, attack)); early != 0 || len(only(late, attack)) < c.AttacksPerDay {
			t.Errorf("seed %d: %d attack sessions before noon, %d after; want none, and %d or more", seed, early, len(only(late, attack)), c.AttacksPerDay)
		}
		people := only(all, func(s Session) bool { return benign(s) && hosts[s.Source].role == workstation })
		met := float64(distinct(people, Session.pair)) / float64(distinct(people, func(s Session) string { return s.Source }))
		if met < 8 {
			t.Errorf("seed %d: a workstation meets %.1f hosts, want many", seed, met)
		}
		// A team is no reason to meet.
		own, other := 0, 0
		seen := map[pair]bool{}
		for _, s := range people {
			from, to := hosts[s.Source].team, hosts[s.Destination].team
			switch {
			case seen[s.pair()] || to < 0:
			case from == to:
				own++
			default:
				other++
			}
			seen[s.pair()] = true
			if s.Server == "" {
				t.Errorf("seed %d: no server banner: %+v", seed, s)
			}
		}
		if share := float64(own) / float64(own+other); share < 0.35 || share > 0.65 {
			t.Errorf("seed %d: %.2f of the pairs are within a team, want about half", seed, share)
		}
		if !slices.ContainsFunc(people, func(s Session) bool { return hosts[s.Destination].role == workstation }) {
			t.Errorf("seed %d: no session from one workstation to another", seed)
		}
	}
}

func TestLarge(t *testing.T) {
	c := named(t, "large")
	w, n := firstDay(c)
	if sum := n[workstation] + n[server] + n[shared] + n[automation]; sum != 5000 || len(w.teams) != 100 {
		t.Errorf("%d hosts in %d teams, want 5000 in 100", sum, len(w.teams))
	}
	all := only(generate(t, c), benign)
	if got := distinct(all, func(s Session) string { return s.Client }); got != 60 {
		t.Errorf("%d clients, want 60", got)
	}
	days := map[int]int{}
	for _, s := range all {
		days[c.dayOf(s)]++
	}
	for day, n := range days {
		if c.working(day) && (n < 26_000 || n > 30_000) || n > 30_000 {
			t.Errorf("%d sessions on day %d, want about 27,500 on a working day", n, day)
		}
	}
	if len(days) != 7 {
		t.Errorf("%d days, want 7", len(days))
	}
}

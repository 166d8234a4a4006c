package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func hash(t testing.TB, c Config) string {
	h := sha256.New()
	var line []byte
	for _, s := range generate(t, c) {
		line = AppendNDJSON(line[:0], &s)
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// TestSameSeedSameBytes: a change to this hash is a change to every result
// ever measured on the simulation.
func TestSameSeedSameBytes(t *testing.T) {
	for name, want := range map[string]string{
		"office": "a782d357ca8091dc", "busy": "b1bcb7938d229f9e", "exposed": "22bfb28d8aeb5cab", "flat": "1534f8ccb034160e", "large": "39a20229e0062e7c",
	} {
		c := named(t, name)
		if got := hash(t, c); got != want {
			t.Errorf("%s, seed %d: got hash %s, want %s", name, c.Seed, got, want)
		}
		c.Seed++
		if got := hash(t, c); got == want {
			t.Errorf("%s: seed %d gives the bytes of seed %d", name, c.Seed, c.Seed-1)
		}
	}
}

// TestAmounts: about 1,118 distinct triplets on a day with attacks, 24 of them
// attacks in equal thirds.
func TestAmounts(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		c := with(func(c *Config) { c.Seed = seed })
		all := generate(t, c)
		if len(all) < 20_000 || len(all) > 30_000 {
			t.Errorf("seed %d: %d sessions, want 20,000 to 30,000", seed, len(all))
		}
		mean := 0
		for day := range c.Days {
			today := only(all, func(s Session) bool { return c.dayOf(s) == day })
			triplets := distinct(today, Session.triplet)
			if !c.working(day) {
				if len(today) > c.SessionsPerDay*4/10 {
					t.Errorf("seed %d, day %d: %d sessions at the weekend, %d on a working day", seed, day, len(today), c.SessionsPerDay)
				}
				continue
			}
			if ratio := float64(len(today)) / float64(c.SessionsPerDay); ratio < 0.85 || ratio > 1.2 {
				t.Errorf("seed %d, day %d: %d sessions, want about %d", seed, day, len(today), c.SessionsPerDay)
			}
			for _, label := range []string{LabelLateral, LabelStrangeTool, LabelNewSource} {
				attacks := distinct(only(today, func(s Session) bool { return s.Label == label }), Session.triplet)
				if want := 8; day >= c.AttackStart && attacks != want || day < c.AttackStart && attacks != 0 {
					t.Errorf("seed %d, day %d: %d %s triplets, want %d from day %d on", seed, day, attacks, label, want, c.AttackStart)
				}
			}
			if day >= c.AttackStart {
				mean += triplets
			}
		}
		if mean /= c.Days - c.AttackStart; mean < 1040 || mean > 1200 {
			t.Errorf("seed %d: %d distinct triplets on a day with attacks, want about 1118", seed, mean)
		}
	}
}

// TestLabelsAreTrue replays what a perfect observer knows.
func TestLabelsAreTrue(t *testing.T) {
	for _, c := range []Config{
		with(func(c *Config) { c.Seed = 3; c.SlowTargets = 20; c.BruteForce = 50 }),
		with(func(c *Config) { c.Seed = 4; c.Novelty = 5; c.AttacksPerDay = 100; c.TeamPrefixes = true }),
		with(func(c *Config) { c.Hosts, c.Teams, c.Novelty, c.AttacksPerDay, c.Days = 100, 3, 60, 100, 15 }),
		with(func(c *Config) { c.AttackHour, c.SlowTargets, c.BruteForce = 15, 20, 50 }),
		named(t, "busy"), named(t, "exposed"), named(t, "flat"), named(t, "large"),
	} {
		all := generate(t, c)
		hosts := hostsByAddress(c)
		pairs, triplets, sources, clients := map[pair]time.Time{}, map[triplet]bool{}, map[string]time.Time{}, map[pair]bool{}
		for _, s := range slices.Backward(all) { // the first time remains
			if benign(s) {
				pairs[s.pair()], triplets[s.triplet()], sources[s.Source] = s.Time, true, s.Time
				clients[pair{s.Source, s.Client}] = true
			}
		}
		incident := map[triplet]int{}
		for i, s := range all {
			if benign(s) {
				continue
			}
			day := c.dayOf(s)
			if first, ok := incident[s.triplet()]; ok && first != day {
				t.Errorf("session %d: attack triplet of day %d again on day %d", i, first, day)
			}
			incident[s.triplet()] = day
			// What an attack may rely on was seen before the day, or before the hour.
			known := c.Start.AddDate(0, 0, day)
			if day == c.AttackStart {
				known = known.Add(time.Duration(c.AttackHour) * time.Hour)
			}
			if s.Time.Before(known) {
				t.Errorf("session %d: attack at %s, before %s", i, s.Time, known)
			}
			sourceTime, knownSource := sources[s.Source]
			pairTime, knownPair := pairs[s.pair()]
			if triplets[s.triplet()] {
				t.Errorf("session %d: %s triplet is also benign", i, s.Label)
			}
			switch s.Label {
			case LabelLateral:
				from, to := hosts[s.Source], hosts[s.Destination]
				role := workstation
				if s.Note == NoteFoothold {
					role = exposed
				}
				if !knownSource || !sourceTime.Before(known) || knownPair || from.role != role || to.role != server || from.team == to.team {
					t.Errorf("session %d: lateral from a source of %s (known %v), team %d to %d, pair benign %v", i, sourceTime, knownSource, from.team, to.team, knownPair)
				}
			case LabelStrangeTool:
				if !knownPair || !pairTime.Before(known) || clients[pair{s.Source, s.Client}] {
					t.Errorf("session %d: strange tool %q on a pair of %s (known %v)", i, s.Client, pairTime, knownPair)
				}
			case LabelNewSource:
				if _, ok := hosts[s.Source]; ok || knownSource {
					t.Errorf("session %d: new source %s is of the enterprise", i, s.Source)
				}
			default:
				t.Errorf("session %d: label %q", i, s.Label)
			}
		}
		if len(incident) == 0 {
			t.Error("no attacks")
		}
	}
}

func TestNotesAreTrue(t *testing.T) {
	c := with(func(c *Config) { c.Days = 30; c.AttackStart = 20; c.Novelty = 3 })
	hosts := hostsByAddress(c)
	firstDay, count := map[triplet]int{}, map[string]int{}
	for _, s := range only(generate(t, c), benign) {
		day := c.dayOf(s)
		if _, ok := firstDay[s.triplet()]; !ok {
			firstDay[s.triplet()] = day
		}
		from, to := hosts[s.Source], hosts[s.Destination]
		holds := true
		switch s.Note {
		case NoteNewHire:
			holds = from.role == workstation && from.from > 0
		case NoteNewServer:
			holds = to.from > 0 && from.team == to.team
		case NoteOwnTeam:
			holds = from.team == to.team
		case NoteOtherTeam:
			holds = from.team != to.team && to.role == server
		case NoteUpgrade:
			holds = day > 0 && len(from.clients) > 1
		case NoteAutomation:
			holds = from.role == automation && max(from.from, to.from) > 0
		}
		if s.Note != "" && (!holds || day == 0 || firstDay[s.triplet()] != day) {
			t.Errorf("%s on day %d, triplet first on day %d: %+v", s.Note, day, firstDay[s.triplet()], s)
		}
		count[s.Note]++
	}
	for _, note := range []string{NoteNewHire, NoteNewServer, NoteOwnTeam, NoteOtherTeam, NoteAdmin, NoteUpgrade, NoteAutomation} {
		if count[note] == 0 {
			t.Errorf("no session with the note %q among %v", note, count)
		}
	}
	if count[NoteOwnTeam] < 2*count[NoteOtherTeam] {
		t.Errorf("own team %d, other team %d: want the first to be the common one", count[NoteOwnTeam], count[NoteOtherTeam])
	}
}

func TestTimes(t *testing.T) {
	c := Default()
	all := generate(t, c)
	var office, people int
	hosts := hostsByAddress(c)
	uids := make(map[string]bool)
	end := c.Start.AddDate(0, 0, c.Days)
	for i, s := range all {
		if i > 0 && s.Time.Before(all[i-1].Time) {
			t.Fatalf("session %d at %s comes after %s", i, s.Time, all[i-1].Time)
		}
		if s.Time.Before(c.Start) || !s.Time.Before(end) || s.Time.Nanosecond()%1000 != 0 {
			t.Errorf("session %d at %s: want whole microseconds from %s to %s", i, s.Time, c.Start, end)
		}
		if uids[s.UID] || len(s.UID) != 18 {
			t.Errorf("session %d: uid %q is doubled or not of 18 letters", i, s.UID)
		}
		uids[s.UID] = true
		if benign(s) && hosts[s.Source].role == workstation {
			people++
			if h := s.Time.Hour(); 7 <= h && h < 19 {
				office++
			}
		}
	}
	if share := float64(office) / float64(people); share < 0.85 || share > 0.99 {
		t.Errorf("%.2f of people's sessions lie between 7 and 19 h, want most but not all", share)
	}
}

// TestMidnight: a session that would leave its day is held in it, since days
// are put in order one by one.
func TestMidnight(t *testing.T) {
	var s simulation
	for offset, want := range map[int64]int64{-5: 3 * day24, 7: 3*day24 + 7, day24: 4*day24 - 1} {
		s.add(newRand(1, 1), 3, offset, record{})
		if got := s.today[len(s.today)-1].at; got != want {
			t.Errorf("offset %d on day 3: at %d, want %d", offset, got, want)
		}
	}
}

// TestZipf: the counts of workstations by rank fall about as 1/rank, and so do
// those of the servers of a team.
func TestZipf(t *testing.T) {
	c := Default()
	hosts := hostsByAddress(c)
	bySource, byServer := map[string]int{}, map[string]int{}
	for _, s := range only(generate(t, c), benign) {
		if hosts[s.Source].role == workstation {
			bySource[s.Source]++
			if hosts[s.Destination].role == server {
				byServer[s.Destination]++
			}
		}
	}
	check := func(name string, counts map[string]int, lo, hi float64) {
		t.Helper()
		var v []int
		for _, n := range counts {
			v = append(v, n)
		}
		slices.Sort(v)
		slices.Reverse(v)
		if ratio := float64(v[9]) / float64(v[99]); ratio < lo || ratio > hi {
			t.Errorf("%s: rank 10 has %d sessions, rank 100 has %d: ratio %.1f, want %.0f to %.0f", name, v[9], v[99], ratio, lo, hi)
		}
	}
	check("sources", bySource, 4, 15)
	check("servers", byServer, 4, 40)
}

func TestStops(t *testing.T) {
	n := 0
	if err := Generate(Default(), func(*Session) bool { n++; return n < 10 }); err != nil || n != 10 {
		t.Errorf("%d sessions, %v; want 10", n, err)
	}
}

// TestSmallest: an enterprise too small for its attacks still comes to an end.
func TestSmallest(t *testing.T) {
	all := generate(t, Config{Start: time.Unix(0, 0), Days: 8, Hosts: minHosts, Teams: 2, SessionsPerDay: 100,
		Novelty: 10, AttackStart: 1, AttacksPerDay: minHosts, Lateral: 1, StrangeTool: 1, SlowTargets: minHosts, BruteForce: 5})
	if n := len(only(all, attack)); n == 0 || n == len(all) {
		t.Errorf("%d attack sessions of %d, want some", n, len(all))
	}
}

func TestValidate(t *testing.T) {
	check := func(want string, change func(*Config)) {
		t.Helper()
		err := Generate(with(change), func(*Session) bool { t.Errorf("%s: a session", want); return false })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	check("days 0: allowed are 1 to 3650", func(c *Config) { c.Days = 0 })
	check("hosts 19: allowed are 20 to 100000", func(c *Config) { c.Hosts = 19 })
	check("teams 41: allowed are 2 to 40 (ten hosts a team)", func(c *Config) { c.Teams = 41 })
	check("sessions per day 0: allowed are 1 to 1000000", func(c *Config) { c.SessionsPerDay = 0 })
	check("attack start 0: allowed are 1", func(c *Config) { c.AttackStart = 0 })
	check("attacks per day 401: allowed are 0 to 400", func(c *Config) { c.AttacksPerDay = 401 })
	check("attacks per day 400 on 3650 days, with intruders from outside: allowed are 500000 attacks in all", func(c *Config) { c.AttacksPerDay, c.Days, c.IntrudersOutside = 400, 3650, true })
	check("runners 100001: allowed are 0 to 100000 (3,000,000 over all days)", func(c *Config) { c.Runners = 100_001 })
	check("server life -1: allowed are 0 to 3650", func(c *Config) { c.ServerLife = -1 })
	check("lease life 4000: allowed are 0 to 3650", func(c *Config) { c.LeaseLife = 4000 })
	check("slow targets -1: allowed are 0 to 400", func(c *Config) { c.SlowTargets = -1 })
	check("brute force -1: allowed are 0 to 1000000", func(c *Config) { c.BruteForce = -1 })
	check("novelty -1: allowed are 0 to 100", func(c *Config) { c.Novelty = -1 })
	check("lateral, strange tool and new source are all 0", func(c *Config) { c.Lateral, c.StrangeTool, c.NewSource = 0, 0, 0 })
	check("start 0001-01-01T00:00:00Z: allowed are the years 1970 to 2100", func(c *Config) { c.Start = time.Time{} })
	check("team servers -1: allowed are 0 to 400", func(c *Config) { c.TeamServers = -1 })
	check("shared servers 401: allowed are 0 to 400", func(c *Config) { c.SharedServers = 401 })
	check("automation hosts -1: allowed are 0 to 400", func(c *Config) { c.AutomationHosts = -1 })
	check("acquaintances 201: allowed are 0 to 200 (half of the hosts)", func(c *Config) { c.Acquaintances = 201 })
	check("clients 101: allowed are 0 to 100", func(c *Config) { c.Clients = 101 })
	check("automation targets -1: allowed are 0 to 400", func(c *Config) { c.AutomationTargets = -1 })
	check("exposed hosts 41: allowed are 0 to 40 (one in ten hosts)", func(c *Config) { c.ExposedHosts = 41 })
	check("scan sources 100001: allowed are 0 to 100000", func(c *Config) { c.ExposedHosts, c.ScanSources = 1, 100_001 })
	check("scan sources 50001: allowed are 0 to 50000 (10,000,000 over all days)", func(c *Config) { c.Days, c.ExposedHosts, c.ScanSources = 200, 1, 50_001 })
	check("scan sources 1 and foothold 0, but exposed hosts 0: at least one is wanted", func(c *Config) { c.ScanSources = 1 })
	check("scan sources 0 and foothold 0.5, but exposed hosts 0: at least one is wanted", func(c *Config) { c.Foothold = 0.5 })
	check("attack hour 20: allowed are 0 to 19", func(c *Config) { c.AttackHour = 20 })
	check("take-ups -1: allowed are 0 to 400", func(c *Config) { c.TakeUps = -1 })
	check("client changes NaN: allowed are 0 to 400", func(c *Config) { c.ClientChanges = math.NaN() })
	check("foothold 1.5: allowed are 0 to 1", func(c *Config) { c.ExposedHosts, c.Foothold = 1, 1.5 })
	check("hosts 400: 6 shared servers, 0 exposed and 4 automation hosts leave 390 servers and 0 workstations for 10 teams: at least one of each a team is wanted",
		func(c *Config) { c.TeamServers = 39 })
	if err := with(func(c *Config) { c.AttackStart, c.AttackHour = 0, 1 }).Validate(); err != nil {
		t.Error(err)
	}
}

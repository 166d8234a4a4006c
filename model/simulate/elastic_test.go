package simulate

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestElastic: servers are replaced and addresses leased at the rates asked for, in the team's network, and who used
// what was there uses what stands in for it.
func TestElastic(t *testing.T) {
	const seeds = 3
	servers, replaced, people, renewed, days := 0, 0, 0, 0, 0
	for seed := range uint64(seeds) {
		c := named(t, "elastic")
		c.Seed = seed
		w := newWorld(c, newRand(c.Seed, streamWorld))
		for day := 1; day < c.Days; day++ {
			days++
			for id, h := range w.hosts {
				if h.role != server && h.role != workstation {
					if h.until != forever {
						t.Fatalf("seed %d: host %d of role %d ends on day %d", seed, id, h.role, h.until)
					}
					continue
				}
				gone := 0
				if h.until == day-1 {
					gone = 1
				}
				if h.from < day && h.until >= day-1 {
					if h.role == server {
						servers, replaced = servers+1, replaced+gone
					} else {
						people, renewed = people+1, renewed+gone
					}
				}
			}
		}
		for id, h := range w.hosts {
			on := map[int]map[int32]bool{} // destinations by day
			for _, b := range h.habits {
				for day := max(b.from, h.from); day <= min(b.until, h.until, c.Days-1); day++ {
					if !w.hosts[b.to].on(day) {
						t.Fatalf("seed %d: host %d goes on day %d to one that is there from %d to %d", seed, id, day, w.hosts[b.to].from, w.hosts[b.to].until)
					}
					if on[day] == nil {
						on[day] = map[int32]bool{}
					}
					if on[day][b.to] {
						t.Fatalf("seed %d: host %d has two habits of %d on day %d", seed, id, b.to, day)
					}
					on[day][b.to] = true
				}
			}
		}
	}
	about(t, "servers replaced, in a thousand a day", replaced*1000/servers, 1, 250)
	about(t, "addresses that change, in a thousand a day", renewed*1000/people, 1, 333)
}

// TestElasticSessions: what the sessions show of it. Nobody comes from or goes to an address that is no more.
func TestElasticSessions(t *testing.T) {
	c := named(t, "elastic")
	hosts := hostsByAddress(c)
	networks := map[string]map[string]bool{} // of a user's addresses
	runners := map[string]int{}
	jobs, workdays := 0, map[int]bool{}
	for _, s := range only(generate(t, c), benign) {
		day := c.dayOf(s)
		to := hosts[s.Destination]
		if to == nil || !to.on(day) {
			t.Fatalf("day %d: a session to %s, which is not there", day, s.Destination)
		}
		if s.Note == NoteRunner {
			workdays[day] = true
			if first, ok := runners[s.Source]; ok && first != day {
				t.Errorf("runner %s comes on days %d and %d", s.Source, first, day)
			} else if !ok {
				jobs++
			}
			runners[s.Source] = day
			if !strings.HasPrefix(s.Source, "10.200.") || hosts[s.Source] != nil {
				t.Errorf("runner %s has an address of another host", s.Source)
			}
			continue
		}
		from := hosts[s.Source]
		if from == nil || !from.on(day) {
			t.Fatalf("day %d: a session from %s, which is not there", day, s.Source)
		}
		if from.role == workstation {
			if networks[s.User] == nil {
				networks[s.User] = map[string]bool{}
			}
			networks[s.User][s.Source] = true
		}
	}
	about(t, "jobs on a working day", jobs, len(workdays), 150)
	many := 0
	for user, addresses := range networks {
		teams := map[int]bool{}
		for addr := range maps.Keys(addresses) {
			teams[hosts[addr].team] = true
		}
		if len(teams) != 1 {
			t.Errorf("user %s has addresses of %d teams: %q", user, len(teams), slices.Sorted(maps.Keys(addresses)))
		}
		if len(addresses) > 1 {
			many++
		}
	}
	if many < len(networks)/2 {
		t.Errorf("%d of %d people have more than one address, want most", many, len(networks))
	}
}

package simulate

import "math/rand/v2"

// Kinds of novelty, in Session.Note.
const (
	NoteNewHire      = "new_hire"      // a new workstation joins a team and finds its servers over days
	NoteNewServer    = "new_server"    // a team's new server and the people who take it up
	NoteOwnTeam      = "own_team"      // someone takes up another server of the team
	NoteOtherTeam    = "other_team"    // someone takes up a server of another team, half of them for days only
	NoteAdmin        = "admin"         // one visit to any server
	NoteUpgrade      = "upgrade"       // a new client version
	NoteClientChange = "client_change" // another client, for no reason
	NoteAutomation   = "automation"    // automation meets a server, or is itself new
	NoteHop          = "hop"           // someone goes on from a server to another one, see Config.Hops
	NoteReplaced     = "replaced"      // a server of a team stands in for another one, see Config.ServerLife
	NoteLease        = "lease"         // a workstation under another address, see Config.LeaseLife
	NoteRunner       = "runner"        // a runner that comes for one job, see Config.Runners
	NoteScan         = "scan"          // an outside address tries an exposed host, on any day; benign, for such go on all the time
	NoteSlow         = "slow"          // attack: part of Config.SlowTargets
	NoteBruteForce   = "brute_force"   // attack: part of Config.BruteForce
	NoteFoothold     = "foothold"      // attack: inwards from an exposed host, see Config.Foothold
	NoteChain        = "chain"         // attack: part of one of Config.Chains
	NoteReturn       = "return"        // attack: a triplet of a day before, see Config.Returns
)

// Benign change on a working day, for 400 hosts and a Novelty of 1.
const (
	hiresPerDay         = 0.6
	newServersPerDay    = 0.5
	ownTeamPerDay       = 14.0
	otherTeamPerDay     = 3.0
	adminPerDay         = 2.0
	upgradesPerDay      = 2.0
	fleetUpgradesPerDay = 0.2 // does not grow with the hosts, for it takes them all along
	newAutomationPerDay = 0.1
	toolUpgradesPerDay  = 0.1
)

// planNovelty lays down what changes on each day. On the first, only what the
// configuration has a rate of its own for. moves is for what changes addresses.
func (w *world) planNovelty(r, moves *rand.Rand) {
	scale := w.cfg.Novelty * float64(w.cfg.Hosts) / 400
	for day := range w.cfg.Days {
		w.elastic(moves, day)
		if !w.cfg.working(day) {
			continue
		}
		w.churn(r, day)
		if day == 0 {
			continue
		}
		times := func(perDay float64, change func()) {
			for range poisson(r, perDay) {
				change()
			}
		}
		times(scale*hiresPerDay, func() { w.hire(r, day) })
		times(scale*newServersPerDay, func() { w.bringUp(r, day) })
		if w.cfg.TakeUps == 0 {
			times(scale*ownTeamPerDay, func() { w.takeUp(r, day) })
		}
		times(scale*otherTeamPerDay, func() {
			h := w.somePerson(r, day)
			until := forever
			if chance(r, 0.5) {
				until = day + between(r, 0, 2)
			}
			w.addHabit(r, h, w.someServer(r, w.otherTeam(r, h.team), day), day, until, NoteOtherTeam)
		})
		times(scale*adminPerDay, func() {
			h := w.somePerson(r, day)
			w.addHabit(r, h, w.someServer(r, r.IntN(w.cfg.Teams), day), day, day, NoteAdmin)
		})
		times(scale*upgradesPerDay, func() { w.upgrade(w.somePerson(r, day), day) })
		times(w.cfg.Novelty*fleetUpgradesPerDay, func() { w.upgradeFleet(r, day) })
		if w.cfg.AutomationHosts == 0 {
			times(w.cfg.Novelty*newAutomationPerDay, func() {
				w.addAutomation(r, len(w.automation), 0.1+0.3*r.Float64(), day)
			})
		}
		times(w.cfg.Novelty*toolUpgradesPerDay, func() {
			w.upgrade(w.hosts[w.automation[r.IntN(len(w.automation))]], day)
		})
	}
}

// somePerson draws a workstation that is there on a day. The first of the
// teams' workstations always are.
func (w *world) somePerson(r *rand.Rand, day int) *host {
	for {
		team := w.teams[r.IntN(len(w.teams))][0]
		if h := w.hosts[team[r.IntN(len(team))]]; h.on(day) {
			return h
		}
	}
}

func (w *world) someServer(r *rand.Rand, team, day int) int32 {
	for {
		servers := w.teams[team][1]
		if s := servers[r.IntN(len(servers))]; w.hosts[s].on(day) {
			return s
		}
	}
}

// hire adds a workstation with the newest client. It starts with the first of
// the shared servers and one of its team's, and learns others day by day.
func (w *world) hire(r *rand.Rand, day int) {
	team := r.IntN(w.cfg.Teams)
	h := w.hosts[w.addWorkstation(r, team, day)]
	h.version = len(h.family) - 1
	h.clients[0] = clientUse{banner: w.bannerID(h.family[h.version])}
	h.sessions = w.hosts[w.teams[team][0][0]].sessions
	w.addHabit(r, h, w.shared[0], day, forever, NoteNewHire)
	learns := day
	for range between(r, 2, 6) {
		w.addHabit(r, h, w.popular(r, team, day), learns, forever, NoteNewHire)
		learns += between(r, 0, 2)
	}
}

// bringUp adds a server to a team. Part of the team takes it up within days;
// automation knows it from its first day.
func (w *world) bringUp(r *rand.Rand, day int) {
	team := r.IntN(w.cfg.Teams)
	id := w.addServer(r, server, team, day)
	for _, p := range w.teams[team][0] {
		if h := w.hosts[p]; h.until >= day && chance(r, 0.4) {
			w.addHabit(r, h, id, max(h.from, day+between(r, 0, 3)), forever, NoteNewServer)
		}
	}
	for _, a := range w.automation {
		if h := w.hosts[a]; chance(r, h.share) {
			h.habits = append(h.habits, habit{to: id, weight: 1, from: day, until: forever, note: NoteAutomation})
		}
	}
}

// upgrade moves a host to the next version of its family, if there is one and
// the last upgrade is not still to come.
func (w *world) upgrade(h *host, day int) {
	if h.version+1 == len(h.family) || h.clients[len(h.clients)-1].from >= day {
		return
	}
	h.version++
	h.clients = append(h.clients, clientUse{from: day, banner: w.bannerID(h.family[h.version]), note: NoteUpgrade})
}

// upgradeFleet upgrades the workstations of one family, most on the same day
// and the rest within three.
func (w *world) upgradeFleet(r *rand.Rand, day int) {
	family := families[pick(r, families, func(f family) float64 { return f.workstations })].banners
	for _, team := range w.teams {
		for _, id := range team[0] {
			h := w.hosts[id]
			if &h.family[0] != &family[0] {
				continue
			}
			if chance(r, 0.7) {
				w.upgrade(h, day)
			} else {
				w.upgrade(h, day+between(r, 1, 3))
			}
		}
	}
}

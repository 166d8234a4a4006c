package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

type role uint8

const (
	workstation role = iota
	server           // of one team
	shared           // a server of all teams: code, bastion, packages
	exposed          // a shared server that the internet reaches
	automation
	intruder
	scanner // outside, comes to exposed servers
	runner  // of one job
)

const forever = math.MaxInt32

// habit is a destination that a host uses from a day to a day, both included.
type habit struct {
	to          int32
	weight      float64
	from, until int
	note        string // why it is new, "" for those of the first day
	moved       bool   // goes on from a habit under another address
}

func (h habit) on(day int) bool { return h.from <= day && day <= h.until }

// clientUse is a banner that a host sends from a day on.
type clientUse struct {
	from   int
	banner int32
	at     int64  // offset on that day, in microseconds, before which the host still sends the one before
	note   string // why it is new, "" for that of the first day
}

type host struct {
	addr, user string
	role       role
	team       int // -1 for none
	from       int // day it appears
	until      int // its last day
	seen       int // day of its first session as a source, forever before it
	sessions   float64
	family     []string    // banners its client goes through
	version    int         // index of the last one in clients, in family
	clients    []clientUse // in order of from
	second     int32       // banner of a second client, -1 for none
	banner     string      // as a server, "" for a workstation that is none
	habits     []habit
	share      float64 // automation: the part of the servers it visits
	hour       int     // automation: when its tour starts
}

// on tells whether the host is there on a day.
func (h *host) on(day int) bool { return h.from <= day && day <= h.until }

func (h *host) client(day int) clientUse {
	i := len(h.clients) - 1
	for i > 0 && h.clients[i].from > day {
		i--
	}
	return h.clients[i]
}

// clientAt is the client at an offset within a day.
func (h *host) clientAt(day int, offset int64) clientUse {
	i := len(h.clients) - 1
	for i > 0 && (h.clients[i].from > day || h.clients[i].from == day && offset < h.clients[i].at) {
		i--
	}
	return h.clients[i]
}

// sends tells whether the host ever uses a client, now or later.
func (h *host) sends(banner int32) bool {
	for _, c := range h.clients {
		if c.banner == banner {
			return true
		}
	}
	return h.second == banner
}

// uses tells whether the host ever has a habit of a destination.
func (h *host) uses(to int32) bool {
	for _, b := range h.habits {
		if b.to == to {
			return true
		}
	}
	return false
}

// cronJob is a session at the same minute of every day.
type cronJob struct {
	from, to     int32
	at           int64 // microseconds since midnight
	since, until int   // its first and its last day
}

// world is the enterprise over all its days. Every benign change is planned
// before the first session, so an attack can be told from what people will do.
type world struct {
	cfg        Config
	hosts      []*host
	teams      [][2][]int32 // each team's workstations and servers
	shared     []int32      // exposed ones too
	exposed    []int32
	automation []int32
	servers    []int32 // of teams, and shared ones
	cron       []cronJob
	banners    []string
	bannerIDs  map[string]int32
	addr       *addresses
	touring    float64 // chance that automation visits a server on its tour
}

func newWorld(c Config, r *rand.Rand) *world {
	w := &world{cfg: c, bannerIDs: make(map[string]int32), teams: make([][2][]int32, c.Teams)}
	n := c.sizes()
	w.layAddresses()

	for range n.shared {
		w.addServer(r, shared, -1, 0)
	}
	for range c.ExposedHosts {
		w.addServer(r, exposed, -1, 0)
	}
	// Unless told otherwise, teams differ in size; each has at least one host of either kind.
	size := make([]float64, c.Teams)
	for t := range size {
		size[t] = 0.4 + r.ExpFloat64()
	}
	team := func(i int) int {
		if i < c.Teams || c.TeamServers > 0 {
			return i % c.Teams
		}
		return pick(r, size, func(s float64) float64 { return s })
	}
	for i := range n.servers {
		w.addServer(r, server, team(i), 0)
	}
	for i := range n.automation {
		// The first, monitoring, reaches everything.
		share := 1.0
		if i > 0 {
			share = 0.25 + 0.3*r.Float64()
		}
		w.addAutomation(r, i, share, 0)
	}
	for i := range n.people {
		w.addWorkstation(r, team(i), 0)
	}
	w.addCron(r)
	if c.Acquaintances > 0 {
		w.acquaint(r)
	} else {
		w.giveHabits(r)
	}
	w.spreadSessions(r)
	w.planNovelty(r, newRand(c.Seed, streamElastic))
	w.addClients(r)
	return w
}

// layAddresses reserves prefixes: one group for each team and one for the rest,
// or a single group.
func (w *world) layAddresses() {
	if !w.cfg.TeamPrefixes {
		w.addr = newAddresses(hostBase, 1)
		w.addr.reserve(0, w.cfg.Hosts)
		return
	}
	w.addr = newAddresses(hostBase, w.cfg.Teams+1)
	for g := range w.cfg.Teams + 1 {
		w.addr.reserve(g, w.cfg.Hosts/(w.cfg.Teams+1))
	}
}

func (w *world) bannerID(banner string) int32 {
	id, ok := w.bannerIDs[banner]
	if !ok {
		id = int32(len(w.banners))
		w.banners = append(w.banners, banner)
		w.bannerIDs[banner] = id
	}
	return id
}

// add gives a host its address and its first client.
func (w *world) add(r *rand.Rand, h *host) int32 {
	group := h.team
	if group < 0 {
		group = w.cfg.Teams
	}
	if h.addr == "" {
		h.addr = w.addr.take(r, group)
	}
	h.seen, h.until = forever, forever
	h.clients = []clientUse{{banner: w.bannerID(h.family[h.version])}}
	w.hosts = append(w.hosts, h)
	return int32(len(w.hosts) - 1)
}

func (w *world) addServer(r *rand.Rand, kind role, team, day int) int32 {
	family := families[pick(r, families, func(f family) float64 { return f.servers })].banners
	version := pick(r, firstVersions, func(p float64) float64 { return p })
	id := w.add(r, &host{role: kind, team: team, from: day, family: family, version: version, second: -1, banner: family[version], user: "svc-cron"})
	w.servers = append(w.servers, id)
	switch kind {
	case exposed:
		w.exposed = append(w.exposed, id)
		fallthrough
	case shared:
		w.shared = append(w.shared, id)
	default:
		w.teams[team][1] = append(w.teams[team][1], id)
	}
	return id
}

func (w *world) addWorkstation(r *rand.Rand, team, day int) int32 {
	family := families[pick(r, families, func(f family) float64 { return f.workstations })].banners
	h := &host{role: workstation, team: team, from: day, family: family, second: -1, user: fmt.Sprintf("u%04d", len(w.hosts))}
	h.version = pick(r, firstVersions, func(p float64) float64 { return p })
	if chance(r, 0.2) {
		h.second = w.bannerID(secondClients[r.IntN(len(secondClients))])
	}
	id := w.add(r, h)
	w.teams[team][0] = append(w.teams[team][0], id)
	return id
}

func (w *world) addAutomation(r *rand.Rand, i int, share float64, day int) int32 {
	tool := automationTools[i%len(automationTools)]
	h := &host{role: automation, team: -1, from: day, family: tool, second: -1, share: share, hour: between(r, 0, 22), user: fmt.Sprintf("svc-auto%d", i)}
	note := ""
	if day > 0 {
		note = NoteAutomation
	}
	if w.cfg.AutomationTargets > 0 {
		h.share = 0
	}
	for _, s := range w.servers {
		if h.share > 0 && day <= w.hosts[s].until && chance(r, share) {
			h.habits = append(h.habits, habit{to: s, weight: 1, from: max(day, w.hosts[s].from), until: forever, note: note})
		}
	}
	id := w.add(r, h)
	w.automation = append(w.automation, id)
	return id
}

// addCron lets some servers copy to another one of their team every night, and
// those that the internet reaches to the first of the shared servers.
func (w *world) addCron(r *rand.Rand) {
	for _, team := range w.teams {
		for _, from := range team[1] {
			to := team[1][r.IntN(len(team[1]))]
			if from != to && chance(r, 0.25) {
				w.addJob(r, from, to)
			}
		}
	}
	for _, from := range w.exposed {
		w.addJob(r, from, w.shared[0])
	}
}

func (w *world) addJob(r *rand.Rand, from, to int32) {
	at := int64(between(r, 0, 6*60-1)) * 60e6
	w.cron = append(w.cron, cronJob{from, to, at, 0, forever})
	w.hosts[from].habits = append(w.hosts[from].habits, habit{to: to, weight: 1, until: forever})
}

// giveHabits gives each workstation servers of its team, by their popularity
// and its owner's taste, and some of the shared ones. A few people have always
// worked across teams.
func (w *world) giveHabits(r *rand.Rand) {
	for _, team := range w.teams {
		for _, id := range team[0] {
			h := w.hosts[id]
			if w.cfg.TeamServers > 0 {
				w.giveSome(r, h)
			} else {
				for range 2 + poisson(r, 2) {
					w.addHabit(r, h, w.popular(r, h.team, 0), 0, forever, "")
				}
			}
			for i, s := range w.shared {
				if chance(r, 0.9/float64(1+i)) {
					w.addHabit(r, h, s, 0, forever, "")
				}
			}
			if chance(r, 0.15) {
				w.addHabit(r, h, w.popular(r, w.otherTeam(r, h.team), 0), 0, forever, "")
			}
		}
	}
}

// giveSome gives a workstation a third to a half of its team's servers, so that
// there remain some to take up.
func (w *world) giveSome(r *rand.Rand, h *host) {
	servers := w.teams[h.team][1]
	some := max(1, between(r, len(servers)/3, len(servers)/2))
	for _, i := range r.Perm(len(servers))[:some] {
		w.addHabit(r, h, servers[i], 0, forever, "")
	}
}

// acquaint gives each workstation hosts of any team and kind. Workstations are
// among them if they can run a server, and PuTTY does not come with one.
func (w *world) acquaint(r *rand.Rand) {
	var all []int32
	for i, h := range w.hosts {
		if h.role == workstation && strings.HasPrefix(h.family[h.version], "SSH-2.0-OpenSSH") {
			h.banner = h.family[h.version]
		}
		if h.banner != "" {
			all = append(all, int32(i))
		}
	}
	for id, h := range w.hosts {
		if h.role != workstation {
			continue
		}
		for _, i := range r.Perm(len(all)) {
			if len(h.habits) < w.cfg.Acquaintances && all[i] != int32(id) {
				w.addHabit(r, h, all[i], 0, forever, "")
			}
		}
	}
}

// addHabit adds a destination that the host does not have yet. Within a host,
// weights fall as 1/rank, ranks being the order of addition.
func (w *world) addHabit(r *rand.Rand, h *host, to int32, from, until int, note string) bool {
	if h.uses(to) {
		return false
	}
	weight := (0.5 + r.Float64()) / float64(1+len(h.habits))
	h.habits = append(h.habits, habit{to: to, weight: weight, from: from, until: until, note: note})
	return true
}

// popular draws a server of a team that is there on a day, the one at rank i in proportion to 1/i.
func (w *world) popular(r *rand.Rand, team, day int) int32 {
	servers := w.teams[team][1]
	for {
		// The inverse of the harmonic sum, as a continuous approximation.
		i := int(math.Exp(r.Float64()*math.Log(float64(len(servers)+1)))) - 1
		if s := servers[min(i, len(servers)-1)]; day <= w.hosts[s].until {
			return s
		}
	}
}

func (w *world) otherTeam(r *rand.Rand, team int) int {
	other := r.IntN(w.cfg.Teams - 1)
	if other >= team {
		other++
	}
	return other
}

// spreadSessions divides a working day's sessions: automation and cron take
// what they need, up to a quarter, and people get the rest by Zipf's law.
func (w *world) spreadSessions(r *rand.Rand) {
	total := float64(w.cfg.SessionsPerDay)
	visits := 0
	for _, id := range w.automation {
		visits += len(w.hosts[id].habits)
	}
	w.touring = min(0.95, total/4/float64(max(visits, 1)))
	people := max(0, total-w.touring*float64(visits)-float64(len(w.automation)*w.cfg.AutomationTargets)-float64(len(w.cron)))

	var all []*host
	for _, h := range w.hosts {
		if h.role == workstation {
			all = append(all, h)
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	sum := 0.0
	for i, h := range all {
		h.sessions = math.Pow(float64(i+5), -1)
		sum += h.sessions
	}
	for _, h := range all {
		h.sessions *= people / sum / (1 - absentWorking)
	}
}

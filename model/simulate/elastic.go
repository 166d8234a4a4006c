package simulate

import "math/rand/v2"

// elastic gives hosts new addresses on a day: servers that are replaced, and people whose lease ran out. What was known
// of the old address goes on under the new one, which is a host of its own from then on.
func (w *world) elastic(r *rand.Rand, day int) {
	if life := w.cfg.ServerLife; life > 0 && day > 0 {
		for _, id := range w.servers[:len(w.servers):len(w.servers)] {
			if h := w.hosts[id]; h.role == server && h.on(day) && h.from < day && chance(r, 1/life) {
				w.replace(r, id, day)
			}
		}
	}
	if life := w.cfg.LeaseLife; life > 0 && day > 0 {
		for _, team := range w.teams {
			for _, id := range team[0] { // those that renew adds come after the end of this slice
				if h := w.hosts[id]; h.on(day) && h.from < day && chance(r, 1/life) {
					w.renew(r, id, day)
				}
			}
		}
	}
}

// move adds a host that goes on from a day on where another one ends.
func (w *world) move(r *rand.Rand, id int32, day int, note string) int32 {
	old := w.hosts[id]
	next := *old
	next.addr, next.from = w.addr.take(r, old.team), day
	next.habits, next.clients = nil, append([]clientUse(nil), old.clients...)
	for i := range old.habits {
		if h := &old.habits[i]; h.until >= day {
			next.habits = append(next.habits, h.movedOn(h.to, day, note))
			h.until = min(h.until, day-1)
		}
	}
	old.until = day - 1
	w.hosts = append(w.hosts, &next)
	return int32(len(w.hosts) - 1)
}

// movedOn is a habit as it goes on from a day on, with a destination. One that starts later keeps its note.
func (h habit) movedOn(to int32, day int, note string) habit {
	h.to = to
	if h.from < day {
		h.from, h.note, h.moved = day, note, true
	}
	return h
}

// replace puts a server of the same kind in the place of another one: all who use that go to the new one, jobs too.
func (w *world) replace(r *rand.Rand, id int32, day int) {
	next := w.move(r, id, day, NoteReplaced)
	w.servers = append(w.servers, next)
	team := w.hosts[id].team
	w.teams[team][1] = append(w.teams[team][1], next)
	for _, h := range w.hosts {
		for i := range h.habits {
			if b := &h.habits[i]; b.to == id && b.until >= day {
				h.habits = append(h.habits, b.movedOn(next, day, NoteReplaced))
				b = &h.habits[i]
				b.until = day - 1
			}
		}
	}
	for i := range w.cron {
		job := &w.cron[i]
		if job.from != id && job.to != id || job.until < day {
			continue
		}
		goesOn := *job
		job.until = day - 1
		goesOn.since = day
		if job.from == id {
			goesOn.from = next
		}
		if job.to == id {
			goesOn.to = next
		}
		w.cron = append(w.cron, goesOn)
	}
}

// renew gives a workstation another address of its team.
func (w *world) renew(r *rand.Rand, id int32, day int) {
	next := w.move(r, id, day, NoteLease)
	team := w.hosts[id].team
	w.teams[team][0] = append(w.teams[team][0], next)
}

// jobClient is what the runners of jobs send.
const jobClient = "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5"

// runnersOfDay lets the runners of a day come, each for one job, and go again: a job fetches from the first of the shared
// servers and goes to one or two servers of a team.
func (s *simulation) runnersOfDay(day int) {
	if s.cfg.Runners == 0 || !s.cfg.working(day) {
		return
	}
	r := s.jobs
	client := s.bannerID(jobClient)
	for range poisson(r, float64(s.cfg.Runners)) {
		id := int32(len(s.hosts))
		s.hosts = append(s.hosts, &host{addr: s.runners.take(r, 0), role: runner, team: -1, from: day, until: day, seen: forever,
			clients: []clientUse{{banner: client}}, second: -1})
		offset := max(workingTime(r), 0)
		visit := func(to int32) {
			s.add(r, day, offset, record{src: id, dst: to, client: client, user: "svc-job", ok: true, attempts: 1, note: NoteRunner})
			offset += int64(r.ExpFloat64()*120) * second
		}
		visit(s.shared[0])
		team := r.IntN(s.cfg.Teams)
		for range geometric(r, 0.4, 2) {
			visit(s.someServer(r, team, day))
		}
	}
}

package simulate

const (
	newOnTheWay = 0.4 // share of those who go on from a server of their team that they never used
	meanStay    = 30 * 60 * second
)

// hopsOfDay lets people go on from a server of their team to another one of it, as those do who look after servers.
// Config.Hops has them. They look like the moves of Config.Chains, and are none.
func (s *simulation) hopsOfDay(day int) {
	if s.cfg.Hops == 0 || !s.cfg.working(day) {
		return
	}
	r := s.hops
	for range poisson(r, s.cfg.Hops) {
		team := s.teams[r.IntN(len(s.teams))]
		id, servers := team[0][r.IntN(len(team[0]))], team[1]
		h := s.hosts[id]
		via, to := servers[r.IntN(len(servers))], servers[r.IntN(len(servers))]
		if !chance(r, newOnTheWay) {
			via = h.habits[r.IntN(len(h.habits))].to
		}
		if !h.on(day) || via == to || s.hosts[via].role != server || !s.old(via, day) || !s.old(to, day) {
			continue
		}
		offset := max(workingTime(r), 0)
		s.add(r, day, offset, record{src: id, dst: via, client: h.clientAt(day, offset).banner, user: h.user, ok: true, attempts: 1, note: NoteHop})
		offset += int64(r.ExpFloat64() * float64(meanStay))
		s.add(r, day, offset, record{src: via, dst: to, client: s.hosts[via].client(day).banner, user: h.user, ok: true, attempts: 1, note: NoteHop})
	}
}

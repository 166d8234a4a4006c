package simulate

import "math/rand/v2"

// Kinds of attack, in Session.Label.
const (
	LabelLateral     = "lateral"      // a known workstation goes to servers of other teams, where it never was, or an exposed host to any
	LabelStrangeTool = "strange_tool" // a known pair with a client it never had
	LabelNewSource   = "new_source"   // an address never seen before goes to some servers
)

// tries bounds the search for a victim, which an enterprise of a few hosts may
// not have left.
const tries = 200

// attackDay makes the attacks of a day: incidents of a few triplets each, until
// the day's triplets are used up.
func (s *simulation) attackDay(day int) {
	c, r := s.cfg, s.attack
	if day < c.AttackStart {
		return
	}
	before := s.struck[:len(s.struck):len(s.struck)]
	s.attackFrom = 0
	if day == c.AttackStart && c.AttackHour > 0 {
		s.attackFrom = int64(c.AttackHour) * hour
		s.settleMorning(day)
	}
	if c.BruteForce > 0 && day == c.AttackStart {
		s.bruteForce(day)
	}
	if c.Foothold > 0 && chance(r, c.Foothold) {
		s.foothold(day, between(r, 2, 6))
	}
	if c.SlowTargets > 0 {
		s.slow(day)
	}
	if c.AttacksPerDay > 0 {
		s.attacks(day)
	}
	for range c.Chains {
		s.chain(day)
	}
	s.comeBack(day, before)
}

// attacks makes the Config.AttacksPerDay triplets of a day.
func (s *simulation) attacks(day int) {
	c, r := s.cfg, s.attack
	total := c.Lateral + c.StrangeTool + c.NewSource
	n := float64(c.AttacksPerDay)
	// Equal rounding of the borders makes the three parts sum up.
	lateral := int(n*c.Lateral/total + 0.5)
	strange := int(n*(c.Lateral+c.StrangeTool)/total+0.5) - lateral
	s.incidents(lateral, func(n int) int { return s.lateral(day, n) })
	s.incidents(strange, func(n int) int { return s.strangeTool(day, min(n, between(r, 1, 3))) })
	s.incidents(c.AttacksPerDay-lateral-strange, func(n int) int { return s.newSource(day, n) })
}

// incidents calls incident with a size until n triplets were made or none can be.
func (s *simulation) incidents(n int, incident func(size int) int) {
	for failed := 0; n > 0 && failed < 10; {
		made := incident(min(n, between(s.attack, 2, 6)))
		if n -= made; made == 0 {
			failed++
		}
	}
}

// strike makes the sessions of one attack triplet, from an offset on, and
// returns when the attacker is done.
func (s *simulation) strike(r *rand.Rand, day int, offset int64, rec record) int64 {
	s.remember(rec)
	s.attacked[pairKey(rec.src, rec.dst)] = true
	s.attacked[tripletKey(rec.src, rec.dst, rec.client)] = true
	for range geometric(r, 0.5, 5) {
		rec.attempts = uint8(between(r, 1, 6))
		rec.ok = chance(r, 0.6)
		s.add(r, day, offset, rec)
		offset += int64(r.ExpFloat64()*240) * second
	}
	return offset
}

// attackTime: most attackers hide in the working day.
func (s *simulation) attackTime() int64 {
	if s.attackFrom > 0 {
		return s.attackFrom + s.attack.Int64N(22*hour-s.attackFrom)
	}
	if chance(s.attack, 0.7) {
		return 8*hour + s.attack.Int64N(9*hour)
	}
	return s.attack.Int64N(21 * hour)
}

func (s *simulation) lateral(day, n int) (made int) {
	src := s.knownPerson(s.attack, day)
	if src < 0 {
		return 0
	}
	client := s.hosts[src].client(day).banner
	if chance(s.attack, 0.3) {
		client = s.commonClient(day)
	}
	offset := s.attackTime()
	for range n {
		if dst := s.foreignServer(s.attack, src, day); dst >= 0 {
			offset = s.strike(s.attack, day, offset, record{src: src, dst: dst, client: client, user: s.victim(src), label: LabelLateral})
			made++
		}
	}
	return made
}

// knownPerson draws a workstation that is there and was seen before today's attacks, -1 for none.
func (s *simulation) knownPerson(r *rand.Rand, day int) int32 {
	for range tries {
		team := s.teams[r.IntN(len(s.teams))][0]
		if id := team[r.IntN(len(team))]; s.hosts[id].seen != forever && day <= s.hosts[id].until {
			return id
		}
	}
	return -1
}

// foreignServer draws a server of another team that the source neither used nor
// ever will, -1 for none.
func (s *simulation) foreignServer(r *rand.Rand, src int32, day int) int32 {
	h := s.hosts[src]
	for range tries {
		servers := s.teams[s.otherTeam(r, h.team)][1]
		dst := servers[r.IntN(len(servers))]
		if s.old(dst, day) && dst != src && !h.uses(dst) && !s.attacked[pairKey(src, dst)] {
			return dst
		}
	}
	return -1
}

// old tells whether a host that is there on a day was there before, or always.
func (s *simulation) old(id int32, day int) bool {
	return s.hosts[id].from < max(day, 1) && day <= s.hosts[id].until
}

// commonClient is the client of anyone.
func (s *simulation) commonClient(day int) int32 {
	team := s.teams[s.attack.IntN(len(s.teams))][0]
	return s.hosts[team[s.attack.IntN(len(team))]].client(day).banner
}

func (s *simulation) victim(src int32) string {
	if chance(s.attack, 0.5) {
		return s.hosts[src].user
	}
	return "root"
}

// strangeTool uses pairs of one known source with a client that the source
// never sends: one of the automation's, one of other people's, or one nobody has.
func (s *simulation) strangeTool(day, n int) (made int) {
	r := s.attack
	src := s.knownPerson(s.attack, day)
	if src < 0 {
		return 0
	}
	h := s.hosts[src]
	var client int32
	for try := 0; ; try++ {
		switch x := r.Float64(); {
		case x < 0.5:
			tool := automationTools[r.IntN(len(automationTools))]
			client = s.bannerID(tool[r.IntN(len(tool))])
		case x < 0.75:
			client = s.commonClient(day)
		default:
			client = s.bannerID(novelTool(r))
		}
		if !h.sends(client) {
			break
		}
		if try == tries {
			return 0
		}
	}
	offset := s.attackTime()
	for _, i := range r.Perm(len(h.habits)) {
		dst := h.habits[i].to
		_, known := s.first[pairKey(src, dst)] // before today's attacks, for the rest of today is not settled yet
		if made < n && known && !s.attacked[tripletKey(src, dst, client)] {
			offset = s.strike(s.attack, day, offset, record{src: src, dst: dst, client: client, user: s.victim(src), label: LabelStrangeTool})
			made++
		}
	}
	return made
}

// newSource lets a stranger visit servers of any team, mostly with a client
// like anyone's.
func (s *simulation) newSource(day, n int) (made int) {
	r := s.attack
	addr := ""
	if s.cfg.IntrudersOutside {
		addr = s.addr.takeOutside(r)
	} else {
		addr = s.addr.take(r, r.IntN(s.cfg.Teams))
	}
	src := int32(len(s.hosts))
	s.hosts = append(s.hosts, &host{addr: addr, role: intruder, from: day, until: forever, seen: forever})
	client := s.commonClient(day)
	if chance(r, 0.3) {
		client = s.bannerID(novelTool(r))
	}
	offset := s.attackTime()
	for try := 0; made < n && try < tries; try++ {
		dst := s.servers[r.IntN(len(s.servers))]
		if s.old(dst, day) && s.hosts[dst].role != exposed && !s.attacked[pairKey(src, dst)] {
			offset = s.strike(s.attack, day, offset, record{src: src, dst: dst, client: client, user: "root", label: LabelNewSource})
			made++
		}
	}
	return made
}

// slow lets one source move on to what of Config.SlowTargets is due on a day.
func (s *simulation) slow(day int) {
	c := s.cfg
	if s.slowSource < 0 {
		if s.slowSource = s.knownPerson(s.attack, day); s.slowSource < 0 {
			return
		}
	}
	due := c.SlowTargets * (day - c.AttackStart + 1) / (c.Days - c.AttackStart)
	for ; s.slowDone < due; s.slowDone++ {
		if dst := s.foreignServer(s.attack, s.slowSource, day); dst >= 0 {
			client := s.hosts[s.slowSource].client(day).banner
			s.strike(s.attack, day, s.attackTime(), record{src: s.slowSource, dst: dst, client: client, user: s.victim(s.slowSource), label: LabelLateral, note: NoteSlow})
		}
	}
}

// bruteForce tries one pair again and again; only the last session gets in.
func (s *simulation) bruteForce(day int) {
	r := s.attack
	src := s.knownPerson(s.attack, day)
	if src < 0 {
		return
	}
	dst := s.foreignServer(s.attack, src, day)
	if dst < 0 {
		return
	}
	client := s.commonClient(day)
	s.attacked[pairKey(src, dst)] = true
	start, n := s.attackFrom+r.Int64N(20*hour-s.attackFrom), s.cfg.BruteForce
	for i := range n {
		s.add(r, day, start+int64(i)*4*hour/int64(n), record{src: src, dst: dst, client: client, user: "root",
			ok: i == n-1, attempts: 6, label: LabelLateral, note: NoteBruteForce})
	}
}

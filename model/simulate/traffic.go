package simulate

import "math/rand/v2"

const (
	second = int64(1e6) // times are in microseconds
	hour   = 3600 * second
	day24  = 24 * hour
)

const (
	absentWorking = 0.08 // share of people who are away on a working day
	absentWeekend = 0.75
	weekendPace   = 0.3 // sessions of those who are there, over those of a working day
)

// record is a session in the making.
type record struct {
	at       int64 // microseconds since Config.Start
	src, dst int32
	client   int32
	port     uint16
	attempts uint8
	ok       bool
	user     string
	label    string
	note     string
	uid      [2]uint64
}

// simulation goes through the days of a world.
type simulation struct {
	*world
	traffic, attack *rand.Rand
	scans           *rand.Rand
	chains, returns *rand.Rand
	hops, jobs      *rand.Rand
	struck          []record // attack triplets so far, for Config.Returns
	scanners        []int32
	runners         *addresses // of their own, so that attacks leave jobs as they are
	today           []record
	first           map[uint64]int // day on which benign sessions first showed a pair or a triplet
	attacked        map[uint64]bool
	attackFrom      int64 // offset within today, in microseconds, before which there are no attacks
	slowSource      int32
	slowDone        int
}

func tripletKey(src, dst, client int32) uint64 {
	return uint64(src)<<40 | uint64(dst)<<16 | uint64(client+1)
}

// pairKey is the triplet with no client.
func pairKey(src, dst int32) uint64 { return tripletKey(src, dst, -1) }

// add records a session of today; offset is within the day.
func (s *simulation) add(r *rand.Rand, day int, offset int64, rec record) {
	offset = min(max(offset, 0), day24-1)
	rec.at = int64(day)*day24 + offset
	rec.port = uint16(between(r, 32768, 60999))
	rec.uid = [2]uint64{r.Uint64(), r.Uint64()}
	s.today = append(s.today, rec)
}

// benignDay makes what automation, cron and people do on a day.
func (s *simulation) benignDay(day int) {
	for _, id := range s.automation {
		s.tour(id, day)
	}
	for _, job := range s.cron {
		if day < job.since || day > job.until {
			continue
		}
		h := s.hosts[job.from]
		offset := job.at + int64(s.traffic.IntN(int(2*second)))
		s.add(s.traffic, day, offset, record{src: job.from, dst: job.to, client: h.client(day).banner, user: h.user, ok: true, attempts: 1})
	}
	working := s.cfg.working(day)
	for id, h := range s.hosts {
		if h.role == workstation && h.on(day) {
			s.personDay(int32(id), day, working)
		}
	}
}

// tour lets an automation host visit its servers one after the other, from its hour on.
func (s *simulation) tour(id int32, day int) {
	r, h := s.traffic, s.hosts[id]
	if h.from > day {
		return
	}
	client := h.client(day)
	offset := int64(h.hour) * hour
	if n := s.cfg.AutomationTargets; n > 0 {
		s.randomTour(id, day, n)
		return
	}
	for i, b := range h.habits {
		if !b.on(day) || !chance(r, s.touring) {
			continue
		}
		at := offset + int64(i)*hour/int64(len(h.habits)) + int64(r.IntN(int(second)))
		ok := !chance(r, 0.003)
		s.add(r, day, at, record{src: id, dst: b.to, client: client.banner, user: h.user, ok: ok, attempts: 1, note: noteOf(b, client)})
	}
}

// randomTour is a tour of n servers, other ones each day.
func (s *simulation) randomTour(id int32, day, n int) {
	r, h := s.traffic, s.hosts[id]
	note := ""
	if day > 0 {
		note = NoteAutomation
	}
	offset, each := int64(h.hour)*hour, hour/int64(n)
	for _, i := range r.Perm(len(s.servers)) {
		dst := s.servers[i]
		if n == 0 || !s.hosts[dst].on(day) {
			continue
		}
		ok := !chance(r, 0.003)
		s.add(r, day, offset+int64(r.IntN(int(second))), record{src: id, dst: dst, client: h.client(day).banner, user: h.user, ok: ok, attempts: 1, note: note})
		offset += each
		n--
	}
}

func (s *simulation) personDay(id int32, day int, working bool) {
	r, h := s.traffic, s.hosts[id]
	// Whoever takes up a server does so on the day it was planned for.
	for i := range h.habits {
		if b := h.habits[i]; b.note != "" && b.from == day && b.until >= day && !b.moved {
			s.visit(id, i, day, workingTime)
		}
	}
	if c := h.client(day); c.note == NoteClientChange && c.from == day {
		if i := s.usual(h, day); h.habits[i].on(day) {
			s.visit(id, i, day, func(*rand.Rand) int64 { return c.at })
		}
	}
	away, pace := absentWorking, 1.0
	if !working {
		away, pace = absentWeekend, weekendPace
	}
	if chance(r, away) {
		return
	}
	for range poisson(r, h.sessions*pace) {
		if i := s.usual(h, day); h.habits[i].on(day) {
			s.visit(id, i, day, workingTime)
		}
	}
}

// usual draws one of a person's habits of a day by their weights. If there is
// none, it is not on.
func (s *simulation) usual(h *host, day int) int {
	return pick(s.traffic, h.habits, func(b habit) float64 {
		if b.on(day) {
			return b.weight
		}
		return 0
	})
}

// visit is one session of a person, at an offset that when draws.
func (s *simulation) visit(id int32, i, day int, when func(*rand.Rand) int64) {
	r, h := s.traffic, s.hosts[id]
	rec := record{src: id, dst: h.habits[i].to, client: -1, user: h.user, ok: true}
	if h.second >= 0 && chance(r, 0.15) {
		rec.client = h.second
	}
	// One in 25 forgets the password or the key; some get it right in the end.
	rec.attempts = 1
	if chance(r, 0.04) {
		rec.attempts = uint8(between(r, 2, 6))
		rec.ok = chance(r, 0.5)
	}
	offset := when(r)
	client := h.clientAt(day, max(offset, 0))
	rec.note = noteOf(h.habits[i], client)
	if rec.client < 0 {
		rec.client = client.banner
	}
	s.add(r, day, offset, rec)
}

// workingTime draws an offset within a day: a morning and an afternoon peak,
// and a few at any time. The conversions rule out fused multiply-add, as in poisson.
func workingTime(r *rand.Rand) int64 {
	switch x := r.Float64(); {
	case x < 0.05:
		return r.Int64N(day24)
	case x < 0.50:
		return int64(float64(r.NormFloat64()*1.3*float64(hour)) + 10.2*float64(hour))
	default:
		return int64(float64(r.NormFloat64()*1.6*float64(hour)) + 15*float64(hour))
	}
}

// noteOf says what may make a session new. It holds for the day on which its
// triplet first appears.
func noteOf(b habit, client clientUse) string {
	if client.from > b.from || b.note == "" {
		return client.note
	}
	return b.note
}

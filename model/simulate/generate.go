package simulate

import (
	"cmp"
	"slices"
	"time"
)

// Session is one SSH session as a network sensor sees it, and the truth about it.
type Session struct {
	Time                time.Time // to the microsecond
	UID                 string
	Source, Destination string // addresses
	SourcePort          int
	Client, Server      string // banners
	User                string
	AuthSuccess         bool
	AuthAttempts        int
	Label               string // kind of attack: "", "lateral", "strange_tool" or "new_source"
	Note                string // what makes a benign triplet new on its first day, or marks a scan, or what kind of attack it is beside Label
}

// Generate makes the sessions in the order of time and hands each to yield,
// until that returns false. The Session is good until yield returns. A very
// small enterprise may not hold all the attacks asked for; it gets as many as fit.
func Generate(c Config, yield func(*Session) bool) error {
	if err := c.Validate(); err != nil {
		return err
	}
	s := &simulation{
		world:   newWorld(c, newRand(c.Seed, streamWorld)),
		traffic: newRand(c.Seed, streamTraffic),
		attack:  newRand(c.Seed, streamAttack),
		scans:   newRand(c.Seed, streamScans),
		chains:  newRand(c.Seed, streamChains),
		returns: newRand(c.Seed, streamReturns),
		hops:    newRand(c.Seed, streamHops),
		jobs:    newRand(c.Seed, streamJobs),
		first:   make(map[uint64]int), attacked: make(map[uint64]bool),
		runners:    newAddresses(jobBase, 1),
		slowSource: -1,
	}
	start := c.Start.UnixMicro()
	var out Session
	for day := range c.Days {
		s.today = s.today[:0]
		s.benignDay(day)
		s.hopsOfDay(day)
		s.runnersOfDay(day)
		s.scanDay(day)
		s.attackDay(day)
		s.settle(day)
		// Stable, so that the same microsecond keeps the order of making.
		slices.SortStableFunc(s.today, func(a, b record) int { return cmp.Compare(a.at, b.at) })
		for i := range s.today {
			rec := &s.today[i]
			out = Session{
				Time: time.UnixMicro(start + rec.at).UTC(), UID: uid(rec.uid),
				Source: s.hosts[rec.src].addr, Destination: s.hosts[rec.dst].addr, SourcePort: int(rec.port),
				Client: s.banners[rec.client], Server: s.hosts[rec.dst].banner, User: rec.user,
				AuthSuccess: rec.ok, AuthAttempts: int(rec.attempts), Label: rec.label, Note: rec.note,
			}
			if !yield(&out) {
				return nil
			}
		}
	}
	return nil
}

// settle remembers what today's benign sessions showed for the first time, and
// takes the note off those whose triplet is older.
func (s *simulation) settle(day int) {
	for i := range s.today {
		rec := &s.today[i]
		if rec.label != "" || rec.note == NoteScan {
			continue
		}
		h := s.hosts[rec.src]
		h.seen = min(h.seen, day)
		s.seenOn(pairKey(rec.src, rec.dst), day)
		if s.seenOn(tripletKey(rec.src, rec.dst, rec.client), day) < day {
			rec.note = ""
		}
	}
}

// settleMorning remembers what today's benign sessions before the attacks
// showed, for attacks that the same day has history for.
func (s *simulation) settleMorning(day int) {
	for i := range s.today {
		rec := &s.today[i]
		if rec.note != NoteScan && rec.at < int64(day)*day24+s.attackFrom {
			h := s.hosts[rec.src]
			h.seen = min(h.seen, day)
			s.seenOn(pairKey(rec.src, rec.dst), day)
		}
	}
}

// seenOn returns the first day of a key, which is this one if it is new.
func (s *simulation) seenOn(key uint64, day int) int {
	first, ok := s.first[key]
	if !ok {
		first, s.first[key] = day, day
	}
	return first
}

// uid writes 17 of 62 letters after a C, the form of Zeek's connection ids.
func uid(bits [2]uint64) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := [18]byte{'C'}
	for i := 1; i < len(b); i++ {
		b[i] = letters[bits[i&1]%62]
		bits[i&1] /= 62
	}
	return string(b[:])
}

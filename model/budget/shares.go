package budget

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"

	"flb-filter-rgcn/graphbuf"
)

// shares is what each source has of a day: a hash table. It has more than two cells for each entry, since the source of
// an entry changes where an address ceases to be new.
type shares []share

// share is what a source, or several together, have of a day.
type share struct {
	source           uint64 // Spender.key; 0: the cell is free
	triplets, alerts int32  // entries, and those of them that are alerts
	// No entry but alerts has a higher score than this; 0: not known. It spares most of a scan's records a look at all
	// entries.
	highest float32
	lowest  float32 // score of an alert, if there is one
}

// of returns the cell of a source, or the free one where it would be.
func (s shares) of(source uint64) *share {
	mask := len(s) - 1
	i := int(maphash.Comparable(indexSeed, source)>>32) & mask
	for s[i].source != 0 && s[i].source != source {
		i = (i + 1) & mask
	}
	return &s[i]
}

// add adds n entries like e. One of an unknown source counts for none.
func (s shares) add(e *entry, n int32) {
	if e.Source == 0 {
		return
	}
	x := s.of(e.Source)
	x.source = e.Source
	x.add(e, n)
}

func (s *share) add(e *entry, n int32) {
	s.triplets += n
	if n > 0 && e.Score > s.highest {
		s.highest = 0
	}
	if e.Alert {
		s.alerts += n
		s.note(e.Score)
	}
}

// note takes the score of an alert.
func (s *share) note(score float32) {
	if s.alerts == 1 || score < s.lowest {
		s.lowest = score
	}
}

// isFarBelow tells a score that is strikingly lower than those of all alerts so far.
func (s *share) isFarBelow(score float32) bool { return s.alerts > 0 && score < farBelow*s.lowest }

// hasNone tells, as far as that is known without a look at the entries, that none above a score can make way.
func (s *share) hasNone(score float32) bool {
	return s.alerts == s.triplets || s.highest > 0 && score >= s.highest
}

// key tells the sources of a day apart. It is the same after a restart, and never 0. Sources whose keys collide have one
// share together, so it is a hash for which nobody finds a name that collides with a given one.
func (by Spender) key(e *graphbuf.Event) uint64 {
	name := by.Name
	if name == nil {
		name = e.Source
	}
	sum := sha256.Sum256(name)
	return max(1, binary.LittleEndian.Uint64(sum[:]))
}

package budget

import (
	"hash/maphash"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// shares is how many of today's alerts each source has: a hash table, with more cells than there are sources.
type shares []share

type share struct {
	source uint32 // Spender.key; 0: the cell is free
	alerts int32
}

// of returns the cell of a source, or the free one where it would be.
func (s shares) of(source uint32) *share {
	mask := len(s) - 1
	i := int(maphash.Comparable(indexSeed, source)>>32) & mask
	for s[i].source != 0 && s[i].source != source {
		i = (i + 1) & mask
	}
	return &s[i]
}

// add counts an alert of a source. One of an unknown source counts for none.
func (s shares) add(source uint32) {
	if source == 0 {
		return
	}
	x := s.of(source)
	x.source = source
	x.alerts++
}

// key tells the sources of a day apart. It is the same after a restart, and never 0. Sources whose keys collide have one
// share together: whoever makes his own names collide with another's gains what any four sources can do, which is to
// spend all of the budget.
func (by Spender) key(e *graphbuf.Event) uint32 {
	name := by.Name
	if name == nil {
		name = e.Source
	}
	h := num.FNV1a(num.FNVStart, name)
	return max(1, uint32(h^h>>32))
}

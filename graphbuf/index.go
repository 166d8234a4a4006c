package graphbuf

// index finds slots by hash: open addressing with linear probing, and deletion
// that moves later cells back, so that no tombstones pile up under eviction. It is in many
// parts that grow one by one and by a little: none holds up an event for long.
type index [indexParts]part

const indexParts = 256

type part struct {
	cells []cell
	used  int
}

type cell struct{ hash, slot uint32 } // slot 0: empty

// of returns the part that a hash belongs to.
func (x *index) of(hash uint32) *part { return &x[hash%indexParts] }

// find returns the slot under hash for which is holds, 0 when there is none.
func (x *index) find(hash uint32, is func(slot uint32) bool) uint32 {
	p := x.of(hash)
	if p.used == 0 {
		return 0
	}
	for i := p.home(hash); ; i = p.next(i) {
		c := p.cells[i]
		if c.slot == 0 || c.hash == hash && is(c.slot) {
			return c.slot
		}
	}
}

// add enters a slot that is not there yet.
func (x *index) add(hash, slot uint32) {
	p := x.of(hash)
	if p.used >= len(p.cells)*4/5 {
		old := p.cells
		p.cells = make([]cell, len(old)+len(old)/4+4)
		for _, c := range old {
			if c.slot != 0 {
				p.put(c)
			}
		}
	}
	p.put(cell{hash, slot})
	p.used++
}

// remove takes out a slot that is there.
func (x *index) remove(hash, slot uint32) {
	p := x.of(hash)
	hole := p.home(hash)
	for p.cells[hole].slot != slot {
		hole = p.next(hole)
	}
	for i := p.next(hole); p.cells[i].slot != 0; i = p.next(i) {
		// A cell may fill the hole unless its home lies behind the hole.
		if home := p.home(p.cells[i].hash); p.steps(home, i) >= p.steps(hole, i) {
			p.cells[hole] = p.cells[i]
			hole = i
		}
	}
	p.cells[hole] = cell{}
	p.used--
}

func (p *part) put(c cell) {
	i := p.home(c.hash)
	for p.cells[i].slot != 0 {
		i = p.next(i)
	}
	p.cells[i] = c
}

// home is where a hash would stand if it were alone: the share of the cells that its upper bits are of
// all numbers.
func (p *part) home(hash uint32) uint32 {
	return uint32(uint64(hash) * uint64(len(p.cells)) >> 32)
}

func (p *part) next(i uint32) uint32 {
	if i++; int(i) == len(p.cells) {
		return 0
	}
	return i
}

// steps is how far it is from one cell on to another.
func (p *part) steps(from, to uint32) uint32 {
	if to < from {
		to += uint32(len(p.cells))
	}
	return to - from
}

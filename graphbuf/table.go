package graphbuf

import (
	"math/bits"
	"math/rand/v2"
)

// index finds slots by hash: open addressing with linear probing, and deletion
// that moves later cells back, so that no tombstones pile up under eviction.
type index struct {
	cells []cell // a power of two long, at most three quarters used
	used  int
}

type cell struct{ hash, slot uint32 } // slot 0: empty

func newIndex() index { return index{cells: make([]cell, 16)} }

// find returns the slot under hash for which is holds, 0 when there is none.
func (x *index) find(hash uint32, is func(slot uint32) bool) uint32 {
	mask := uint32(len(x.cells) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		c := x.cells[i]
		if c.slot == 0 || c.hash == hash && is(c.slot) {
			return c.slot
		}
	}
}

// add enters a slot that is not there yet.
func (x *index) add(hash, slot uint32) {
	if 4*(x.used+1) > 3*len(x.cells) {
		old := x.cells
		x.cells = make([]cell, 2*len(old))
		for _, c := range old {
			if c.slot != 0 {
				x.put(c)
			}
		}
	}
	x.put(cell{hash, slot})
	x.used++
}

func (x *index) put(c cell) {
	mask := uint32(len(x.cells) - 1)
	i := c.hash & mask
	for x.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	x.cells[i] = c
}

// remove takes out a slot that is there.
func (x *index) remove(hash, slot uint32) {
	mask := uint32(len(x.cells) - 1)
	hole := hash & mask
	for x.cells[hole].slot != slot {
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; x.cells[i].slot != 0; i = (i + 1) & mask {
		// A cell may fill the hole unless its home lies behind the hole.
		if home := x.cells[i].hash & mask; (i-home)&mask >= (i-hole)&mask {
			x.cells[hole] = x.cells[i]
			hole = i
		}
	}
	x.cells[hole] = cell{}
	x.used--
}

// pairs counts events by two slots, as long as some edge uses the pair.
type pairs struct {
	slots []pair // slot 0 is nobody's and counts nothing
	free  []uint32
	index index
}

type pair struct{ a, b, count, edges uint32 }

func newPairs() pairs { return pairs{slots: make([]pair, 1), index: newIndex()} }

func (p *pairs) find(a, b uint32) uint32 {
	return p.index.find(hash3(a, b, 0), func(i uint32) bool { return p.slots[i].a == a && p.slots[i].b == b })
}

// get returns the pair, an empty one when there is none.
func (p *pairs) get(a, b uint32) *pair { return &p.slots[p.find(a, b)] }

// acquire returns the pair's slot for one more edge, and whether it is the first.
func (p *pairs) acquire(a, b uint32) (i uint32, fresh bool) {
	if i = p.find(a, b); i == 0 {
		fresh = true
		if n := len(p.free); n > 0 {
			i, p.free = p.free[n-1], p.free[:n-1]
		} else {
			i = uint32(len(p.slots))
			p.slots = append(p.slots, pair{})
		}
		p.slots[i] = pair{a: a, b: b}
		p.index.add(hash3(a, b, 0), i)
	}
	p.slots[i].edges++
	return i, fresh
}

// release takes back one edge with its count and reports whether it was the last.
func (p *pairs) release(i, count uint32) (gone bool) {
	s := &p.slots[i]
	s.count = subSat(s.count, count)
	if s.edges--; s.edges > 0 {
		return false
	}
	p.index.remove(hash3(s.a, s.b, 0), i)
	*s = pair{}
	p.free = append(p.free, i)
	return true
}

var hashKey = [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1}

// hash3 mixes slots; the key is the process's own, as for names.
func hash3(a, b, c uint32) uint32 {
	hi, lo := bits.Mul64(uint64(a)<<32|uint64(b)^hashKey[0], hashKey[1]^uint64(c)*0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo, 0xd6e8feb86659fd93)
	return uint32((hi ^ lo) >> 32)
}

// list holds many doubly linked rings over one set of items, each item in at most one.
// Items and heads are linked by number, a head by its complement.
type list struct {
	head, item []link
}

type link struct{ next, prev int32 }

func newList(heads int) list {
	l := list{item: make([]link, 1)}
	for range heads {
		l.addHead()
	}
	return l
}

func (l *list) addHead() {
	h := ^int32(len(l.head))
	l.head = append(l.head, link{h, h})
}

func (l *list) addItem() { l.item = append(l.item, link{}) }

func (l *list) at(i int32) *link {
	if i < 0 {
		return &l.head[^i]
	}
	return &l.item[i]
}

func (l *list) pushFront(head, i uint32) {
	h := ^int32(head)
	first := l.head[head].next
	l.item[i] = link{next: first, prev: h}
	l.at(first).prev = int32(i)
	l.head[head].next = int32(i)
}

func (l *list) remove(i uint32) {
	k := l.item[i]
	l.at(k.prev).next = k.next
	l.at(k.next).prev = k.prev
}

// back returns the last item of a ring, 0 when it is empty.
func (l *list) back(head uint32) uint32 {
	if p := l.head[head].prev; p >= 0 {
		return uint32(p)
	}
	return 0
}

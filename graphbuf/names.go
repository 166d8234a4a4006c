package graphbuf

import (
	"hash/maphash"
	"strconv"
)

// MaxName is the length in bytes up to which a name is kept as it is. A longer one is kept as its beginning and a hash
// of all of it: two of them differ unless somebody looks for a collision, and a sender of megabyte banners fills no
// memory.
const MaxName = 256

// names maps names of up to MaxName bytes to slots. Slot 0 is nobody's; a freed slot is used again under the next
// generation.
type names struct {
	slots          pool[nameSlot]
	index          index
	byAge          list // in segments; the least recently seen name of each is its last
	live           int
	protectedCount int
}

type nameSlot struct {
	name    string
	gen     uint32
	uses    int32 // edges, and pins while an event is being added
	hash    uint32
	times         // of the name
	segment uint8 // other than probation: it has had a protected edge
	old     bool  // only old events came of it: the first to go
	dead    bool  // a tombstone: no event finds it any more, and its edges are evicted one after another
}

// times are what the clock had lived, in minutes, when a name first came and when it last did.
type times struct{ came, seen uint32 }

func newNames() names {
	return names{slots: newPool[nameSlot](), byAge: newList(segments, 64)}
}

// find returns the slot of a name, 0 when there is none.
func (n *names) find(name []byte) uint32 {
	return n.index.find(hashName(name), func(i uint32) bool { return n.is(i, name) })
}

// is tells whether a slot is that of a name.
func (n *names) is(i uint32, name []byte) bool { return n.slots.at(i).name == string(name) }

// add makes a slot for a name that is not there; one of an event that is not current is the first to go.
func (n *names) add(name []byte, how arrival, t times) uint32 {
	i, fresh := n.slots.take()
	if fresh {
		n.byAge.addItem()
	}
	s := n.slots.at(i)
	s.name, s.gen, s.hash, s.times, s.old = string(name), s.gen+1, hashName(name), t, how == late
	n.index.add(s.hash, i)
	if how.isCurrent() {
		n.byAge.pushFront(probation, i)
	} else {
		n.byAge.pushBack(probation, i)
	}
	n.live++
	return i
}

// touch has a name be the latest that was seen.
func (n *names) touch(i uint32) {
	s := n.slots.at(i)
	s.old = false
	n.byAge.moveToFront(uint32(s.segment), i)
}

// see takes the times of a sight of a name, which is the latest that was seen if the sight is current.
func (n *names) see(i uint32, how arrival, t times) {
	s := n.slots.at(i)
	if t.came < s.came || t.seen > s.seen && how.isCurrent() {
		n.extend(i, how, t)
	}
	if how.isCurrent() {
		n.touch(i)
	}
}

// extend is see where the times of the name change, once a minute.
func (n *names) extend(i uint32, how arrival, t times) {
	s := n.slots.at(i)
	s.came = min(s.came, t.came)
	if how.isCurrent() {
		s.seen = max(s.seen, t.seen)
	}
	if s.protected() && s.segment != s.tenure() {
		s.segment = s.tenure()
		n.touch(i)
	}
}

// promote protects a name that is no tombstone: as the latest that was seen, or, where that is not recent, the last.
func (n *names) promote(i uint32, recent bool) {
	s := n.slots.at(i)
	if s.protected() || s.dead {
		return
	}
	s.segment = s.tenure()
	n.protectedCount++
	if recent {
		n.touch(i)
		return
	}
	n.byAge.remove(i)
	n.byAge.pushBack(uint32(s.segment), i)
}

// retain counts one more edge of a name, or pins it.
func (n *names) retain(i uint32) { n.slots.at(i).uses++ }

// release undoes one retain. The last one frees the slot.
func (n *names) release(i uint32) {
	s := n.slots.at(i)
	if s.uses--; s.uses > 0 {
		return
	}
	if !s.dead {
		n.tombstone(i)
	}
	s.dead = false
	n.slots.put(i)
}

// tombstone takes a name out of the table. Its slot stays, as a tombstone, until no edge uses it.
func (n *names) tombstone(i uint32) {
	s := n.slots.at(i)
	n.index.remove(s.hash, i)
	n.byAge.remove(i)
	if s.protected() {
		n.protectedCount--
	}
	s.name, s.dead, s.segment = "", true, probation
	n.live--
	// The generation moves on now, so that an ID taken before is dead at once.
	s.gen++
}

func (n *names) id(i uint32) ID {
	if i == 0 {
		return ID{}
	}
	return ID{Slot: i, Gen: n.slots.at(i).gen}
}

// seed makes the tables' order of collisions unknown to whoever picks the names.
var seed = maphash.MakeSeed()

func hashName(name []byte) uint32 { return uint32(maphash.Bytes(seed, name) >> 32) }

// AppendName appends to dst the name made of the pieces in their order, in the form in which it is kept: at most
// MaxName bytes, however long the pieces are.
func AppendName(dst []byte, pieces ...[]byte) []byte {
	length := 0
	for _, p := range pieces {
		length += len(p)
	}
	most := MaxName
	const hex = 16
	if length > MaxName {
		most = MaxName - 1 - hex
	}
	h := uint64(14695981039346656037) // FNV-1a: the same in every process, since the name goes to disk
	for _, p := range pieces {
		n := min(len(p), most)
		dst = append(dst, p[:n]...)
		most -= n
		if length > MaxName {
			for _, c := range p {
				h = (h ^ uint64(c)) * 1099511628211
			}
		}
	}
	if length > MaxName {
		dst = strconv.AppendUint(append(dst, '~'), h|1<<63, 16)
	}
	return dst
}

// long tells whether a name of the event is too long to be kept as it is.
func (e *Event) long() bool { return max(len(e.Source), len(e.Relation), len(e.Destination)) > MaxName }

// shorten returns the event with its names as they are kept. It holds until the next call.
func (g *Graph) shorten(e *Event) Event {
	short := *e
	for i, name := range []*[]byte{&short.Source, &short.Relation, &short.Destination} {
		if len(*name) > MaxName {
			*name = AppendName(g.long[i][:0], *name)
		}
	}
	return short
}

package graphbuf

import (
	"hash/maphash"
	"strconv"
)

// MaxName is the length in bytes up to which a name is kept as it is. A longer one
// is kept as its beginning and a hash of all of it: told apart from others unless somebody
// looks for two that collide, and a sender of megabyte banners fills no memory with them.
const MaxName = 256

// names maps names to slots. Slot 0 is nobody's; a freed slot is used again under
// the next generation.
type names struct {
	slots   []nameSlot
	free    []uint32
	index   index
	byAge   list // newcomers and regulars; the least recently seen name of a ring is its last
	live    int
	regular int // names that are regulars
}

type nameSlot struct {
	name    string
	gen     uint32
	uses    int32 // edges, and pins while an event is being added
	regular bool  // has had a regular edge
	dead    bool  // given up: no event finds it any more, its edges go one after another
}

func newNames() names {
	n := names{slots: make([]nameSlot, 1), index: newIndex(), byAge: newList(2)}
	return n
}

// find returns the slot of a name, 0 when there is none.
func (n *names) find(name []byte) uint32 {
	var buf [MaxName]byte
	name = shorten(buf[:0], name)
	return n.index.find(hashName(name), func(i uint32) bool { return n.slots[i].name == string(name) })
}

// add makes a slot for a name that is not there.
func (n *names) add(name []byte) uint32 {
	var buf [MaxName]byte
	name = shorten(buf[:0], name)
	var i uint32
	if l := len(n.free); l > 0 {
		i, n.free = n.free[l-1], n.free[:l-1]
	} else {
		i = uint32(len(n.slots))
		n.slots = append(n.slots, nameSlot{})
		n.byAge.addItem()
	}
	s := &n.slots[i]
	s.name, s.gen = string(name), s.gen+1
	n.index.add(hashName(name), i)
	n.byAge.pushFront(newcomers, i)
	n.live++
	return i
}

func (n *names) touch(i uint32) {
	n.byAge.remove(i)
	if n.slots[i].regular {
		n.byAge.pushFront(regulars, i)
	} else {
		n.byAge.pushFront(newcomers, i)
	}
}

// promote makes a name that is alive a regular.
func (n *names) promote(i uint32) {
	if s := &n.slots[i]; !s.regular && !s.dead {
		s.regular = true
		n.regular++
		n.touch(i)
	}
}

// uses counts the edges and pins of a name; the last one gone frees it.
func (n *names) uses(i uint32, by int32) {
	s := &n.slots[i]
	s.uses += by
	if s.uses > 0 {
		return
	}
	if !s.dead {
		n.kill(i)
	}
	s.dead = false
	n.free = append(n.free, i)
}

// kill gives a name up. Its slot is free once no edge uses it.
func (n *names) kill(i uint32) {
	s := &n.slots[i]
	n.index.remove(uint32(maphash.String(seed, s.name)>>32), i)
	n.byAge.remove(i)
	if s.regular {
		n.regular--
	}
	s.name, s.dead, s.regular = "", true, false
	n.live--
	// The generation moves on now, so that an ID taken before is dead at once.
	s.gen++
}

func (n *names) id(i uint32) ID {
	if i == 0 {
		return ID{}
	}
	return ID{Slot: i, Gen: n.slots[i].gen}
}

// seed makes the tables' order of collisions unknown to whoever picks the names.
var seed = maphash.MakeSeed()

func hashName(name []byte) uint32 { return uint32(maphash.Bytes(seed, name) >> 32) }

// shorten returns name itself or, when it is longer than MaxName, its shortened form in buf.
func shorten(buf, name []byte) []byte {
	if len(name) <= MaxName {
		return name
	}
	h := uint64(14695981039346656037) // FNV-1a: the same in every process, since the name goes to disk
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	const hex = 16
	buf = append(buf, name[:MaxName-1-hex]...)
	buf = append(buf, '~')
	return strconv.AppendUint(buf, h|1<<63, 16)
}

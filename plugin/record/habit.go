package record

import "encoding/binary"

// habit is which key stands at which place in bodies of some number of pairs: in most streams the next one has the same ones
// there. It spares the look-up of most keys, and tells nothing that the walk without it would not find.
type habit struct {
	places  [32]place
	bodies  int // that were seen
	strange int // places of the body that goes by where something else stood
}

// place is a key of up to placeSize bytes with its header, as two words of which the masks leave what is the key's own. One that is none
// has no length.
type place struct {
	word, mask [2]uint64
	length     int
	slots      []int // that the key's value goes to
}

const (
	placeSize = 16
	// A place where something else stood is learned anew with one body in so many, and a body with so many of them is no longer
	// compared: where bodies take turns nothing is gained, and little lost.
	relearnEvery = 8
	mostStrange  = 3
)

// habits are those of a walker, by the number of pairs: where fields are left out when they are empty, others move up.
type habits [8]habit

// of returns the habit for a body that begins.
func (h *habits) of(pairs uint64) *habit {
	b := &h[pairs%uint64(len(h))]
	b.bodies++
	b.strange = 0
	return b
}

// follow goes through pairs of b from offset i on as long as their keys are those of the habit, from the place at on, and their values
// say with their first bytes how long they are. It notes in found where the wanted values are, and returns how many pairs that were and
// where the next one begins. It calls nothing, so that all of it stays in registers: that is what it is for.
func (h *habit) follow(b []byte, i int, found []int, at int, pairs uint64) (n int, next int) {
	for ; at+n < len(h.places) && uint64(n) < pairs && i+placeSize < len(b); n++ {
		p := &h.places[at+n]
		key := b[i : i+placeSize]
		if p.length == 0 ||
			(binary.LittleEndian.Uint64(key)^p.word[0])&p.mask[0]|(binary.LittleEndian.Uint64(key[8:])^p.word[1])&p.mask[1] != 0 {
			break
		}
		value := i + p.length
		end := value + int(scalars[b[value]])
		if end == value {
			if b[value] != 0xd9 || value+1 >= len(b) { // a text of 32 bytes or more
				break
			}
			end += 2 + int(b[value+1])
		}
		if end > len(b) {
			break
		}
		for _, s := range p.slots {
			found[s] = value
		}
		i = end
	}
	return n, i
}

// learn is for a key, at b[from:to], that follow did not expect at its place. It tells whether follow should try the next ones.
func (h *habit) learn(at int, b []byte, from, to int, k *key) bool {
	if at >= len(h.places) {
		return false
	}
	p := &h.places[at]
	if p.length != 0 && h.bodies%relearnEvery != 0 {
		h.strange++
		return h.strange < mostStrange
	}
	*p = place{}
	if to-from > placeSize || from+placeSize > len(b) || k != nil && (k.child != nil || k.drop) {
		return true // not for follow
	}
	p.length = to - from
	for i := range p.word {
		p.word[i] = binary.LittleEndian.Uint64(b[from+8*i:])
		if own := min(max(p.length-8*i, 0), 8); own > 0 {
			p.mask[i] = ^uint64(0) >> (64 - 8*own)
		}
	}
	if k != nil {
		p.slots = k.slots
	}
	return true
}

// scalars are the sizes of the objects of which the first byte tells all, by that byte; 0 for others.
var scalars = func() (t [256]uint8) {
	for c, l := range leads {
		if l.width == 0 && l.count == 0 {
			t[c] = l.size
		}
	}
	return t
}()

package record

import "encoding/binary"

// layout caches which key comes in which position in bodies of some number of pairs: in most streams the next body has the
// same keys there. It saves looking up most keys, and finds nothing that the walk without it would not find.
type layout struct {
	positions [32]position
	bodies    int // seen so far
	misses    int // positions of the present body where another key came
}

// position is a key of up to maxKey bytes with its header, as two words and masks for the bytes that are the key's. Without
// a key length is 0.
type position struct {
	word, mask [2]uint64
	length     int
	slots      []int // that the key's value goes to
}

const (
	maxKey = 16
	// A position where another key came is learned anew with one body in relearnEvery, and a body with maxMisses of them is no
	// longer compared: where bodies of different layouts take turns nothing is gained, and little lost.
	relearnEvery = 8
	maxMisses    = 3
)

// layouts are those of a walker, by the number of pairs: where fields are left out when they are empty, others move up.
type layouts [8]layout

// of returns the layout for a new body.
func (h *layouts) of(pairs uint64) *layout {
	b := &h[pairs%uint64(len(h))]
	b.bodies++
	b.misses = 0
	return b
}

// follow goes through pairs of b from offset i on, as long as their keys are those of the layout, from position at on, and
// the first bytes of their values say how long they are. It notes in found where the wanted values are, and returns the
// number of those pairs and the offset behind them. It calls no function, so that everything stays in registers.
func (h *layout) follow(b []byte, i int, found []int, at int, pairs uint64) (n int, next int) {
	for ; at+n < len(h.positions) && uint64(n) < pairs && i+maxKey < len(b); n++ {
		p := &h.positions[at+n]
		key := b[i : i+maxKey]
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

// learn is for a key, at b[from:to], that follow did not expect in its position. It reports whether follow should try the
// next ones.
func (h *layout) learn(at int, b []byte, from, to int, k *key) bool {
	if at >= len(h.positions) {
		return false
	}
	p := &h.positions[at]
	if p.length != 0 && h.bodies%relearnEvery != 0 {
		h.misses++
		return h.misses < maxMisses
	}
	*p = position{}
	if to-from > maxKey || from+maxKey > len(b) || k != nil && (k.child != nil || k.drop) {
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

// scalars are the sizes of the objects that the first byte tells all of, by that byte; 0 for others.
var scalars = func() (t [256]uint8) {
	for c, l := range leads {
		if l.width == 0 && l.count == 0 {
			t[c] = l.size
		}
	}
	return t
}()

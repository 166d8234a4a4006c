package graphbuf

import (
	"math/bits"
	"math/rand/v2"
)

// pairs counts events by two slots, as long as some edge uses the pair.
type pairs struct {
	slots pool[pair] // slot 0 counts nothing
	index index
}

type pair struct{ a, b, count, edges uint32 }

func newPairs() pairs { return pairs{slots: newPool[pair]()} }

func (p *pairs) find(a, b uint32) uint32 {
	return p.index.find(hash3(a, b, 0), func(i uint32) bool {
		s := p.slots.at(i)
		return s.a == a && s.b == b
	})
}

// get returns the pair, an empty one when there is none.
func (p *pairs) get(a, b uint32) *pair { return p.slots.at(p.find(a, b)) }

// acquire returns the pair's slot for one more edge, and whether it is the first.
func (p *pairs) acquire(a, b uint32) (i uint32, fresh bool) {
	if i = p.find(a, b); i == 0 {
		fresh = true
		i, _ = p.slots.take()
		*p.slots.at(i) = pair{a: a, b: b}
		p.index.add(hash3(a, b, 0), i)
	}
	p.slots.at(i).edges++
	return i, fresh
}

// release takes back one edge with its count and reports whether it was the last.
func (p *pairs) release(i, count uint32) (gone bool) {
	s := p.slots.at(i)
	s.count = takeBack(s.count, count)
	if s.edges--; s.edges > 0 {
		return false
	}
	p.index.remove(hash3(s.a, s.b, 0), i)
	*s = pair{}
	p.slots.put(i)
	return true
}

var hashKey = [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1}

// hash3 mixes slots; the key is the process's own, as for names.
func hash3(a, b, c uint32) uint32 {
	hi, lo := bits.Mul64(uint64(a)<<32|uint64(b)^hashKey[0], hashKey[1]^uint64(c)*0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo, 0xd6e8feb86659fd93)
	return uint32((hi ^ lo) >> 32)
}

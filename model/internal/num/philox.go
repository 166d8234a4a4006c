package num

import (
	"math"
	"math/bits"
)

// Philox is the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", 2011). Draw number n of stream s is a pure function of
// seed, s and n, so that any device can make the same draws in any order.
type Philox struct {
	Key    [2]uint32
	stream uint64
	n      uint64 // the next block
	out    [4]uint32
	left   int
}

// NewPhilox returns a generator at the start of one stream of a seed.
func NewPhilox(seed, stream uint64) *Philox {
	return &Philox{Key: [2]uint32{uint32(seed), uint32(seed >> 32)}, stream: stream}
}

// block returns the four words of one counter.
func block(key [2]uint32, ctr [4]uint32) [4]uint32 {
	const (
		m0, m1 = 0xD2511F53, 0xCD9E8D57
		w0, w1 = 0x9E3779B9, 0xBB67AE85
	)
	// Not as arrays, which the compiler keeps in memory.
	c0, c1, c2, c3, k0, k1 := ctr[0], ctr[1], ctr[2], ctr[3], key[0], key[1]
	for range 10 {
		h0, l0 := bits.Mul32(m0, c0)
		h1, l1 := bits.Mul32(m1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += w0
		k1 += w1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// nextBlock draws four words.
func (p *Philox) nextBlock() [4]uint32 {
	n := p.n
	p.n++
	return block(p.Key, [4]uint32{uint32(n), uint32(n >> 32), uint32(p.stream), uint32(p.stream >> 32)})
}

// Uint32 returns the next word.
func (p *Philox) Uint32() uint32 {
	if p.left == 0 {
		p.out, p.left = p.nextBlock(), 4
	}
	p.left--
	return p.out[3-p.left]
}

// Position is the number of the next draw, of single words.
func (p *Philox) Position() uint64 { return 4*p.n - uint64(p.left) }

// Skip passes over draws that are made elsewhere, such as on a card.
func (p *Philox) Skip(draws uint64) {
	at := p.Position() + draws
	p.n, p.left = at/4, 0
	if used := at % 4; used > 0 {
		p.Uint32()
		p.left = 4 - int(used)
	}
}

// IntN returns a number in [0, n), for n up to 2^31: the high half of a product, whose
// bias of n/2^32 no sampling here could notice.
func (p *Philox) IntN(n int) int {
	return int(uint64(p.Uint32()) * uint64(n) >> 32)
}

// Float returns a number in [0, 1) with 24 bits.
func (p *Philox) Float() float32 { return float32(p.Uint32()>>8) * (1.0 / (1 << 24)) }

// Dropout sets each entry of the mask to 0 where a draw of Float is below share, else to 1/(1-share).
func (p *Philox) Dropout(mask []float32, share float64) {
	values := [2]float32{float32(1 / (1 - share)), 0}
	below := uint32(math.Ceil(float64(float32(share)) * (1 << 24)))
	value := func(word uint32) float32 { return values[(word>>8-below)>>31] }
	i := 0
	for ; i < len(mask) && p.left > 0; i++ {
		mask[i] = value(p.Uint32())
	}
	for ; i+4 <= len(mask); i += 4 {
		words, four := p.nextBlock(), mask[i:i+4]
		four[0], four[1], four[2], four[3] = value(words[0]), value(words[1]), value(words[2]), value(words[3])
	}
	for ; i < len(mask); i++ {
		mask[i] = value(p.Uint32())
	}
}

// Streams of the generator, so that no two uses share draws; samples that only measure (StreamHeldOut) may.
const (
	StreamInit = iota + 1
	StreamHeldOut
	StreamSample // and one more for each step

	StreamBad = 1 << 63 // likewise
)

package num

import (
	"math/bits"
	"math/rand/v2"
)

// FNVStart is the hash of nothing.
const FNVStart = uint64(14695981039346656037)

// FNV1a goes on with a hash (FNV-1a). It is the same in every process, for what is saved or has to be the same in every
// training. Whoever picks the names can make it collide: tables go by hashes with a seed.
func FNV1a[T string | []byte](h uint64, name T) uint64 {
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// hashKeys make the hashes of this process unknown to whoever picks the names.
var hashKeys = [2]uint64{rand.Uint64(), rand.Uint64()}

// Hash hashes two words, differently in every process: the halves of a product of 128 bits, as wyhash does.
func Hash(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^hashKeys[0], b^hashKeys[1])
	return hi ^ lo
}

// Pack puts two halves into a word.
func Pack(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }

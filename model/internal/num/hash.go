package num

import (
	"math/bits"
	"math/rand/v2"
)

// FNVStart is where FNV1a begins: the hash of no bytes.
const FNVStart = uint64(14695981039346656037)

// FNV1a continues the hash h with a name. It gives the same in every process, for what is saved or must be the
// same in every training. Whoever picks the names can make it collide, so tables use Hash.
func FNV1a[T string | []byte](h uint64, name T) uint64 {
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// hashKeys are secret, so that whoever picks names cannot make them collide.
var hashKeys = [2]uint64{rand.Uint64(), rand.Uint64()}

// Hash hashes two words, differently in every process: it mixes the halves of a 128-bit product, as wyhash does.
func Hash(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^hashKeys[0], b^hashKeys[1])
	return hi ^ lo
}

// Pack joins two halves to a word.
func Pack(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }

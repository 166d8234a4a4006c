package num

// Pairs maps pairs of small numbers to a dense numbering of them: a hash table made
// once and read from then on.
type Pairs struct {
	keys []uint64 // key+1; 0: empty
	ids  []int32
	Len  int32
}

// NewPairs has room for the given number of keys.
func NewPairs(keys int) *Pairs {
	size := pairsSize(keys)
	return &Pairs{keys: make([]uint64, size), ids: make([]int32, size)}
}

func pairsSize(keys int) int {
	size := 16
	for size < keys*3/2 {
		size *= 2
	}
	return size
}

// PairsBytes is how many bytes NewPairs takes.
func PairsBytes(keys int) int64 { return int64(pairsSize(keys)) * (8 + 4) }

func pairKey(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

func (l *Pairs) at(key uint64) int {
	mask := len(l.keys) - 1
	i := int(Hash(key, 0)) & mask
	for l.keys[i] != 0 && l.keys[i] != key+1 {
		i = (i + 1) & mask
	}
	return i
}

// Add returns the number of a pair, the next free one if the pair is new.
func (l *Pairs) Add(a, b int32) int32 {
	i := l.at(pairKey(a, b))
	if l.keys[i] == 0 {
		l.keys[i], l.ids[i] = pairKey(a, b)+1, l.Len
		l.Len++
	}
	return l.ids[i]
}

// Find returns the number of a pair, -1 when there is none or a part is negative.
func (l *Pairs) Find(a, b int32) int32 {
	if a < 0 || b < 0 {
		return -1
	}
	if i := l.at(pairKey(a, b)); l.keys[i] != 0 {
		return l.ids[i]
	}
	return -1
}

package model

// lookup maps pairs of small numbers to a dense numbering of them: a hash table made
// once and read from then on.
type lookup struct {
	keys []uint64 // key+1; 0: empty
	ids  []int32
	n    int32
}

// newLookup has room for the given number of keys.
func newLookup(keys int) *lookup {
	size := lookupSize(keys)
	return &lookup{keys: make([]uint64, size), ids: make([]int32, size)}
}

func lookupSize(keys int) int {
	size := 16
	for size < keys*3/2 {
		size *= 2
	}
	return size
}

// lookupBytes is what newLookup takes.
func lookupBytes(keys int) int64 { return int64(lookupSize(keys)) * (8 + 4) }

func pairKey(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

func (l *lookup) at(key uint64) int {
	mask := len(l.keys) - 1
	i := int(mix(key, 0)) & mask
	for l.keys[i] != 0 && l.keys[i] != key+1 {
		i = (i + 1) & mask
	}
	return i
}

// add returns the number of a pair, a new one when it is new.
func (l *lookup) add(a, b int32) int32 {
	i := l.at(pairKey(a, b))
	if l.keys[i] == 0 {
		l.keys[i], l.ids[i] = pairKey(a, b)+1, l.n
		l.n++
	}
	return l.ids[i]
}

// find returns the number of a pair, -1 when there is none or a part is negative.
func (l *lookup) find(a, b int32) int32 {
	if a < 0 || b < 0 {
		return -1
	}
	if i := l.at(pairKey(a, b)); l.keys[i] != 0 {
		return l.ids[i]
	}
	return -1
}

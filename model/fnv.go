package model

// fnvStart is the hash of nothing.
const fnvStart = uint64(14695981039346656037)

// fnv1a goes on with a hash (FNV-1a). It is the same in every process, for what is saved or has to be the same in every
// training. Whoever picks the names can make it collide: tables go by hashes with a seed.
func fnv1a[T string | []byte](h uint64, name T) uint64 {
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

package graphbuf

// slab is an array that grows without moving: no event waits for a million items to be copied,
// and there is hardly room for more than there are.
type slab[T any] struct {
	blocks []*[slabBlock]T
	n      int
}

const (
	slabBits  = 10
	slabBlock = 1 << slabBits
)

// newSlab returns a slab with so many items.
func newSlab[T any](n int) (s slab[T]) {
	for range n {
		s.add()
	}
	return s
}

func (s *slab[T]) at(i uint32) *T { return &s.blocks[i>>slabBits][i%slabBlock] }

func (s *slab[T]) len() int { return s.n }

// add makes one more item, an empty one, and returns its number.
func (s *slab[T]) add() uint32 {
	if s.n>>slabBits == len(s.blocks) {
		s.blocks = append(s.blocks, new([slabBlock]T))
	}
	s.n++
	return uint32(s.n - 1)
}

// pool is a slab whose items come and go; item 0 is nobody's.
type pool[T any] struct {
	slab[T]
	free []uint32
}

func newPool[T any]() pool[T] { return pool[T]{slab: newSlab[T](1)} }

// take returns an item that is not used. It is as it was put back; fresh says that it never was used.
func (p *pool[T]) take() (i uint32, fresh bool) {
	if n := len(p.free); n > 0 {
		i, p.free = p.free[n-1], p.free[:n-1]
		return i, false
	}
	return p.add(), true
}

func (p *pool[T]) put(i uint32) { p.free = append(p.free, i) }

// used is how many items are in use.
func (p *pool[T]) used() int { return p.n - 1 - len(p.free) }

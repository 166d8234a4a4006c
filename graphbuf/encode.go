package graphbuf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// A snapshot's bytes are unsigned varints: the number of nodes and their names (length, bytes), the same for relations,
// then the number of edges and for each source, relation, destination, count, first as the (signed) step from the edge
// before, last - first, the age in seconds, and the activity. Bytes with ages begin with withAges, those with activity
// too with withActivity and the length and the beginning of the snapshot's bucket; neither is a number of nodes, and
// those of older filters have less.
const (
	withAges     = math.MaxUint64
	withActivity = math.MaxUint64 - 1
)

// ageUnit is that of an age in bytes, in nanoseconds.
const ageUnit = uint64(time.Second)

// AppendBinary implements encoding.BinaryAppender.
func (s *Snapshot) AppendBinary(b []byte) ([]byte, error) {
	b = s.appendHead(b)
	b = binary.AppendUvarint(b, uint64(len(s.Edges)))
	var before int64
	for i := range s.Edges {
		b = s.appendEdge(b, &s.Edges[i], before)
		before = s.Edges[i].First
	}
	return b, nil
}

// active says that the edges' activity is known.
func (s *Snapshot) active() bool { return s.Aged && s.Bucket > 0 }

// appendHead appends all that stands before the edges and their number.
func (s *Snapshot) appendHead(b []byte) []byte {
	switch {
	case s.active():
		b = binary.AppendUvarint(b, withActivity)
		b = binary.AppendUvarint(b, uint64(s.Bucket))
		b = binary.AppendVarint(b, s.Begun)
	case s.Aged:
		b = binary.AppendUvarint(b, withAges)
	}
	for _, names := range [][]Name{s.Nodes, s.Relations} {
		b = binary.AppendUvarint(b, uint64(len(names)))
		for _, n := range names {
			b = binary.AppendUvarint(b, uint64(len(n.Name)))
			b = append(b, n.Name...)
		}
	}
	return b
}

// appendEdge appends an edge; before is the First of the one that stands before it.
func (s *Snapshot) appendEdge(b []byte, e *Edge, before int64) []byte {
	for _, v := range [...]uint64{uint64(e.Source), uint64(e.Relation), uint64(e.Destination), uint64(e.Count)} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.AppendVarint(b, e.First-before)
	b = binary.AppendUvarint(b, uint64(e.Last-e.First))
	if s.Aged {
		b = binary.AppendUvarint(b, uint64(e.Age)/ageUnit)
	}
	if s.active() {
		b = binary.AppendUvarint(b, e.Active)
	}
	return b
}

// usualEdge is the length of an edge's bytes, rarely exceeded. longestNumber is that of the edges' number, written so
// long whatever it is.
const usualEdge, longestNumber = 36, binary.MaxVarintLen32

// smallestEdge is how many bytes an edge has at least, one for each number.
const smallestEdge = 6

// AppendBinary appends what a Snapshot of the graph would, but for the order of the edges and for dates that are not
// believed (see keepKnown). It takes little memory beside the bytes: no snapshot is made. Writers go on meanwhile. What is
// evicted while it runs may be in the bytes or not; a triplet that comes back meanwhile may be there twice, of which
// Restore takes the later.
func (g *Graph) AppendBinary(b []byte) ([]byte, error) {
	g.whole.RLock()
	defer g.whole.RUnlock()
	s := &Snapshot{Aged: true}
	g.mu.Lock()
	now, buckets := g.clock.lived, g.buckets
	s.Bucket, s.Begun = buckets.length(), g.clock.now-now%buckets.length()
	edges := g.live()
	g.mu.Unlock()
	var node, relation []int32
	s.Nodes, node = g.copyNames(&g.nodes)
	s.Relations, relation = g.copyNames(&g.relations)
	room := longestNumber + edges*usualEdge
	for _, names := range [][]Name{s.Nodes, s.Relations} {
		for i := range names {
			room += len(names[i].Name) + 2 // the length of a name takes two bytes at most
		}
	}
	b = s.appendHead(slices.Grow(b, room))
	number := len(b)
	b = append(b, make([]byte, longestNumber)...)
	block := make([]kept, 0, snapshotBlock)
	var before int64
	written := uint64(0)
	g.inBlocks(g.edgeSlots, func(i uint32) {
		if g.edges.at(i).src != 0 {
			block = append(block, g.keepKnown(i))
		}
	}, func() {
		for i := range block {
			if e, ok := s.edgeOf(&block[i], node, relation, &buckets, now); ok {
				b = s.appendEdge(b, &e, before)
				before = e.First
				written++
			}
		}
		block = block[:0]
	})
	for i := range longestNumber - 1 { // a number with leading zeros is one, too
		b[number+i] = byte(written>>(7*i)) | 0x80
	}
	b[number+longestNumber-1] = byte(written >> (7 * (longestNumber - 1)))
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. The names it yields have
// no IDs: Restore gives them new ones. It refuses bytes that are no snapshot: numbers, lengths and references that no graph
// has.
func (s *Snapshot) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	var out Snapshot
	d.header(&out)
	out.Nodes, out.Relations = d.names(), d.names()
	smallest := smallestEdge
	if out.Aged {
		smallest++
	}
	if out.Bucket > 0 {
		smallest++
	}
	edges := d.length(smallest)
	out.Edges = make([]Edge, 0, edges)
	var before int64
	for range edges {
		e := d.edge(&out, before)
		if d.err != nil {
			break
		}
		before = e.First
		out.Edges = append(out.Edges, e)
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail(fmt.Errorf("%d bytes left over", len(d.b)))
	}
	if d.err != nil {
		return fmt.Errorf("graphbuf: snapshot: %w", d.err)
	}
	*s = out
	return nil
}

// SnapshotSizes tells how many nodes, relations and edges a snapshot's bytes begin to list. It allocates nothing, and does
// not look at the edges.
func SnapshotSizes(b []byte) (s Sizes, err error) {
	d := decoder{b: b}
	d.header(&Snapshot{})
	for _, names := range []*int{&s.Nodes, &s.Relations} {
		*names = d.length(1)
		for range *names {
			d.bytes(d.length(1))
		}
	}
	if s.Edges = d.length(1); d.err != nil {
		return Sizes{}, fmt.Errorf("graphbuf: snapshot: %w", d.err)
	}
	return s, nil
}

// decoder reads numbers until one fails; after that everything it yields is zero.
type decoder struct {
	b   []byte
	err error
}

var errShort = errors.New("ends in the middle")

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return v
}

// below reads a number that must be less than n.
func (d *decoder) below(n int) uint64 {
	v := d.uvarint()
	if d.err == nil && v >= uint64(n) {
		d.fail(fmt.Errorf("index %d of %d", v, n))
		return 0
	}
	return v
}

// length reads how many things follow, of at least size bytes each. So a flipped bit asks for no more memory than a file
// of that length that is whole: ReadingBytes bounds it.
func (d *decoder) length(size int) int {
	v := d.uvarint()
	if v > uint64(len(d.b)/size) {
		d.fail(errShort)
		return 0
	}
	return int(v)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.b) {
		d.fail(errShort)
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

// header reads what a snapshot's bytes begin with if its edges have more than the oldest filters kept.
func (d *decoder) header(s *Snapshot) {
	mark, n := binary.Uvarint(d.b)
	if mark != withAges && mark != withActivity {
		return
	}
	s.Aged, d.b = true, d.b[n:]
	if mark == withActivity {
		s.Bucket, s.Begun = int64(d.below(math.MaxInt64)), d.varint()
		if _, exact := levelOf(s.Bucket); d.err == nil && !exact {
			d.fail(fmt.Errorf("buckets of %d ns", s.Bucket))
		}
	}
}

func (d *decoder) names() []Name {
	n := d.length(1)
	names := make([]Name, 0, n)
	for range n {
		names = append(names, Name{Name: string(d.bytes(d.length(1)))})
	}
	return names
}

// edge reads the next edge of a snapshot, whose header and names are known; before is the First of the one that stands
// before it.
func (d *decoder) edge(s *Snapshot, before int64) (e Edge) {
	e.Source = int32(d.below(len(s.Nodes)))
	e.Relation = int32(d.below(len(s.Relations)))
	e.Destination = int32(d.below(len(s.Nodes)))
	e.Count = uint32(d.below(1 << 32))
	e.First = before + d.varint()
	e.Last = e.First + int64(d.uvarint())
	if s.Aged {
		e.Age = int64(d.below(math.MaxInt64/int(ageUnit)) * ageUnit)
	}
	if s.Bucket > 0 {
		e.Active = d.uvarint()
	}
	if e.Count == 0 || e.Last < e.First {
		d.fail(fmt.Errorf("edge %d has count %d, first %d, last %d", len(s.Edges), e.Count, e.First, e.Last))
	}
	return e
}

package graphbuf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// A snapshot's bytes are unsigned varints: the number of nodes and their names
// (length, bytes), the same for relations, then the number of edges and for each
// source, relation, destination, count, first as the (signed) step from the edge
// before, last - first, the age in seconds, and the activity. Bytes with ages begin with withAges, those with
// activity too with withActivity and the length and the beginning of the snapshot's bucket; neither is a number of nodes, and
// those of older filters have less.
const (
	withAges     = math.MaxUint64
	withActivity = math.MaxUint64 - 1
)

// ageUnit is that of an age in bytes, in nanoseconds.
const ageUnit = uint64(time.Second)

// AppendBinary implements encoding.BinaryAppender.
func (s *Snapshot) AppendBinary(b []byte) ([]byte, error) {
	active := s.Aged && s.Bucket > 0
	switch {
	case active:
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
	b = binary.AppendUvarint(b, uint64(len(s.Edges)))
	var before int64
	for i := range s.Edges {
		e := &s.Edges[i]
		for _, v := range []uint64{uint64(e.Source), uint64(e.Relation), uint64(e.Destination), uint64(e.Count)} {
			b = binary.AppendUvarint(b, v)
		}
		b = binary.AppendVarint(b, e.First-before)
		b = binary.AppendUvarint(b, uint64(e.Last-e.First))
		if s.Aged {
			b = binary.AppendUvarint(b, uint64(e.Age)/ageUnit)
		}
		if active {
			b = binary.AppendUvarint(b, e.Active)
		}
		before = e.First
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. The names it yields have
// no IDs: Restore gives them new ones. It refuses whatever AppendBinary could not have written.
func (s *Snapshot) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	var out Snapshot
	mark, n := binary.Uvarint(b)
	if mark == withAges || mark == withActivity {
		out.Aged, d.b = true, b[n:]
	}
	if mark == withActivity {
		out.Bucket, out.Begun = int64(d.below(math.MaxInt64)), d.varint()
		if _, exact := levelOf(out.Bucket); d.err == nil && !exact {
			d.fail(fmt.Errorf("buckets of %d ns", out.Bucket))
		}
	}
	for _, names := range []*[]Name{&out.Nodes, &out.Relations} {
		n := d.length(1)
		*names = make([]Name, 0, n)
		for range n {
			*names = append(*names, Name{Name: string(d.bytes(d.length(1)))})
		}
	}
	smallestEdge := 6 // bytes, one for each number
	if out.Aged {
		smallestEdge++
	}
	if out.Bucket > 0 {
		smallestEdge++
	}
	edges := d.length(smallestEdge)
	out.Edges = make([]Edge, 0, edges)
	var before int64
	for range edges {
		e := Edge{
			Source:      int32(d.below(len(out.Nodes))),
			Relation:    int32(d.below(len(out.Relations))),
			Destination: int32(d.below(len(out.Nodes))),
			Count:       uint32(d.below(1 << 32)),
		}
		e.First = before + d.varint()
		e.Last = e.First + int64(d.uvarint())
		if out.Aged {
			e.Age = int64(d.below(math.MaxInt64/int(ageUnit)) * ageUnit)
		}
		if out.Bucket > 0 {
			e.Active = d.uvarint()
		}
		if e.Count == 0 || e.Last < e.First {
			d.fail(fmt.Errorf("edge %d has count %d, first %d, last %d", len(out.Edges), e.Count, e.First, e.Last))
		}
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

// length reads how many things follow, of at least size bytes each, so that a
// flipped bit asks for no more memory than the file is long.
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

package graphbuf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The bytes of the slices are varints: where the overlap and the open slice begin, in milliseconds, then for each edge
// with events there a 1, its source, relation and destination (length, bytes) and the two counts, and a 0 at the end.

// slicesTries is how often AppendSlices begins. The slices move on once in an OverlapLength.
const slicesTries = 3

// AppendSlices appends to b what of the edges' events lies in which slice, for a graph that is saved too: without it
// what is over would have to be read again. It appends nothing unless what is over was read to its end. Writers go on
// meanwhile; what they add after the graph was copied counts in the slices, and so not twice.
func (g *Graph) AppendSlices(b []byte) []byte {
	g.whole.RLock()
	defer g.whole.RUnlock()
	for range slicesTries {
		head, slides, complete := g.appendSlicesHead(b)
		if !complete {
			return b
		}
		if all, ok := g.appendCounts(head, slides); ok {
			return all
		}
	}
	return b
}

// appendSlicesHead appends where the slices are, and returns how often they had moved on by then, and whether what is
// over was read.
func (g *Graph) appendSlicesHead(b []byte) (head []byte, slides uint32, complete bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledger
	if l == nil || !l.complete {
		return b, 0, false
	}
	const ms = int64(time.Millisecond)
	return binary.AppendVarint(binary.AppendVarint(b, l.Overlap/ms), l.Open/ms), l.slides, true
}

// appendCounts appends the counts of all edges. Where the slices moved on since slides was read, as a pull came to its
// end, some of the counts are of other slices than the rest: it returns false.
func (g *Graph) appendCounts(b []byte, slides uint32) (all []byte, ok bool) {
	g.inBlocks(g.edgeSlots, func(i uint32) {
		e := g.edges.at(i)
		t := g.ledger.at(i)
		if e.src == 0 || t.counted == [2]uint32{} || g.nodes.slots.at(e.src).dead || g.nodes.slots.at(e.dst).dead || g.relations.slots.at(e.rel).dead {
			return
		}
		b = append(b, 1)
		for _, name := range []string{g.nodes.slots.at(e.src).name, g.relations.slots.at(e.rel).name, g.nodes.slots.at(e.dst).name} {
			b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		}
		for _, n := range t.counted {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}, nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	return append(b, 0), g.ledger.slides == slides
}

var errSlices = errors.New("graphbuf: the slices of the graph are damaged")

// RestoreSlices takes up what AppendSlices returned, in a graph that was restored and saw no event since. Triplets that
// the graph does not hold are left out. On an error nothing is changed.
func (g *Graph) RestoreSlices(b []byte) error {
	overlap, n := binary.Varint(b)
	open, m := binary.Varint(b[max(n, 0):])
	const most = 1 << 43 // milliseconds, more than nanoseconds have room for
	if n <= 0 || m <= 0 || overlap > open || overlap < -most || open > most {
		return errSlices
	}
	b = b[n+m:]
	type entry struct {
		e       Event
		counted [2]uint32
	}
	var all []entry
	for len(b) > 0 && b[0] == 1 {
		b = b[1:]
		var x entry
		for _, name := range []*[]byte{&x.e.Source, &x.e.Relation, &x.e.Destination} {
			length, n := binary.Uvarint(b)
			if n <= 0 || length > MaxName || uint64(len(b)-n) < length {
				return errSlices
			}
			*name, b = b[n:n+int(length)], b[n+int(length):]
		}
		for i := range x.counted {
			count, n := binary.Uvarint(b)
			if n <= 0 || count > uint64(^uint32(0)) {
				return errSlices
			}
			x.counted[i], b = uint32(count), b[n:]
		}
		all = append(all, x)
	}
	if len(b) != 1 || b[0] != 0 {
		return fmt.Errorf("%w: no end after %d triplets", errSlices, len(all))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	const ms = int64(time.Millisecond)
	g.beginLedger(Slices{Overlap: overlap * ms, Open: open * ms})
	g.ledger.complete = true
	for i := range all {
		if edge := g.findEdge(&all[i].e); edge != 0 {
			g.ledger.at(edge).counted = all[i].counted
		}
	}
	return nil
}

package record

import (
	"encoding/binary"

	"github.com/tinylib/msgp/msgp"
)

// AppendSpliced appends the event to dst with the keys of Spec.Drop removed from the body, and with room in its header
// for n key/value pairs, which the caller appends; every other byte is as it was. An event that is no Log is appended
// unchanged, and takes no pairs.
func (w *Walker) AppendSpliced(dst []byte, e Extent, n int) []byte {
	raw, drops := w.Raw(e), w.drops[e.drops.from:e.drops.to]
	if e.Kind != Log {
		return append(dst, raw...)
	}
	dst = append(dst, raw[:e.body]...)
	dst = appendMapHeader(dst, e.first-e.body, e.pairs-uint32(len(drops))+uint32(n))
	i := e.first
	for _, d := range drops {
		dst = append(dst, raw[i:d.from]...)
		i = d.to
	}
	return append(dst, raw[i:]...)
}

// Drops is how many pairs of an event's body splicing removes.
func (w *Walker) Drops(e Extent) int { return int(e.drops.to - e.drops.from) }

// appendMapHeader writes a map header of at least width bytes (1, 3 or 5), so that a header that was written wide stays
// so.
func appendMapHeader(dst []byte, width int, pairs uint32) []byte {
	switch {
	case width == 5:
		return binary.BigEndian.AppendUint32(append(dst, 0xdf), pairs)
	case width == 3 && pairs <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, 0xde), uint16(pairs))
	}
	return msgp.AppendMapHeader(dst, pairs)
}

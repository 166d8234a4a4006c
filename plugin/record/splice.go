package record

import (
	"encoding/binary"

	"github.com/tinylib/msgp/msgp"
)

// AppendSpliced appends the event to dst with the keys of Spec.Drop removed from the body and n key/value pairs, already encoded in
// pairs, added at its end; every other byte is as it was. An event that is no Log is appended unchanged.
func (e *Event) AppendSpliced(dst []byte, n int, pairs []byte) []byte {
	if e.Kind != Log {
		return append(dst, e.Raw...)
	}
	dst = append(dst, e.Raw[:e.body]...)
	dst = appendMapHeader(dst, e.first-e.body, uint32(e.pairs)-uint32(len(e.drops))+uint32(n))
	i := e.first
	for _, d := range e.drops {
		dst = append(dst, e.Raw[i:d.from]...)
		i = d.to
	}
	dst = append(dst, e.Raw[i:]...)
	return append(dst, pairs...)
}

// appendMapHeader writes a map header of at least width bytes (1, 3 or 5), so that a header that was written wide stays so.
func appendMapHeader(dst []byte, width int, pairs uint32) []byte {
	switch {
	case width == 5:
		return binary.BigEndian.AppendUint32(append(dst, 0xdf), pairs)
	case width == 3 && pairs <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, 0xde), uint16(pairs))
	}
	return msgp.AppendMapHeader(dst, pairs)
}

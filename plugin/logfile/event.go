package logfile

import (
	"encoding/binary"
	"math"

	"github.com/tinylib/msgp/msgp"
)

// appendBodyHead starts the body with room for its length, and returns where
// that room is. The host writes its bodies as map32 too, whatever their size.
func appendBodyHead(dst []byte) ([]byte, int) {
	dst = append(dst, 0xdf, 0, 0, 0, 0)
	return dst, len(dst) - 4
}

func setBodyLen(dst []byte, at, n int) {
	binary.BigEndian.PutUint32(dst[at:], uint32(n))
}

// closeNested writes the header of a nested map or array whose n elements
// stand from dst[at+1] on. One byte was kept for it, which most fit in; larger
// ones move up. fix and wide are the msgpack codes for up to 15 and up to
// 65535 elements; wide+1 is the next.
func closeNested(dst []byte, at, n int, fix, wide byte) []byte {
	switch {
	case n <= 15:
		dst[at] = fix | byte(n)
	case n <= math.MaxUint16:
		dst = append(dst, 0, 0)
		copy(dst[at+3:], dst[at+1:])
		dst[at] = wide
		binary.BigEndian.PutUint16(dst[at+1:], uint16(n))
	default:
		dst = append(dst, 0, 0, 0, 0)
		copy(dst[at+5:], dst[at+1:])
		dst[at] = wide + 1
		binary.BigEndian.PutUint32(dst[at+1:], uint32(n))
	}
	return dst
}

// appendInt writes i as msgpack-c does: unsigned where it is not negative.
func appendInt(dst []byte, i int64) []byte {
	if i >= 0 {
		return msgp.AppendUint64(dst, uint64(i))
	}
	return msgp.AppendInt64(dst, i)
}

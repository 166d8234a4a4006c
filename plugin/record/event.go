package record

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// AppendHead starts an event, [[time, {}], body], up to the body, which the caller appends. The empty metadata is a
// map32, as the host's encoder writes it. Seconds beyond 32 bits wrap around.
func AppendHead(dst []byte, t time.Time) []byte {
	dst = append(dst, 0x92, 0x92, 0xd7, 0x00)
	dst = binary.BigEndian.AppendUint32(dst, uint32(t.Unix()))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
	return append(dst, 0xdf, 0, 0, 0, 0)
}

// Body decodes the body of an event as Go values, which share no memory with it. It is an error where that is no map, or
// not whole.
func Body(event []byte) (map[string]any, error) {
	if len(event) == 0 {
		return nil, msgp.ErrShortBytes
	}
	rest, err := msgp.Skip(event[1:]) // an array of two: header and body
	if err != nil {
		return nil, err
	}
	return asMap(rest)
}

// Metadata decodes the metadata of an event in the same way. It is nil for an event whose header is a time alone, as
// hosts before 2.1 wrote it.
func Metadata(event []byte) (map[string]any, error) {
	if len(event) == 0 {
		return nil, msgp.ErrShortBytes
	}
	if msgp.NextType(event[1:]) != msgp.ArrayType {
		return nil, nil
	}
	_, rest, err := msgp.ReadArrayHeaderBytes(event[1:])
	if err != nil {
		return nil, err
	}
	if rest, err = msgp.Skip(rest); err != nil { // the time
		return nil, err
	}
	return asMap(rest)
}

func asMap(b []byte) (map[string]any, error) {
	m, _, err := msgp.ReadMapStrIntfBytes(bytes.Clone(b), nil)
	return m, err
}

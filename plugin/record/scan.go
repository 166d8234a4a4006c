package record

import "encoding/binary"

// lead is what a msgpack object's first byte tells about its length.
type lead struct {
	size  uint8 // bytes of the object that are known from the lead alone; 0 marks the one byte that msgpack never uses
	count uint8 // objects inside, for the short maps and arrays
	width uint8 // bytes of the length that follows the lead; 0 when there is none
	unit  uint8 // what that length counts: 0 bytes of payload, 1 objects, 2 pairs of objects
}

var leads = func() (t [256]lead) {
	for c := range t {
		switch {
		case c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3:
			t[c].size = 1
		case c < 0x90:
			t[c] = lead{size: 1, count: 2 * uint8(c&0x0f)}
		case c < 0xa0:
			t[c] = lead{size: 1, count: uint8(c & 0x0f)}
		case c < 0xc0:
			t[c].size = 1 + uint8(c&0x1f)
		}
	}
	for i, w := range []uint8{1, 2, 4} {
		t[0xc4+i] = lead{size: 1 + w, width: w}             // bin
		t[0xd9+i] = lead{size: 1 + w, width: w}             // str
		t[0xc7+i] = lead{size: 2 + w, width: w}             // ext, with its type byte
		t[0xcc+i].size, t[0xd0+i].size = 1+1<<i, 1+1<<i     // uint, int
		t[0xd4+i].size, t[0xd7].size = 2+1<<i, 10           // fixext
		t[0xcf].size, t[0xd3].size, t[0xd8].size = 9, 9, 18 // uint64, int64, fixext16
		t[0xca].size, t[0xcb].size = 5, 9                   // float
		if w > 1 {
			t[0xdc+i-1] = lead{size: 1 + w, width: w, unit: 1} // array
			t[0xde+i-1] = lead{size: 1 + w, width: w, unit: 2} // map
		}
	}
	return t
}()

// length reads the big-endian length of the given width.
func length(b []byte, width uint8) uint64 {
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	}
	return uint64(binary.BigEndian.Uint32(b))
}

// skip returns where the object at b[i:] ends, or -1 when it is cut short or is no msgpack. It counts the objects still
// to come instead of descending into them: hostile nesting costs no stack, and a hostile count fails at once, since
// each object takes a byte.
func skip(b []byte, i int) int {
	for need := uint64(1); need > 0; {
		if need > uint64(len(b)-i) {
			return -1
		}
		l := &leads[b[i]]
		if l.size == 0 || int(l.size) > len(b)-i {
			return -1
		}
		need += uint64(l.count) - 1
		at := i + 1
		i += int(l.size)
		if l.width != 0 {
			n := length(b[at:], l.width)
			if l.unit != 0 {
				need += n * uint64(l.unit)
				continue
			}
			if n > uint64(len(b)-i) {
				return -1
			}
			i += int(n)
		}
	}
	return i
}

// text returns the bounds of the str or bin at b[i:]; ok is false when there is another object, or it is cut short.
func text(b []byte, i int) (from, to int, ok bool) {
	c := b[i]
	if c>>5 == 0b101 { // fixstr, by far the most frequent
		from, to = i+1, i+1+int(c&0x1f)
		return from, to, to <= len(b)
	}
	if c < 0xc4 || c > 0xc6 && (c < 0xd9 || c > 0xdb) {
		return 0, 0, false
	}
	l := leads[c]
	if from = i + int(l.size); from > len(b) {
		return 0, 0, false
	}
	n := length(b[i+1:], l.width)
	if n > uint64(len(b)-from) {
		return 0, 0, false
	}
	return from, from + int(n), true
}

// container reads the header of the map (unit 2) or array (unit 1) at b[i:]: how many elements, and where the first
// begins.
func container(b []byte, i int, unit uint8) (count uint64, next int, ok bool) {
	if i >= len(b) {
		return 0, 0, false
	}
	c := b[i]
	if unit == 2 && c>>4 == 0x8 || unit == 1 && c>>4 == 0x9 {
		return uint64(c & 0x0f), i + 1, true
	}
	l := leads[c]
	if l.unit != unit || int(l.size) > len(b)-i {
		return 0, 0, false
	}
	return length(b[i+1:], l.width), i + int(l.size), true
}

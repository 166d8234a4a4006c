package logfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// AppendJSON appends the body of one event as a line of JSON, with its line
// end. Keys keep their order. Always valid JSON: invalid UTF-8 becomes U+FFFD,
// NaN and infinities null, binary a string, an extension the hexadecimal
// digits of its encoding, a key that is not a string the text of its value. A map or an array that is
// a key within such a key is hexadecimal digits too: as text it would double with each level.
// A whole float keeps its ".0", so that it is read back as a float.
// Both forms of event, [[time, metadata], body] and [time, body], are taken. On
// an error dst comes back as it was.
func AppendJSON(dst, event []byte) ([]byte, error) {
	start := len(dst)
	n, body, err := msgp.ReadArrayHeaderBytes(event)
	if err == nil && n != 2 {
		err = fmt.Errorf("array of %d, want [time, body]", n)
	}
	if err == nil {
		body, err = msgp.Skip(body)
	}
	if err == nil && msgp.NextType(body) != msgp.MapType {
		err = errors.New("body is not a map")
	}
	if err == nil {
		if dst, body, err = appendValue(dst, body, 0, false); err == nil && len(body) > 0 {
			err = fmt.Errorf("%d bytes after the body", len(body))
		}
	}
	if err != nil {
		return dst[:start], fmt.Errorf("logfile: event: %w", err)
	}
	return append(dst, '\n'), nil
}

// appendValue appends the value at the start of b as JSON and returns what follows it. inKey says that it is in a key.
func appendValue(dst, b []byte, depth int, inKey bool) (_, rest []byte, err error) {
	if depth > maxDepth {
		return dst, b, fmt.Errorf("nested deeper than the %d levels allowed", maxDepth)
	}
	switch msgp.NextType(b) {
	case msgp.StrType:
		s, rest, err := msgp.ReadStringZC(b)
		return appendString(dst, s), rest, err
	case msgp.BinType:
		s, rest, err := msgp.ReadBytesZC(b)
		return appendString(dst, s), rest, err
	case msgp.IntType:
		i, rest, err := msgp.ReadInt64Bytes(b)
		return strconv.AppendInt(dst, i, 10), rest, err
	case msgp.UintType:
		u, rest, err := msgp.ReadUint64Bytes(b)
		return strconv.AppendUint(dst, u, 10), rest, err
	case msgp.Float64Type:
		f, rest, err := msgp.ReadFloat64Bytes(b)
		return appendFloat(dst, f, 64), rest, err
	case msgp.Float32Type:
		f, rest, err := msgp.ReadFloat32Bytes(b)
		return appendFloat(dst, float64(f), 32), rest, err
	case msgp.BoolType:
		v, rest, err := msgp.ReadBoolBytes(b)
		return strconv.AppendBool(dst, v), rest, err
	case msgp.NilType:
		rest, err := msgp.ReadNilBytes(b)
		return append(dst, "null"...), rest, err
	case msgp.MapType:
		return appendMap(dst, b, depth, inKey)
	case msgp.ArrayType:
		return appendArray(dst, b, depth, inKey)
	}
	return appendHex(dst, b)
}

// appendHex appends the digits of the encoding of the value at the start of b.
func appendHex(dst, b []byte) (_, rest []byte, err error) {
	rest, err = msgp.Skip(b)
	if err != nil {
		return dst, b, err
	}
	dst = append(dst, '"')
	for _, c := range b[:len(b)-len(rest)] {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, '"'), rest, nil
}

func appendMap(dst, b []byte, depth int, inKey bool) ([]byte, []byte, error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	dst = append(dst, '{')
	for i := uint32(0); i < n && err == nil; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, b, err = appendKey(dst, b, depth+1, inKey); err != nil {
			break
		}
		dst, b, err = appendValue(append(dst, ':'), b, depth+1, inKey)
	}
	return append(dst, '}'), b, err
}

func appendKey(dst, b []byte, depth int, inKey bool) (_, rest []byte, err error) {
	if t := msgp.NextType(b); inKey && (t == msgp.MapType || t == msgp.ArrayType) {
		return appendHex(dst, b)
	}
	start := len(dst)
	dst, rest, err = appendValue(dst, b, depth, true)
	if err == nil && dst[start] != '"' {
		text := slices.Clone(dst[start:])
		dst = appendString(dst[:start], text)
	}
	return dst, rest, err
}

func appendArray(dst, b []byte, depth int, inKey bool) ([]byte, []byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	dst = append(dst, '[')
	for i := uint32(0); i < n && err == nil; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, b, err = appendValue(dst, b, depth+1, inKey)
	}
	return append(dst, ']'), b, err
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	// Plain digits where people read them (an epoch with microseconds), an
	// exponent where plain digits would be a row of zeros.
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if format == 'f' && f == math.Trunc(f) {
		dst = append(dst, ".0"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0 // what is before from is written
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
			} else {
				dst = append(dst, "\ufffd"...)
			}
		}
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// maxDepth bounds the nesting of JSON and msgpack alike, so that a hostile line
// cannot use up the stack. Logs nest a handful of levels.
const maxDepth = 512

// jsonParser turns one JSON object into a msgpack map. What comes out is what
// Fluent Bit 5.1 packs, to the byte: keys in order, doubled ones kept, integers
// as integers while 64 bits hold them, 1.0 as a float, invalid UTF-8 as it
// stands, lone surrogates as U+FFFD. It is stricter in two cases that the
// host lets pass: a broken \u escape, and text after the object.
type jsonParser struct {
	in      []byte
	at      int
	scratch []byte // a string with its escapes undone
}

// Object reads a JSON object, and nothing behind it, as the values that Fluent Bit's parser of JSON packs.
func Object(text []byte) (map[string]any, error) {
	b, err := new(jsonParser).appendObject(nil, text)
	if err != nil {
		return nil, err
	}
	m, _, err := msgp.ReadMapStrIntfBytes(b, nil)
	return m, err
}

// appendObject appends the object that is the whole of line as a map32.
func (p *jsonParser) appendObject(dst, line []byte) ([]byte, error) {
	p.in, p.at = line, 0
	if p.skipSpace() != '{' {
		return dst, fmt.Errorf("not a JSON object: begins with %s", p.found())
	}
	dst, lenAt := appendBodyHead(dst)
	dst, n, err := p.members(dst, 1)
	if err != nil {
		return dst, err
	}
	if p.skipSpace(); p.at < len(p.in) {
		return dst, p.expected("the end of the line after the object")
	}
	setBodyLen(dst, lenAt, n)
	return dst, nil
}

// members reads from '{' to its '}' and appends the keys and values.
func (p *jsonParser) members(dst []byte, depth int) (_ []byte, n int, err error) {
	p.at++
	if p.skipSpace() == '}' {
		p.at++
		return dst, 0, nil
	}
	for {
		if p.skipSpace() != '"' {
			return dst, n, p.expected("a quoted key")
		}
		if dst, err = p.str(dst); err != nil {
			return dst, n, err
		}
		if p.skipSpace() != ':' {
			return dst, n, p.expected("':' after a key")
		}
		p.at++
		if dst, err = p.value(dst, depth); err != nil {
			return dst, n, err
		}
		n++
		switch p.skipSpace() {
		case ',':
			p.at++
		case '}':
			p.at++
			return dst, n, nil
		default:
			return dst, n, p.expected("',' or '}' after a value")
		}
	}
}

func (p *jsonParser) elements(dst []byte, depth int) (_ []byte, n int, err error) {
	p.at++
	if p.skipSpace() == ']' {
		p.at++
		return dst, 0, nil
	}
	for {
		if dst, err = p.value(dst, depth); err != nil {
			return dst, n, err
		}
		n++
		switch p.skipSpace() {
		case ',':
			p.at++
		case ']':
			p.at++
			return dst, n, nil
		default:
			return dst, n, p.expected("',' or ']' after an element")
		}
	}
}

func (p *jsonParser) value(dst []byte, depth int) ([]byte, error) {
	c := p.skipSpace()
	switch {
	case c == '"':
		return p.str(dst)
	case c == '{' || c == '[':
		if depth == maxDepth {
			return dst, fmt.Errorf("nested deeper than the %d levels allowed", maxDepth)
		}
		var n int
		var err error
		at := len(dst)
		dst = append(dst, 0)
		if c == '{' {
			if dst, n, err = p.members(dst, depth+1); err != nil {
				return dst, err
			}
			return closeNested(dst, at, n, 0x80, 0xde), nil
		}
		if dst, n, err = p.elements(dst, depth+1); err != nil {
			return dst, err
		}
		return closeNested(dst, at, n, 0x90, 0xdc), nil
	case c == '-' || '0' <= c && c <= '9':
		return p.number(dst)
	case p.word("true"):
		return msgp.AppendBool(dst, true), nil
	case p.word("false"):
		return msgp.AppendBool(dst, false), nil
	case p.word("null"):
		return msgp.AppendNil(dst), nil
	}
	return dst, p.expected("a JSON value")
}

func (p *jsonParser) word(w string) bool {
	if !bytes.HasPrefix(p.in[p.at:], []byte(w)) {
		return false
	}
	p.at += len(w)
	return true
}

func (p *jsonParser) number(dst []byte) ([]byte, error) {
	start, float := p.at, false
	p.accept('-', '-')
	if !p.accept('0', '0') && !p.digits() {
		return dst, p.expected("a digit")
	}
	if p.accept('.', '.') {
		if float = true; !p.digits() {
			return dst, p.expected("a digit after '.'")
		}
	}
	if p.accept('e', 'e') || p.accept('E', 'E') {
		float = true
		if !p.accept('+', '+') {
			p.accept('-', '-')
		}
		if !p.digits() {
			return dst, p.expected("a digit in the exponent")
		}
	}
	text := p.in[start:p.at]
	if !float {
		if u, err := strconv.ParseUint(string(text), 10, 64); err == nil {
			return msgp.AppendUint64(dst, u), nil
		}
		if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return appendInt(dst, i), nil
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return dst, fmt.Errorf("number %.40q does not fit a 64-bit float (at most %g)", text, math.MaxFloat64)
	}
	return msgp.AppendFloat64(dst, f), nil
}

func (p *jsonParser) accept(lo, hi byte) bool {
	if p.at < len(p.in) && lo <= p.in[p.at] && p.in[p.at] <= hi {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) digits() bool {
	start := p.at
	for p.accept('0', '9') {
	}
	return p.at > start
}

var errOpenString = errors.New("string without its closing quote")

// str appends the string that starts at the quote under p.at.
func (p *jsonParser) str(dst []byte) ([]byte, error) {
	p.at++
	rest := p.in[p.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return dst, errOpenString
	}
	if bytes.IndexByte(rest[:end], '\\') < 0 {
		p.at += end + 1
		return msgp.AppendStringFromBytes(dst, rest[:end]), nil
	}
	p.scratch = p.scratch[:0]
	for p.at < len(p.in) {
		c := p.in[p.at]
		p.at++
		switch c {
		case '"':
			return msgp.AppendStringFromBytes(dst, p.scratch), nil
		case '\\':
			if err := p.escape(); err != nil {
				return dst, err
			}
		default:
			p.scratch = append(p.scratch, c)
		}
	}
	return dst, errOpenString
}

// escape undoes the escape whose backslash was just read.
func (p *jsonParser) escape() error {
	if p.at == len(p.in) {
		return errOpenString
	}
	c := p.in[p.at]
	p.at++
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		p.scratch = append(p.scratch, "\"\\/\b\f\n\r\t"[i])
		return nil
	}
	r, ok := rune(0), false
	if c == 'u' {
		r, ok = p.hex4()
	}
	if !ok {
		return fmt.Errorf("byte %d: unknown escape %.8q: allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", p.at-1, p.in[p.at-2:])
	}
	if 0xd800 <= r && r < 0xdc00 && bytes.HasPrefix(p.in[p.at:], []byte(`\u`)) {
		p.at += 2
		low, ok := p.hex4()
		if !ok {
			return fmt.Errorf("byte %d: escape %.8q wants four hexadecimal digits", p.at-1, p.in[p.at-2:])
		}
		r = utf16.DecodeRune(r, low)
	}
	p.scratch = utf8.AppendRune(p.scratch, r) // a lone surrogate becomes U+FFFD
	return nil
}

func (p *jsonParser) hex4() (rune, bool) {
	if len(p.in)-p.at < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.in[p.at:p.at+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	p.at += 4
	return rune(v), true
}

// skipSpace returns the next byte that is not space, without taking it; 0 at the end.
func (p *jsonParser) skipSpace() byte {
	for ; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (p *jsonParser) found() string {
	if p.at >= len(p.in) {
		return "the end of the line"
	}
	return fmt.Sprintf("%.20q", p.in[p.at:min(p.at+20, len(p.in))])
}

func (p *jsonParser) expected(what string) error {
	return fmt.Errorf("byte %d: expected %s, found %s", p.at+1, what, p.found())
}

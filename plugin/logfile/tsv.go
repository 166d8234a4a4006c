package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/zeek"
)

// tsvParser reads tab-separated lines in one of two ways. With names from
// outside, every value is a string and stays as it is, "-" too; empty ones are
// left out and columns beyond the names ignored: what Fluent Bit's regex parser
// gives. With Zeek's own header, values have types: numbers become numbers, T
// and F booleans, sets and vectors arrays of strings, and unset fields are
// left out, as in Zeek's JSON. A value that is not of its type stays a string.
type tsvParser struct {
	names   []string // from outside, until there is a #fields line; "" skips the column
	header  zeek.Header
	scratch []byte
}

// columnHelp ends every error that -columns would have prevented.
const columnHelp = "name the columns with -columns, as in -columns ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p"

// sshdHelp takes its place where the lines are sshd's.
const sshdHelp = "the lines are of sshd, Preset openssh understands them (-preset openssh)"

func newTSVParser(names []string) (*tsvParser, error) {
	p := &tsvParser{header: zeek.NewHeader()}
	seen := make(map[string]bool)
	for _, name := range names {
		name = strings.TrimSpace(name)
		if name == "-" || name == "_" {
			name = ""
		}
		if seen[name] && name != "" {
			return nil, fmt.Errorf("column %q is named twice in -columns: each name may stand once, \"-\" skips a column", name)
		}
		seen[name] = true
		p.names = append(p.names, name)
	}
	if len(names) > 0 && len(seen) == 1 && seen[""] {
		return nil, errors.New("every column of -columns is skipped: at least one wants a name")
	}
	return p, nil
}

// appendLine appends the body of a row. ok is false for a line of the header and for the closing one.
func (p *tsvParser) appendLine(dst, line []byte) (_ []byte, ok bool, err error) {
	if line[0] == '#' {
		_, err := p.header.Read(line)
		return dst, false, err
	}
	want, typed := len(p.names), false
	if len(p.header.Columns) > 0 {
		want, typed = len(p.header.Columns), true
	}
	if want == 0 {
		return dst, false, errors.New("a row before any #fields line: " + columnHelp)
	}
	if got := bytes.Count(line, p.header.Separator) + 1; got < want || typed && got > want {
		return dst, false, fmt.Errorf("%d columns, want %d", got, want)
	}
	dst, lenAt := appendBodyHead(dst)
	n := 0
	if typed {
		dst, n = p.typed(dst, line)
	} else {
		dst, n = p.plain(dst, line)
	}
	setBodyLen(dst, lenAt, n)
	return dst, true, nil
}

// plain appends the n pairs of a row whose columns have names from outside.
func (p *tsvParser) plain(dst, line []byte) (_ []byte, n int) {
	for _, name := range p.names {
		var value []byte
		value, line, _ = bytes.Cut(line, p.header.Separator)
		if name != "" && len(value) > 0 {
			n++
			dst = msgp.AppendStringFromBytes(msgp.AppendString(dst, name), value)
		}
	}
	return dst, n
}

// typed appends the n pairs of a row below a header.
func (p *tsvParser) typed(dst, line []byte) (_ []byte, n int) {
	h := &p.header
	for _, c := range h.Columns {
		var cell []byte
		cell, line, _ = bytes.Cut(line, h.Separator)
		if v := h.Value(cell, c.Type); c.Name != "" && v.Kind != zeek.Unset {
			n++
			dst = p.value(msgp.AppendString(dst, c.Name), v)
		}
	}
	return dst, n
}

func (p *tsvParser) value(dst []byte, v zeek.Value) []byte {
	switch v.Kind {
	case zeek.Natural:
		return msgp.AppendUint64(dst, v.Natural)
	case zeek.Integer:
		return appendInt(dst, v.Integer)
	case zeek.Real:
		return msgp.AppendFloat64(dst, v.Real)
	case zeek.Boolean:
		return msgp.AppendBool(dst, v.True)
	case zeek.List:
		return p.list(dst, v.Text)
	}
	return msgp.AppendStringFromBytes(dst, p.unescape(v.Text))
}

func (p *tsvParser) list(dst, text []byte) []byte {
	if text == nil {
		return msgp.AppendArrayHeader(dst, 0)
	}
	n := 1
	if separator := p.header.SetSeparator; len(separator) > 0 {
		n += bytes.Count(text, separator)
	}
	dst = msgp.AppendArrayHeader(dst, uint32(n))
	for text != nil {
		var element zeek.Value
		if element, text = p.header.Element(text); element.Kind == zeek.Unset {
			dst = msgp.AppendNil(dst)
		} else {
			dst = p.value(dst, element)
		}
	}
	return dst
}

// unescape undoes Zeek's \xNN and \\. The result is good until the next call.
func (p *tsvParser) unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	p.scratch = zeek.AppendUnescaped(p.scratch[:0], text)
	return p.scratch
}

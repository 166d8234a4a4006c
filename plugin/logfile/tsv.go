package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	columns []column
	zeek    bool // columns come from a #fields line
	sep     []byte
	setSep  []byte
	empty   []byte
	unset   []byte
	scratch []byte
}

type column struct {
	name string // "" skips the column
	kind kind
}

type kind uint8

const (
	kindString kind = iota
	kindInt
	kindFloat
	kindBool
	kindArray
)

// columnHelp ends every error that -columns would have prevented.
const columnHelp = "name the columns with -columns, as in -columns ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p"

func newTSVParser(names []string) (*tsvParser, error) {
	p := &tsvParser{sep: []byte("\t"), setSep: []byte(","), empty: []byte("(empty)"), unset: []byte("-")}
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
		p.columns = append(p.columns, column{name: name})
	}
	if len(names) > 0 && len(seen) == 1 && seen[""] {
		return nil, errors.New("every column of -columns is skipped: at least one wants a name")
	}
	return p, nil
}

// appendLine appends the body of a row. ok is false for a line of the header and for the closing one.
func (p *tsvParser) appendLine(dst, line []byte) (_ []byte, ok bool, err error) {
	if line[0] == '#' {
		return dst, false, p.header(line)
	}
	if len(p.columns) == 0 {
		return dst, false, errors.New("a row before any #fields line: " + columnHelp)
	}
	got := bytes.Count(line, p.sep) + 1
	if want := len(p.columns); got < want || p.zeek && got > want {
		return dst, false, fmt.Errorf("%d columns, want %d", got, want)
	}
	dst, lenAt := appendBodyHead(dst)
	n := 0
	for _, c := range p.columns {
		var value []byte
		value, line, _ = bytes.Cut(line, p.sep)
		if c.name == "" || !p.zeek && len(value) == 0 || p.zeek && bytes.Equal(value, p.unset) {
			continue
		}
		n++
		dst = msgp.AppendString(dst, c.name)
		if p.zeek {
			dst = p.typed(dst, value, c.kind)
		} else {
			dst = msgp.AppendStringFromBytes(dst, value)
		}
	}
	setBodyLen(dst, lenAt, n)
	return dst, true, nil
}

// header reads a line with a '#'. It ignores others than those below, such as #path, #open and comments.
func (p *tsvParser) header(line []byte) error {
	if sep, ok := zeek.ReadSeparator(line); ok {
		if p.sep = []byte(sep); sep == "" {
			return errors.New("#separator is empty: want the bytes between two columns, as in #separator \\x09")
		}
		return nil
	}
	key, rest, found := bytes.Cut(line, p.sep)
	if !found {
		return nil
	}
	switch string(key) {
	case "#set_separator":
		p.setSep = slices.Clone(rest)
	case "#empty_field":
		p.empty = slices.Clone(rest)
	case "#unset_field":
		p.unset = slices.Clone(rest)
	case "#fields":
		p.zeek, p.columns = true, nil
		for name := range bytes.SplitSeq(rest, p.sep) {
			p.columns = append(p.columns, column{name: string(name)})
		}
	case "#types":
		types := bytes.Split(rest, p.sep)
		if len(types) != len(p.columns) {
			return fmt.Errorf("%d #types for %d #fields: want one for each", len(types), len(p.columns))
		}
		for i, t := range types {
			p.columns[i].kind = kindOf(string(t))
		}
	}
	return nil
}

func kindOf(zeekType string) kind {
	switch zeekType {
	case "count", "int", "port":
		return kindInt
	case "double", "interval", "time":
		return kindFloat
	case "bool":
		return kindBool
	}
	for _, array := range []string{"set[", "vector[", "table["} {
		if strings.HasPrefix(zeekType, array) {
			return kindArray
		}
	}
	return kindString
}

func (p *tsvParser) typed(dst, value []byte, k kind) []byte {
	switch k {
	case kindInt:
		if u, err := strconv.ParseUint(string(value), 10, 64); err == nil {
			return msgp.AppendUint64(dst, u)
		}
		if i, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return appendInt(dst, i)
		}
	case kindFloat:
		if f, err := strconv.ParseFloat(string(value), 64); err == nil {
			return msgp.AppendFloat64(dst, f)
		}
	case kindBool:
		if len(value) == 1 && (value[0] == 'T' || value[0] == 'F') {
			return msgp.AppendBool(dst, value[0] == 'T')
		}
	case kindArray:
		return p.array(dst, value)
	}
	return p.str(dst, value)
}

func (p *tsvParser) array(dst, value []byte) []byte {
	if bytes.Equal(value, p.empty) {
		return msgp.AppendArrayHeader(dst, 0)
	}
	if len(p.setSep) == 0 {
		return p.str(msgp.AppendArrayHeader(dst, 1), value)
	}
	dst = msgp.AppendArrayHeader(dst, uint32(bytes.Count(value, p.setSep)+1))
	for element := range bytes.SplitSeq(value, p.setSep) {
		if bytes.Equal(element, p.unset) {
			dst = msgp.AppendNil(dst)
		} else {
			dst = p.str(dst, element)
		}
	}
	return dst
}

func (p *tsvParser) str(dst, value []byte) []byte {
	if bytes.Equal(value, p.empty) {
		value = nil
	}
	return msgp.AppendStringFromBytes(dst, p.unescape(value))
}

// unescape undoes Zeek's \xNN and \\. The result is good until the next call.
func (p *tsvParser) unescape(value []byte) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	p.scratch = zeek.AppendUnescaped(p.scratch[:0], value)
	return p.scratch
}

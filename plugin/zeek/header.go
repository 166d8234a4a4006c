package zeek

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Header is what the lines with '#' above a log's rows say of them.
type Header struct {
	Separator    []byte   // between columns, not empty
	SetSeparator []byte   // between the elements of a set or a vector; empty: each has one element
	Empty        []byte   // what stands for an empty text, set or vector
	Unset        []byte   // what stands for no value
	Columns      []Column // never changed in place; none: no #fields line since the header began
}

// Column is a column of a log.
type Column struct {
	Name string
	Type Type
}

// mostColumns is how many a log may have. Those of Zeek have some tens.
const mostColumns = 1000

// NewHeader returns the header of Zeek's usual settings, before any of its lines.
func NewHeader() Header {
	return Header{Separator: []byte("\t"), SetSeparator: []byte(","), Empty: []byte("(empty)"), Unset: []byte("-")}
}

// Read takes up a line that begins with '#', without its line end, and reports whether it says anything of rows: #path,
// #open, #close and comments do not. With an error, the header is as it was. A #separator line begins a header anew.
func (h *Header) Read(line []byte) (changed bool, err error) {
	if escaped, ok := bytes.CutPrefix(line, []byte("#separator ")); ok {
		separator := AppendUnescaped(nil, escaped)
		if len(separator) == 0 {
			return false, errors.New(`#separator is empty: want the bytes between two columns, as in #separator \x09`)
		}
		*h = NewHeader()
		h.Separator = separator
		return true, nil
	}
	key, rest, found := bytes.Cut(line, h.Separator)
	if !found {
		return false, nil
	}
	switch string(key) {
	case "#set_separator":
		h.SetSeparator = AppendUnescaped(nil, rest)
	case "#empty_field":
		h.Empty = AppendUnescaped(nil, rest)
	case "#unset_field":
		h.Unset = AppendUnescaped(nil, rest)
	case "#fields":
		if n := bytes.Count(rest, h.Separator) + 1; n > mostColumns {
			return false, fmt.Errorf("%d #fields: at most %d are read", n, mostColumns)
		}
		h.Columns = nil
		for name := range bytes.SplitSeq(rest, h.Separator) {
			h.Columns = append(h.Columns, Column{Name: string(name)})
		}
	case "#types":
		return h.types(rest)
	default:
		return false, nil
	}
	return true, nil
}

// types gives the columns their types. Types of columns that no #fields line has named are of no use.
func (h *Header) types(rest []byte) (changed bool, err error) {
	if len(h.Columns) == 0 {
		return false, nil
	}
	if n := bytes.Count(rest, h.Separator) + 1; n != len(h.Columns) {
		return false, fmt.Errorf("%d #types for %d #fields: want one for each", n, len(h.Columns))
	}
	columns := slices.Clone(h.Columns)
	for i := range columns {
		var name []byte
		name, rest, _ = bytes.Cut(rest, h.Separator)
		columns[i].Type = TypeOf(string(name))
	}
	h.Columns = columns
	return true, nil
}

// Type is how the cells of a column are read. The zero value is that of columns whose type is not known.
type Type uint8

// The types. Addresses, enumerations and all else are strings.
const (
	String Type = iota
	Int
	Double
	Bool
	Set // or a vector
)

// names are one of Zeek's for each type.
var names = [...]string{String: "string", Int: "int", Double: "double", Bool: "bool", Set: "set[string]"}

// String returns a name by which TypeOf knows the type.
func (t Type) String() string { return names[t] }

// TypeOf returns the type that a #types line gives a name.
func TypeOf(name string) Type {
	switch name {
	case "count", "int", "port":
		return Int
	case "double", "interval", "time":
		return Double
	case "bool":
		return Bool
	}
	for _, list := range []string{"set[", "vector[", "table["} {
		if strings.HasPrefix(name, list) {
			return Set
		}
	}
	return String
}

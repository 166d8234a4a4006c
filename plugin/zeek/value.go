package zeek

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Value is what a cell stands for.
type Value struct {
	Kind    Kind
	Natural uint64
	Integer int64
	Real    float64
	True    bool
	Text    []byte // the cell's own bytes: of a text with its escapes, of a list with the separators
}

// Kind says which part of a Value holds it.
type Kind uint8

// The kinds.
const (
	Unset Kind = iota // no value; Zeek's JSON leaves such a field out
	Text
	Natural
	Integer // below zero
	Real
	Boolean
	List // in Text, for Element; Text is nil where there is none
)

// Value returns what a cell of a column of type t stands for. A cell that is not of its type is a text. Value does not
// allocate, but for a Double that begins like a number and is none, is beyond a float's range or longer than 32 bytes.
func (h *Header) Value(cell []byte, t Type) Value {
	if bytes.Equal(cell, h.Unset) {
		return Value{}
	}
	switch t {
	case Int:
		if v, ok := integer(cell); ok {
			return v
		}
	case Double:
		if v, ok := real(cell); ok {
			return v
		}
	case Bool:
		if truth, ok := ParseBool(cell); ok {
			return Value{Kind: Boolean, True: truth}
		}
	case Set:
		if bytes.Equal(cell, h.Empty) {
			return Value{Kind: List}
		}
		return Value{Kind: List, Text: cell}
	}
	return h.text(cell)
}

// Element returns the first element of the text of a List that is not nil, a text or unset, and the text of the
// others, nil where there is none.
func (h *Header) Element(list []byte) (first Value, others []byte) {
	if len(h.SetSeparator) > 0 {
		if element, rest, more := bytes.Cut(list, h.SetSeparator); more {
			list, others = element, rest
		}
	}
	if bytes.Equal(list, h.Unset) {
		return Value{}, others
	}
	return h.text(list), others
}

// text is a cell or an element that is nothing but text.
func (h *Header) text(cell []byte) Value {
	if bytes.Equal(cell, h.Empty) {
		cell = cell[:0]
	}
	return Value{Kind: Text, Text: cell}
}

// ParseBool reads a boolean as Zeek's rows have it.
func ParseBool(cell []byte) (truth, ok bool) {
	if len(cell) != 1 || cell[0] != 'T' && cell[0] != 'F' {
		return false, false
	}
	return cell[0] == 'T', true
}

// IsBool tells whether a column of Zeek's ssh.log is a boolean, for where nothing else tells: below a header without
// #types, and in the fields that a parser makes of a row.
func IsBool(column string) bool { return column == "auth_success" }

// integer reads a decimal number of 64 bits, with or without a sign. Unlike strconv, it makes no error where the cell
// is none: rows are many.
func integer(cell []byte) (Value, bool) {
	digits, most, negative := cell, uint64(math.MaxUint64), false
	if len(cell) > 0 && (cell[0] == '-' || cell[0] == '+') {
		digits, most = cell[1:], math.MaxInt64
		if negative = cell[0] == '-'; negative {
			most++
		}
	}
	if len(digits) == 0 {
		return Value{}, false
	}
	var n uint64
	for _, c := range digits {
		d := uint64(c - '0')
		if c < '0' || c > '9' || n > (most-d)/10 {
			return Value{}, false
		}
		n = n*10 + d
	}
	if negative && n > 0 {
		return Value{Kind: Integer, Integer: int64(-n)}, true
	}
	return Value{Kind: Natural, Natural: n}, true
}

// real reads a floating-point number. What does not begin like one goes by without the error that strconv would make of
// it.
func real(cell []byte) (Value, bool) {
	unsigned := bytes.TrimLeft(cell, "+-")
	if len(unsigned) == 0 {
		return Value{}, false
	}
	if c := unsigned[0]; (c < '0' || c > '9') && c != '.' && !infinite(unsigned) {
		return Value{}, false
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	return Value{Kind: Real, Real: v}, err == nil
}

func infinite(cell []byte) bool {
	for _, name := range []string{"inf", "infinity", "nan"} {
		if len(cell) == len(name) && strings.EqualFold(string(cell), name) {
			return true
		}
	}
	return false
}

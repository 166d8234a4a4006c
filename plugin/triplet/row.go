package triplet

import (
	"bytes"
	"slices"
	"strconv"

	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/zeek"
)

// layout says which columns of a log hold the finder's values. It never changes.
type layout struct {
	header zeek.Header
	cells  []cell  // by column, up to the last that is read
	kept   int     // columns that are read
	values [][]int // by value: the places of its alternatives
	time   []int   // the places of the time's
}

// cell says how to read those of a column.
type cell struct {
	is    zeek.Type
	place int // among the columns that are read, -1: it is not
}

// layout finds the columns of the wanted values.
func (f *Finder) layout(h zeek.Header) *layout {
	l := &layout{header: h}
	places := map[string]int{} // by column's name
	placesOf := func(paths []string) (out []int) {
		for _, path := range paths {
			key, ok := record.Flat(path)
			if !ok || !slices.ContainsFunc(h.Columns, func(c zeek.Column) bool { return c.Name == key }) {
				continue
			}
			place, known := places[key]
			if !known {
				place = len(places)
				places[key] = place
			}
			out = append(out, place)
		}
		return out
	}
	for _, paths := range f.wanted {
		l.values = append(l.values, placesOf(paths))
	}
	l.time = placesOf(f.time)
	l.kept = len(places)
	last := 0
	for i, c := range h.Columns {
		place, read := places[c.Name]
		if read {
			last = i + 1
		} else {
			place = -1
		}
		l.cells = append(l.cells, cell{c.Type, place})
	}
	l.cells = l.cells[:last]
	return l
}

// longestRow bounds what a row makes a Buffer keep, in bytes.
const longestRow = 64 << 10

// row reads a line of Zeek's log: a row, or a line of its header. A row gives what the fields would give that Zeek's
// JSON has instead, and that package logfile makes of it.
func (f *Finder) row(b *Buffer, rows *Rows, line []byte) (Session, Verdict) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) > 0 && line[0] == '#' {
		rows.header(f, line)
		return Session{}, Skipped
	}
	l := rows.layout()
	if l == nil || len(line) > longestRow || bytes.Count(line, l.header.Separator)+1 != len(l.header.Columns) {
		return Session{}, Missing
	}
	b.cells = slices.Grow(b.cells[:0], l.kept)[:l.kept]
	clear(b.cells)
	for _, c := range l.cells {
		var text []byte
		text, line, _ = bytes.Cut(line, l.header.Separator)
		if c.place < 0 {
			continue
		}
		if v := l.header.Value(text, c.is); v.Kind != zeek.Unset {
			b.cells[c.place] = v
		}
	}
	b.text = b.text[:0]
	b.row = slices.Grow(b.row[:0], len(l.values))[:len(l.values)]
	for i, places := range l.values {
		b.row[i] = b.first(l, places)
	}
	s, verdict := f.session(b, b.row)
	var place int
	if s.Time, place = b.time(l); place >= 0 {
		s.Unread, b.unread = true, unread{l, place}
	}
	return s, verdict
}

// first returns the first of the cells that has content, as text. As among a record's fields, one that is there without
// content counts where none has any; nil where none is there.
func (b *Buffer) first(l *layout, places []int) (text []byte) {
	for _, place := range places {
		next := b.render(l, b.cells[place])
		if next == nil {
			continue
		}
		content := has(next)
		if content || len(text) == 0 {
			text = next
		}
		if content {
			break
		}
	}
	return text
}

// render returns a cell as the text that package record gives of such a value, and of a list its first element.
func (b *Buffer) render(l *layout, v zeek.Value) []byte {
	start := len(b.text)
	switch v.Kind {
	case zeek.Unset:
		return nil
	case zeek.Text:
		if bytes.IndexByte(v.Text, '\\') < 0 {
			return v.Text
		}
		b.text = zeek.AppendUnescaped(b.text, v.Text)
	case zeek.List:
		for rest := v.Text; rest != nil; {
			var element zeek.Value
			if element, rest = l.header.Element(rest); element.Kind != zeek.Unset {
				return b.render(l, element)
			}
		}
		return nil
	case zeek.Boolean:
		return truth(v.True)
	case zeek.Natural:
		b.text = strconv.AppendUint(b.text, v.Natural, 10)
	case zeek.Integer:
		b.text = strconv.AppendInt(b.text, v.Integer, 10)
	case zeek.Real:
		b.text = record.AppendFloat(b.text, v.Real, 64)
	}
	return slices.Clip(b.text[start:])
}

// UnreadTime returns, of the session that was found last and is Unread, the column for the time and the text of the value
// in it that could not be read. It holds until the buffer is used again.
func (b *Buffer) UnreadTime() (column string, value []byte) {
	l, place := b.unread.layout, b.unread.place
	for i, c := range l.cells {
		if c.place == place {
			column = l.header.Columns[i].Name
		}
	}
	return column, b.render(l, b.cells[place])
}

// time returns the first time of the row that is valid, in nanoseconds since the epoch, 0 where there is none. unread is
// then the place of the first value that is none, -1 where there is none either.
func (b *Buffer) time(l *layout) (ns int64, unread int) {
	unread = -1
	for _, place := range l.time {
		v := b.cells[place]
		var at int64
		var ok bool
		switch v.Kind {
		case zeek.Natural:
			at, ok = record.UintTime(v.Natural)
		case zeek.Real:
			at, ok = record.FloatTime(v.Real)
		case zeek.Text:
			at, ok = record.ParseTime(b.render(l, v))
		}
		if ok {
			return at, -1
		}
		if unread < 0 && has(b.render(l, v)) {
			unread = place
		}
	}
	return 0, unread
}

// What stands for a boolean among a record's values.
var yes, no = []byte("true"), []byte("false")

func truth(is bool) []byte {
	if is {
		return yes
	}
	return no
}

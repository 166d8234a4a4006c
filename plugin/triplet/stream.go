package triplet

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/zeek"
)

// Stream remembers, for the records of one tag, the columns of a Zeek log whose rows come as plain lines. The
// header comes once per file and holds for the rows after it.
type Stream struct {
	separator atomic.Pointer[string] // between columns; nil: a tab
	layout    atomic.Pointer[layout]
}

// between is what stands between columns below the header that is being read.
func (s *Stream) between() string {
	if separator := s.separator.Load(); separator != nil {
		return *separator
	}
	return zeek.Tab
}

// layout says which value stands in which column.
type layout struct {
	rows
	between []byte // the separator
	value   []int  // by column: the finder's value, or one of the two below
	values  int
}

// rows says how rows are written.
type rows struct {
	Columns   zeek.Columns
	Separator string
}

// MarshalJSON implements json.Marshaler. Where tabs stand between columns it is the list of these alone.
func (r rows) MarshalJSON() ([]byte, error) {
	if r.Separator == zeek.Tab {
		return json.Marshal(r.Columns)
	}
	type plain rows
	return json.Marshal(plain(r))
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *rows) UnmarshalJSON(b []byte) error {
	*r = rows{Separator: zeek.Tab}
	if bytes.HasPrefix(b, []byte("[")) {
		return json.Unmarshal(b, &r.Columns)
	}
	type plain rows
	return json.Unmarshal(b, (*plain)(r))
}

const (
	noValue   = -1
	timeValue = -2
)

// row reads a line of Zeek's log: a row, or a line of its header.
func (f *Finder) row(b *Buffer, stream *Stream, line []byte) (Session, Verdict) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > 0 && line[0] == '#' {
		if separator, ok := zeek.ReadSeparator(line); ok && separator != "" {
			stream.separator.Store(&separator)
		} else if columns, ok := zeek.ReadHeader(line, stream.between()); ok {
			stream.layout.Store(f.layout(rows{columns, stream.between()}))
		}
		return Session{}, Skipped
	}
	l := stream.layout.Load()
	if l == nil || len(line) > longestRow || bytes.Count(line, l.between)+1 != len(l.Columns) {
		return Session{}, Missing
	}
	b.row = slices.Grow(b.row[:0], l.values)[:l.values]
	clear(b.row)
	b.text = slices.Grow(b.text[:0], len(line)) // what escapes stand for is no longer than they are
	var s Session
	var at int64
	for _, v := range l.value {
		var value []byte
		value, line, _ = bytes.Cut(line, l.between)
		switch {
		case v == noValue || !has(value):
		case v == timeValue:
			at, _ = record.ParseTime(value)
		default:
			if bytes.IndexByte(value, '\\') >= 0 {
				start := len(b.text)
				b.text = zeek.AppendUnescaped(b.text, value)
				value = b.text[start:]
			}
			b.row[v] = value
		}
	}
	s, verdict := f.session(b, b.row)
	s.Time = at
	return s, verdict
}

// longestRow bounds what a row makes a Buffer keep, in bytes.
const longestRow = 64 << 10

// layout finds the columns of the wanted values; of alternatives the first that is a column.
func (f *Finder) layout(r rows) *layout {
	columns := r.Columns
	l := &layout{rows: r, between: []byte(r.Separator), value: make([]int, len(columns)), values: len(f.wanted)}
	for i := range l.value {
		l.value[i] = noValue
	}
	place := func(paths []string, value int) {
		for _, p := range paths {
			if i := slices.Index(columns, p); i >= 0 {
				if l.value[i] == noValue {
					l.value[i] = value
				}
				return
			}
		}
	}
	for v, paths := range f.wanted {
		if v != f.line {
			place(paths, v)
		}
	}
	place(f.time, timeValue)
	return l
}

// Streams are those of all tags. The zero value has none.
type Streams struct {
	mu    sync.RWMutex
	byTag map[string]*Stream
}

// mostStreams bounds the tags that are remembered; a tag may be made of a file's name.
const mostStreams = 1000

// Of returns the stream of a tag, nil when there are too many of them or the finder reads no rows.
func (f *Finder) Of(streams *Streams, tag []byte) *Stream {
	if f.line < 0 {
		return nil
	}
	streams.mu.RLock()
	s := streams.byTag[string(tag)]
	full := len(streams.byTag) >= mostStreams
	streams.mu.RUnlock()
	if s != nil || full {
		return s
	}
	streams.mu.Lock()
	defer streams.mu.Unlock()
	if s = streams.byTag[string(tag)]; s == nil {
		if streams.byTag == nil {
			streams.byTag = map[string]*Stream{}
		}
		s = new(Stream)
		streams.byTag[string(tag)] = s
	}
	return s
}

// Save returns the columns of all streams that have some: tail goes on behind a header that it has read
// before a restart.
func (s *Streams) Save() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]rows{}
	for tag, stream := range s.byTag {
		if l := stream.layout.Load(); l != nil {
			out[tag] = l.rows
		}
	}
	return json.Marshal(out)
}

// Restore takes up what Save returned.
func (f *Finder) Restore(streams *Streams, b []byte) error {
	var saved map[string]rows
	if err := json.Unmarshal(b, &saved); err != nil {
		return err
	}
	for tag, r := range saved {
		if s := f.Of(streams, []byte(tag)); s != nil && len(r.Columns) > 0 && r.Separator != "" {
			s.separator.Store(&r.Separator)
			s.layout.Store(f.layout(r))
		}
	}
	return nil
}

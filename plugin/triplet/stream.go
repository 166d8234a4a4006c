package triplet

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"flb-filter-rgcn/plugin/zeek"
)

// stream remembers, for the records of one tag, the columns of a Zeek log whose rows come as plain lines. The
// header comes once per file and holds for the rows after it.
type stream struct {
	mu     sync.Mutex             // held while a line of a header is read
	header *zeek.Header           // what its lines have told
	layout atomic.Pointer[layout] // of the rows, nil: not known yet
	change atomic.Bool            // another header came with other columns
	used   atomic.Uint64          // when it was last asked for, see Streams.asked
}

// Streams are those of all tags. The zero value has none.
type Streams struct {
	mu    sync.RWMutex
	byTag map[string]*stream
	asked atomic.Uint64 // how often a tag was asked for
	fresh atomic.Bool   // columns are known that were never saved
}

// mostStreams bounds the tags that are remembered; a tag may be made of a file's name. Only tags under which a header
// came are, and the one that was not used for longest goes first.
const mostStreams = 1000

// Rows reads those of one tag, for one caller. The zero value reads none.
type Rows struct {
	streams *Streams
	tag     []byte
	stream  *stream // nil: no header came so far
}

// Of returns what reads the rows of a tag. The tag is read for as long as the Rows are used.
func (f *Finder) Of(streams *Streams, tag []byte) Rows {
	if f.line < 0 {
		return Rows{}
	}
	streams.mu.RLock()
	s := streams.byTag[string(tag)]
	streams.mu.RUnlock()
	if s != nil {
		s.used.Store(streams.asked.Add(1))
	}
	return Rows{streams, tag, s}
}

// any tells whether rows are read.
func (r *Rows) any() bool { return r != nil && r.streams != nil }

// begin has the tag remembered.
func (r *Rows) begin() {
	t := r.streams
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.stream = t.byTag[string(r.tag)]; r.stream != nil {
		return
	}
	if len(t.byTag) >= mostStreams {
		oldest := ""
		for tag, s := range t.byTag {
			if o := t.byTag[oldest]; o == nil || s.used.Load() < o.used.Load() {
				oldest = tag
			}
		}
		delete(t.byTag, oldest)
	}
	if t.byTag == nil {
		t.byTag = map[string]*stream{}
	}
	h := zeek.NewHeader()
	r.stream = &stream{header: &h}
	r.stream.used.Store(t.asked.Add(1))
	t.byTag[string(r.tag)] = r.stream
}

// longestHeader bounds a line of a header, in bytes: what is longer is none.
const longestHeader = 16 << 10

// header takes up a line of a header. Rows of a file that is still being read keep their columns until another's #fields
// has come.
func (r *Rows) header(f *Finder, line []byte) {
	if len(line) > longestHeader {
		return
	}
	if r.stream == nil {
		h := zeek.NewHeader()
		if changed, err := h.Read(line); err != nil || !changed {
			return // no header, though it begins like one
		}
		r.begin()
	}
	s := r.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	// A line that cannot be used is passed over: the offline tool tells of it.
	if changed, err := s.header.Read(line); err == nil && changed && len(s.header.Columns) > 0 {
		sameName := func(a, b zeek.Column) bool { return a.Name == b.Name }
		if before := s.layout.Load(); before != nil && !slices.EqualFunc(before.header.Columns, s.header.Columns, sameName) {
			s.change.Store(true)
		}
		s.layout.Store(f.layout(*s.header))
		r.streams.fresh.Store(true)
	}
}

// layout is that of the rows, nil while it is not known.
func (r *Rows) layout() *layout {
	if r.stream == nil {
		return nil
	}
	return r.stream.layout.Load()
}

// Changed tells whether the columns have become others since it was last asked.
func (r *Rows) Changed() bool {
	return r.stream != nil && r.stream.change.Load() && r.stream.change.Swap(false)
}

// Fresh tells whether columns came since Save was last called.
func (s *Streams) Fresh() bool { return s.fresh.Load() }

// Save returns the headers of all streams that have columns: tail goes on behind a header that it has read
// before a restart.
func (s *Streams) Save() ([]byte, error) {
	s.fresh.Store(false)
	out := map[string]savedHeader{}
	s.mu.RLock()
	for tag, stream := range s.byTag {
		if l := stream.layout.Load(); l != nil {
			out[savedTag(tag)] = savedHeader(l.header)
		}
	}
	s.mu.RUnlock() // records wait for it
	return json.Marshal(out)
}

// Unsaved says that what Save returned could not be kept.
func (s *Streams) Unsaved() { s.fresh.Store(true) }

// Restore takes up what Save returned, in this version or in one before.
func (f *Finder) Restore(streams *Streams, b []byte) error {
	var saved map[string]savedHeader
	if err := json.Unmarshal(b, &saved); err != nil {
		return err
	}
	for key, h := range saved {
		rows := f.Of(streams, tagOf(key))
		if !rows.any() || len(h.Columns) == 0 || len(h.Separator) == 0 {
			continue
		}
		header := zeek.Header(h)
		rows.begin()
		rows.stream.mu.Lock()
		rows.stream.header = &header
		rows.stream.layout.Store(f.layout(header))
		rows.stream.mu.Unlock()
	}
	return nil
}

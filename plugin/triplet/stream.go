package triplet

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"flb-filter-rgcn/plugin/zeek"
)

// Stream remembers, for the records of one tag, the columns of a Zeek log whose rows come as plain lines. The
// header comes once per file and holds for the rows after it.
type Stream struct {
	mu     sync.Mutex             // held while a line of a header is read
	header *zeek.Header           // what its lines have told; nil: none has come
	layout atomic.Pointer[layout] // of the rows, nil: not known yet
	change atomic.Bool            // another header came with other columns
}

// read takes up a line of a header. Rows of a file that is still being read keep their columns until another's #fields
// has come.
func (s *Stream) read(f *Finder, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.header == nil {
		h := zeek.NewHeader()
		s.header = &h
	}
	// A line that cannot be used is passed over: the offline tool tells of it.
	if changed, err := s.header.Read(line); err == nil && changed && len(s.header.Columns) > 0 {
		sameName := func(a, b zeek.Column) bool { return a.Name == b.Name }
		if before := s.layout.Load(); before != nil && !slices.EqualFunc(before.header.Columns, s.header.Columns, sameName) {
			s.change.Store(true)
		}
		s.layout.Store(f.layout(*s.header))
	}
}

// Changed tells whether the columns have become others since it was last asked. Of nil they have not.
func (s *Stream) Changed() bool { return s != nil && s.change.Load() && s.change.Swap(false) }

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

// Save returns the headers of all streams that have columns: tail goes on behind a header that it has read
// before a restart.
func (s *Streams) Save() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]savedHeader{}
	for tag, stream := range s.byTag {
		if l := stream.layout.Load(); l != nil {
			out[tag] = savedHeader(l.header)
		}
	}
	return json.Marshal(out)
}

// Restore takes up what Save returned, in this version or in one before.
func (f *Finder) Restore(streams *Streams, b []byte) error {
	var saved map[string]savedHeader
	if err := json.Unmarshal(b, &saved); err != nil {
		return err
	}
	for tag, h := range saved {
		if s := f.Of(streams, []byte(tag)); s != nil && len(h.Columns) > 0 && len(h.Separator) > 0 {
			header := zeek.Header(h)
			s.mu.Lock()
			s.header = &header
			s.layout.Store(f.layout(header))
			s.mu.Unlock()
		}
	}
	return nil
}

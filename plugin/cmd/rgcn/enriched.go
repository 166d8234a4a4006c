package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
)

// hitKey is the key under which a search server hands out a document.
const hitKey = "_source"

// enrichedReader reads records that a filter has enriched, with whatever settings: the names that field_style gives
// the added fields are recognised unless the settings name them, and documents as a search server hands them out,
// with the record under _source, are read like the record.
type enrichedReader struct {
	readers []*scoredReader  // in the order in which they are tried
	outer   *record.Walker   // over the records, for the first reader
	walkers []*record.Walker // over a single record, or the document in it, for each reader
	names   []string         // of the score, as each reader looks for it
	event   []byte           // the document in a record

	records, sessions, enriched int // read so far; sessions have a source and a destination
}

// newEnrichedReader is for settings that have been loaded to c.
func newEnrichedReader(s settings, c config.Config) (*enrichedReader, error) {
	fields := []config.Fields{c.Fields}
	if f := c.Fields; c.FieldStyle == "plain" && f.Score == "score" && f.LowScore == "low_score" && f.SourceAlert == "source_alert" {
		ecs := maps.Clone(s)
		ecs["field_style"] = "ecs"
		other, err := ecs.loadFields()
		if err != nil {
			return nil, err
		}
		fields = append(fields, other.Fields)
	}
	r := new(enrichedReader)
	for _, f := range fields {
		if len(f.Time) > 0 { // pipelines of search servers move the event's time there
			f.Time = append(slices.Clone(f.Time), "@timestamp")
		}
		reader, err := newScoredReader(f)
		if err != nil {
			return nil, err
		}
		r.readers, r.walkers, r.names = append(r.readers, reader), append(r.walkers, reader.NewWalker()), append(r.names, f.Score)
	}
	r.outer = r.readers[0].NewWalker()
	return r, nil
}

// each hands over every session of a chunk, good until the next one, and calls skip for each record that is none.
func (r *enrichedReader) each(chunk []byte, use func(*scored), skip func()) {
	r.outer.Reset(chunk)
	for r.outer.Next() {
		if r.outer.Event().Kind != record.Log {
			continue
		}
		r.records++
		s, ok := r.session()
		if !ok {
			skip()
			continue
		}
		r.sessions++
		if s.enriched {
			r.enriched++
		}
		use(&s)
	}
}

// session reads the record at which the outer walker is: by the first reader that finds the added fields, else as the
// first reader finds it.
func (r *enrichedReader) session() (scored, bool) {
	if s, ok := r.readers[0].session(r.outer); ok && s.enriched {
		return s, true
	}
	e := r.outer.Event()
	inner := false
	r.event, inner = r.outer.AppendInner(r.event[:0], e.Extent, hitKey)
	if inner {
		for i := range r.readers {
			if s, ok := r.read(i, r.event); ok && s.enriched {
				return s, true
			}
		}
	}
	for i := range r.readers[1:] {
		if s, ok := r.read(i+1, r.outer.Raw(e.Extent)); ok && s.enriched {
			return s, true
		}
	}
	return r.readers[0].session(r.outer) // once more: its buffers may have been used since
}

// read reads a single event by the reader at i.
func (r *enrichedReader) read(i int, event []byte) (s scored, ok bool) {
	w := r.walkers[i]
	w.Reset(event)
	if !w.Next() {
		return s, false
	}
	return r.readers[i].session(w)
}

// unscored tells why none of the records that were read has a score, and what to do; "" where they are enriched and
// there was no model yet.
func (r *enrichedReader) unscored(fields config.Fields) string {
	switch {
	case r.records == 0:
		return "no records"
	case r.sessions == 0:
		return fmt.Sprintf("none of %d records has a source and a destination%s: want the settings of the filter that wrote them, -config FILE or -preset NAME, or -set under=KEY if the fields lie under a key",
			r.records, wanted(fields))
	case r.enriched == 0:
		return fmt.Sprintf("none of %d records has a score: looked for %s; 'rgcn replay' or the filter add it. If the filter's settings give it another name, want -config FILE or -set score=NAME -set low_score=NAME",
			r.records, strings.Join(r.names, " and "))
	}
	return ""
}

// wanted says where a source and a destination are looked for.
func wanted(f config.Fields) string {
	if f.SSHD {
		return " in a line of sshd"
	}
	text := func(keys [][]string) string {
		var parts []string
		for _, alternatives := range keys {
			parts = append(parts, strings.Join(alternatives, " or "))
		}
		return strings.Join(parts, " and ")
	}
	under := ""
	if f.Under != "" {
		under = " under " + f.Under
	}
	return fmt.Sprintf(" (%s; %s)%s", text(f.Source), text(f.Destination), under)
}

package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/triplet"
)

// reading is what is read in one chain of pages.
type reading struct {
	m        *mapped
	has      probed
	from, to int64 // unix nanoseconds
	interval int64 // of the histogram, in milliseconds
	slice    graphbuf.Slice
	skip     func(source, relation, destination []byte, at int64) bool
	low      func(source, relation, destination []byte, at int64) // takes the triplets in the graph's place, unless nil
	most     uint64                                               // buckets to read, 0: all

	documents, bound uint64 // that came, and how many may before they are counted anew
}

// page is memory for the names of a page.
type page struct {
	buffer    triplet.Buffer
	values    [][]byte
	names     []byte
	sightings []graphbuf.Sighting
}

type pageAnswer struct {
	completeness
	Aggregations struct {
		Triplets struct {
			After   json.RawMessage `json:"after_key"`
			Buckets []bucket        `json:"buckets"`
		} `json:"triplets"`
	} `json:"aggregations"`
}

// bucket is a triplet in an interval.
type bucket struct {
	Key   map[string]any `json:"key"`
	Count uint64         `json:"doc_count"`
	First value          `json:"a"`
	Last  value          `json:"z"`
}

// combinations is how many buckets one document may lie in: where fields are lists, one for each combination of their
// values.
const combinations = 100

// timeSource is the name of the histogram among the sources; the others have numbers.
const timeSource = "t"

// sources are those of the composite aggregation: the histogram, then the alternatives of each part. wanted tells for
// each part the numbers of its sources, in their order.
func (r *reading) sources() (list []any, wanted [][]string) {
	list = append(list, map[string]any{timeSource: map[string]any{"date_histogram": map[string]any{
		"field": r.m.time, "fixed_interval": strconv.FormatInt(r.interval, 10) + "ms", "order": "desc"}}})
	for i, part := range r.m.parts {
		var numbers []string
		for j, f := range part.names {
			if r.has.present[i]&(1<<j) == 0 {
				continue
			}
			number := strconv.Itoa(len(list) - 1)
			numbers = append(numbers, number)
			list = append(list, map[string]any{number: map[string]any{"terms": map[string]any{"field": f.name, "missing_bucket": true}}})
			if r.has.all[i]&(1<<j) != 0 {
				break // no document needs another alternative
			}
		}
		wanted = append(wanted, numbers)
	}
	return list, wanted
}

// read reads a stretch of time page by page into the graph.
func (s *Source) read(ctx context.Context, g *graphbuf.Graph, r *reading) error {
	list, wanted := r.sources()
	size, n := s.pageSize, uint64(0)
	var after json.RawMessage
	r.bound = s.bound(r.has.documents)
	for {
		composite := map[string]any{"size": size, "sources": list}
		if after != nil {
			composite["after"] = after
		}
		a, err := search[pageAnswer](ctx, s, map[string]any{"track_total_hits": false, "query": s.within(r.m, milliseconds(r.from), milliseconds(r.to)),
			"aggs": map[string]any{"triplets": map[string]any{"composite": composite, "aggs": map[string]any{
				"a": map[string]any{"min": map[string]any{"field": r.m.time}}, "z": map[string]any{"max": map[string]any{"field": r.m.time}}}}}})
		if e := (*Error)(nil); errors.As(err, &e) && e.fewer && size > leastPageSize {
			size = max(size/2, leastPageSize)
			continue
		}
		if err != nil {
			return err
		}
		t := &a.Aggregations.Triplets
		if err := s.advances(ctx, r, after, t.After, t.Buckets); err != nil {
			return err
		}
		if err := s.take(g, r, wanted, t.Buckets); err != nil {
			return err
		}
		n += uint64(len(t.Buckets))
		if after = t.After; after == nil || len(t.Buckets) < size || r.most > 0 && n >= r.most {
			return nil
		}
	}
}

// bound is how many documents the buckets of a stretch may have that has so many. A page more is for what came since.
func (s *Source) bound(documents uint64) uint64 {
	return min(documents, math.MaxUint64/(2*combinations))*combinations + uint64(s.pageSize)
}

// advances returns why a page does not lead on to an end: its key does not lie behind that of the page before, or the
// pages have more documents than the stretch has. A server that is wrong about either could go on for ever.
func (s *Source) advances(ctx context.Context, r *reading, before, after json.RawMessage, buckets []bucket) error {
	if before != nil && after != nil {
		old, _ := timeOf(before)
		at, ok := timeOf(after)
		if !ok || at > old || bytes.Equal(after, before) { // the histogram is in descending order
			return failure(Other, "%s gives a page that ends at %s, the page before ended at %s: its pages do not advance", s.server.Host(),
				printable.Name(string(after), 200), printable.Name(string(before), 200))
		}
	}
	for i := range buckets {
		if r.documents += buckets[i].Count; r.documents < buckets[i].Count {
			r.documents = math.MaxUint64
		}
	}
	if r.documents <= r.bound {
		return nil
	}
	now, err := s.probe(ctx, r.m, r.from, r.to, false) // an index may grow while it is read
	if err != nil {
		return err
	}
	if r.bound = s.bound(now.documents); r.documents > r.bound {
		return failure(Other, "%s gives buckets of %d documents of a time in which it counts %d", s.server.Host(), r.documents, now.documents)
	}
	return nil
}

// timeOf is the time in the key of a bucket, in milliseconds.
func timeOf(key json.RawMessage) (ms float64, ok bool) {
	var values map[string]any
	if json.Unmarshal(key, &values) != nil {
		return 0, false
	}
	ms, ok = values[timeSource].(float64)
	return ms, ok
}

// times are those of a bucket in unix nanoseconds, and whether they are in the stretch.
func (r *reading) times(first, last float64) (from, to int64, ok bool) {
	if first < float64(milliseconds(r.from)) || first > last || last >= float64(milliseconds(r.to)) {
		return 0, 0, false
	}
	return int64(first) * millisecond, int64(last) * millisecond, true
}

// take has the graph merge a page.
func (s *Source) take(g *graphbuf.Graph, r *reading, wanted [][]string, buckets []bucket) error {
	p := &s.page
	p.names, p.sightings = p.names[:0], p.sightings[:0]
	keep := func(name []byte) []byte {
		start := len(p.names)
		p.names = append(p.names, name...)
		return p.names[start:len(p.names):len(p.names)]
	}
	for i := range buckets {
		b := &buckets[i]
		if b.First.Value == nil || b.Last.Value == nil || b.Count == 0 {
			return failure(Other, "%s gives a bucket without a time, or without documents", s.server.Host())
		}
		// A time that was not asked for would set the graph's clock.
		first, last, ok := r.times(*b.First.Value, *b.Last.Value)
		if !ok {
			return failure(Other, "%s gives a bucket from %.0f to %.0f ms since 1970, and was asked for %d to %d", s.server.Host(),
				*b.First.Value, *b.Last.Value, milliseconds(r.from), milliseconds(r.to))
		}
		if r.low == nil {
			s.report.Buckets++
			s.report.Documents += b.Count
		}
		p.values = p.values[:0]
		for _, numbers := range wanted {
			p.values = append(p.values, valueOf(b.Key, numbers))
		}
		found, verdict := s.finder.Find(&p.buffer, nil, p.values)
		if verdict != triplet.Found || r.skip != nil && r.skip(found.Source, found.Relation, found.Destination, last) {
			if r.low == nil {
				s.report.Left += b.Count
			}
			continue
		}
		if r.low != nil {
			r.low(found.Source, found.Relation, found.Destination, first)
			continue
		}
		p.sightings = append(p.sightings, graphbuf.Sighting{
			Source: keep(found.Source), Relation: keep(found.Relation), Destination: keep(found.Destination),
			Count: uint32(min(b.Count, math.MaxUint32)), First: first, Last: last,
		})
	}
	if len(p.sightings) > 0 {
		s.report.Added += g.Merge(r.slice, p.sightings)
	}
	return nil
}

// valueOf is the first of the alternatives that has a value, else what stands for none in the first that has that.
func valueOf(key map[string]any, numbers []string) (none []byte) {
	for _, n := range numbers {
		switch v := key[n].(type) {
		case string:
			if v != "" && !slices.Contains(blank, v) {
				return []byte(v)
			}
			if len(none) == 0 && v != "" {
				none = []byte(v)
			}
		case json.Number:
			return []byte(v)
		case bool:
			return strconv.AppendBool(nil, v)
		}
	}
	return none
}

// blank are the texts that stand for no value.
var blank = triplet.Blank()

package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"flb-filter-rgcn/graphbuf"
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
		if err := s.take(g, r, wanted, t.Buckets); err != nil {
			return err
		}
		n += uint64(len(t.Buckets))
		if after = t.After; after == nil || len(t.Buckets) < size || r.most > 0 && n >= r.most {
			return nil
		}
	}
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

// valueOf is the first of the alternatives that has a value.
func valueOf(key map[string]any, numbers []string) []byte {
	for _, n := range numbers {
		switch v := key[n].(type) {
		case string:
			if v != "" {
				return []byte(v)
			}
		case json.Number:
			return []byte(v)
		case bool:
			return strconv.AppendBool(nil, v)
		}
	}
	return nil
}

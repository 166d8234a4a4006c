package elastic

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Report is what a pull did.
type Report struct {
	Documents uint64        `json:"documents"` // that the aggregations went over
	Buckets   uint64        `json:"buckets"`   // of a triplet and a stretch of time, that were read
	Added     uint64        `json:"added"`     // events that the graph did not have
	Left      uint64        `json:"left_out"`  // documents without a source or a destination, or that Skip left out
	Requests  uint64        `json:"requests"`
	Bytes     uint64        `json:"bytes"` // of answers, decompressed
	Took      time.Duration `json:"-"`
	Cluster   time.Duration `json:"-"` // of it, what the server says that its aggregations took
	NoLow     bool          `json:"-"` // Options.Low is told nothing, since the index has no field of low scores
	Whole     bool          `json:"-"` // the whole window was read, and not only what came since
	Now       int64         `json:"-"` // up to when, unix nanoseconds
}

// Options are of one pull.
type Options struct {
	Now      int64                                                     // of a live graph, unix nanoseconds
	Skip     func(source, relation, destination []byte, at int64) bool // nil: nothing is left out
	Progress func(documents, of uint64)                                // nil: nobody wants to know

	// Low, unless nil, is told after all that is read which triplets other agents gave a low score since LowSince, unix
	// nanoseconds, and when each first had one: the latest of them, mostLow at most.
	Low      func(source, relation, destination []byte, at int64)
	LowSince int64
}

// farFuture is how far ahead of now a document may lie, as a record may.
const farFuture = int64(24 * time.Hour)

const millisecond = int64(time.Millisecond)

// Pull reads what the graph has not seen yet: the whole window at first, what came since afterwards. The graph takes
// records meanwhile. On an error, and when ctx ends, the graph has a part of what was read, and the next pull counts
// none of it twice.
func (s *Source) Pull(ctx context.Context, g *graphbuf.Graph, o Options) (Report, error) {
	began := time.Now()
	s.report = Report{}
	var err error
	if s.failed { // a password or a certificate may have been changed
		err = s.open()
	}
	if err == nil {
		err = s.pull(ctx, g, &o)
	}
	s.failed = err != nil
	s.report.Took = time.Since(began)
	return s.report, err
}

func (s *Source) pull(ctx context.Context, g *graphbuf.Graph, o *Options) error {
	m, err := s.resolve(ctx)
	if err != nil {
		return err
	}
	now, limit, err := s.upTo(ctx, &m, g, o)
	if err != nil || now == 0 {
		return err
	}
	s.report.Now = now
	g.BeginSlices(now)
	pieces, documents := s.pieces(g, now, limit), uint64(0)
	for i := range pieces {
		p := &pieces[i]
		if p.has, err = s.probe(ctx, &m, p.from, p.to, true); err != nil {
			return err
		}
		documents += p.has.documents
	}
	if o.Progress != nil {
		o.Progress(0, documents)
	}
	done := uint64(0)
	for i := range pieces {
		g.BeginReading()
		err := s.readPiece(ctx, g, &m, &pieces[i], o.Skip, func(n uint64) {
			if done += n; o.Progress != nil {
				o.Progress(done, documents)
			}
		})
		if err != nil {
			return err
		}
	}
	g.EndReading(now)
	if o.Low == nil {
		return nil
	}
	return s.readLow(ctx, &m, o, now, limit)
}

// upTo is what time it is, and before which time documents count, both in unix nanoseconds: by the clock of a live graph,
// else by the newest document, 0 where there is none, or none that is new.
func (s *Source) upTo(ctx context.Context, m *mapped, g *graphbuf.Graph, o *Options) (now, limit int64, err error) {
	if s.cfg.Live {
		return o.Now, o.Now + farFuture, nil
	}
	from := int64(math.MinInt64)
	if slices, begun, _ := g.Slices(); begun {
		from = slices.Overlap
	}
	all, err := s.probe(ctx, m, from, time.Now().UnixNano()+farFuture, false)
	if err != nil || all.documents == 0 {
		return 0, 0, err
	}
	return all.last, all.last + millisecond, nil
}

// piece is the part of a slice that is read.
type piece struct {
	slice    graphbuf.Slice
	from, to int64 // unix nanoseconds
	has      probed
}

// pieces are those that a pull reads. What is over is one of them until it was read once.
func (s *Source) pieces(g *graphbuf.Graph, now, limit int64) (all []piece) {
	slices, _, complete := g.Slices()
	if s.report.Whole = !complete; s.report.Whole {
		from := int64(math.MinInt64)
		if s.cfg.Window > 0 {
			from = now - int64(s.cfg.Window)
		}
		all = append(all, piece{slice: graphbuf.Over, from: from, to: slices.Overlap})
	}
	return append(all,
		piece{slice: graphbuf.Overlap, from: slices.Overlap, to: slices.Open},
		piece{slice: graphbuf.Open, from: slices.Open, to: max(limit, slices.Open+millisecond)})
}

// readPiece reads a piece into the graph, in stretches that are planned beforehand.
func (s *Source) readPiece(ctx context.Context, g *graphbuf.Graph, m *mapped, p *piece, skip func(source, relation, destination []byte, at int64) bool, done func(documents uint64)) error {
	if p.has.documents == 0 {
		return nil
	}
	interval := 2 * int64(g.BucketFor(p.has.first, p.has.last)) / millisecond
	plan, err := s.plan(ctx, m, p.from, p.to, p.has, interval)
	if err != nil {
		return err
	}
	for _, x := range plan {
		has := p.has
		has.documents = x.documents
		r := reading{m: m, has: has, from: x.from, to: x.to, interval: interval, slice: p.slice, skip: skip}
		if err := s.read(ctx, g, &r); err != nil {
			return err
		}
		done(x.documents)
	}
	return nil
}

// probed is what is known of a stretch of time before it is read.
type probed struct {
	documents   uint64
	first, last int64    // unix nanoseconds
	present     []int    // for each part of the names: a bit for each alternative that some documents have
	all         []int    // and for each that all have
	most        []uint64 // documents that have one of its alternatives, at least
}

type total struct {
	Value uint64 `json:"value"`
}

// value is that of an aggregation to one number; nil where there was nothing.
type value struct {
	Value *float64 `json:"value"`
	Count uint64   `json:"doc_count"`
}

type probeAnswer struct {
	completeness
	Hits struct {
		Total total `json:"total"`
	} `json:"hits"`
	Aggregations map[string]value `json:"aggregations"`
}

// milliseconds are those of a time in nanoseconds, rounded up: a document of a whole millisecond lies behind a time if
// and only if it lies behind it in milliseconds.
func milliseconds(ns int64) int64 {
	ms := ns / millisecond
	if ns > ms*millisecond {
		ms++
	}
	return max(ms, 0)
}

// probe asks what is there between two times.
func (s *Source) probe(ctx context.Context, m *mapped, from, to int64, fields bool) (p probed, err error) {
	aggs := map[string]any{
		"first": map[string]any{"min": map[string]any{"field": m.time}},
		"last":  map[string]any{"max": map[string]any{"field": m.time}},
	}
	name := func(part, alternative int) string { return fmt.Sprintf("f%d_%d", part, alternative) }
	for i, part := range m.parts {
		for j, f := range part.names {
			if !fields {
				break
			}
			has := map[string]any{"filter": map[string]any{"exists": map[string]any{"field": f.name}}}
			if f.keyword {
				has = map[string]any{"filter": map[string]any{"bool": map[string]any{"filter": has["filter"], "must_not": map[string]any{"terms": map[string]any{f.name: append([]string{""}, blank...)}}}}}
			}
			aggs[name(i, j)] = has
		}
	}
	a, err := search[probeAnswer](ctx, s, map[string]any{"track_total_hits": true, "query": s.within(m, milliseconds(from), milliseconds(to)), "aggs": aggs})
	if err != nil {
		return p, err
	}
	p.documents = a.Hits.Total.Value
	if first, last := a.Aggregations["first"].Value, a.Aggregations["last"].Value; p.documents > 0 && (first == nil || last == nil) {
		return p, failure(Other, "%s counts %d documents and tells no time of any", s.server.Host(), p.documents)
	} else if first != nil && last != nil {
		r := reading{from: from, to: to}
		if _, _, ok := r.times(*first, *last); !ok {
			return p, failure(Other, "%s tells of documents from %.0f to %.0f ms since 1970, and was asked for %d to %d", s.server.Host(),
				*first, *last, milliseconds(from), milliseconds(to))
		}
		p.first, p.last = int64(*first)*millisecond, int64(*last)*millisecond
	}
	for i, part := range m.parts {
		present, all, most := 0, 0, uint64(0)
		for j := range part.names {
			if n := a.Aggregations[name(i, j)].Count; n > 0 {
				present |= 1 << j
				most = max(most, n)
				if n == p.documents {
					all |= 1 << j
				}
			}
		}
		p.present, p.all, p.most = append(p.present, present), append(p.all, all), append(p.most, most)
	}
	return p, nil
}

// planned is a stretch of time that is read in one chain of pages.
type planned struct {
	from, to  int64 // unix nanoseconds
	documents uint64
}

type histogramAnswer struct {
	completeness
	Aggregations struct {
		Time struct {
			Buckets []struct {
				Key   float64 `json:"key"`
				Count uint64  `json:"doc_count"`
			} `json:"buckets"`
		} `json:"time"`
	} `json:"aggregations"`
}

// plan cuts a stretch of time into some that have so many documents each, at the histogram's boundaries, the latest
// first.
func (s *Source) plan(ctx context.Context, m *mapped, from, to int64, has probed, interval int64) (out []planned, err error) {
	if has.documents <= s.stretch {
		return []planned{{from, to, has.documents}}, nil
	}
	a, err := search[histogramAnswer](ctx, s, map[string]any{"track_total_hits": false, "query": s.within(m, milliseconds(from), milliseconds(to)),
		"aggs": map[string]any{"time": map[string]any{"date_histogram": map[string]any{"field": m.time, "fixed_interval": strconv.FormatInt(interval, 10) + "ms", "min_doc_count": 1}}}})
	if err != nil {
		return nil, err
	}
	buckets := a.Aggregations.Time.Buckets
	end, n := to, uint64(0)
	for i := len(buckets) - 1; i >= 0; i-- {
		n += buckets[i].Count
		begin := int64(buckets[i].Key) * millisecond
		if i == 0 {
			begin = from
		}
		if n >= s.stretch || i == 0 {
			out = append(out, planned{max(begin, from), end, n})
			end, n = begin, 0
		}
	}
	return out, nil
}

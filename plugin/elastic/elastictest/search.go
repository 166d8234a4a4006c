package elastictest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const mostBuckets = 65535

// object is JSON that is taken apart key by key; whoever has done so asks for what is left.
type object map[string]any

func (o object) take(key string) any {
	v := o[key]
	delete(o, key)
	return v
}

func (o object) object(key string) object {
	v, ok := o.take(key).(map[string]any)
	if !ok {
		refuse("[%s] is no object", key)
	}
	return v
}

func (o object) text(key string) string {
	v, ok := o.take(key).(string)
	if !ok {
		refuse("[%s] is no text", key)
	}
	return v
}

func (o object) end(what string) {
	if len(o) > 0 {
		refuse("%s: unknown %v", what, slices.Sorted(maps.Keys(o)))
	}
}

// one is the only key of an object, and its value.
func (o object) one() (string, object) {
	if len(o) != 1 {
		refuse("want one key, got %v", slices.Sorted(maps.Keys(o)))
	}
	for k := range o {
		return k, o.object(k)
	}
	return "", nil
}

func (s *Server) search(documents []Document, body json.RawMessage) any {
	var o object
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		refuse("%v", err)
	}
	if o.take("size") != json.Number("0") {
		refuse("size is not 0")
	}
	o.take("timeout")
	track, query, aggs := o.take("track_total_hits"), o.object("query"), o.object("aggs")
	o.end("the search")
	match := s.query(query)
	documents = slices.DeleteFunc(slices.Clone(documents), func(d Document) bool { return !match(&d) })
	shards := max(s.Shards, 1)
	out := map[string]any{"took": 1, "timed_out": false, "_shards": map[string]any{"total": shards, "successful": shards, "failed": 0}}
	if track == true {
		out["hits"] = map[string]any{"total": map[string]any{"value": len(documents), "relation": "eq"}}
	}
	out["aggregations"] = s.aggregate(documents, aggs)
	return out
}

// query makes a predicate of a query.
func (s *Server) query(q object) func(*Document) bool {
	kind, o := q.one()
	switch kind {
	case "match_all":
		o.end(kind)
		return func(*Document) bool { return true }
	case "bool":
		all, none := s.queries(o.take("filter")), s.queries(o.take("must_not"))
		o.end(kind)
		return func(d *Document) bool {
			for _, match := range all {
				if !match(d) {
					return false
				}
			}
			for _, match := range none {
				if match(d) {
					return false
				}
			}
			return true
		}
	case "range":
		name, limits := o.one()
		if name != "@timestamp" || limits.text("format") != "epoch_millis" {
			refuse("range over %s", name)
		}
		from, to := int64(-1<<62), int64(1<<62)
		if v, ok := limits.take("gte").(json.Number); ok {
			from, _ = v.Int64()
		}
		if v, ok := limits.take("lt").(json.Number); ok {
			to, _ = v.Int64()
		}
		limits.end(kind)
		return func(d *Document) bool { ms := d.Time.UnixMilli(); return ms >= from && ms < to }
	case "exists":
		name := o.text("field")
		o.end(kind)
		return func(d *Document) bool { return d.Fields[name] != nil }
	case "term":
		for name, v := range o {
			return func(d *Document) bool { return d.Fields[name] != nil && fmt.Sprint(d.Fields[name]) == fmt.Sprint(v) }
		}
	case "terms":
		for name, v := range o {
			list, _ := v.([]any)
			for _, v := range list {
				if s.Types[name] == "boolean" && v != "true" && v != "false" {
					refuse("Failed to parse value [%v] as only [true] or [false] are allowed.", v)
				}
			}
			return func(d *Document) bool {
				return d.Fields[name] != nil && slices.ContainsFunc(list, func(v any) bool { return fmt.Sprint(v) == fmt.Sprint(d.Fields[name]) })
			}
		}
	}
	refuse("no query [%s]", kind)
	return nil
}

func (s *Server) queries(v any) (out []func(*Document) bool) {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	for _, q := range list {
		o, _ := q.(map[string]any)
		out = append(out, s.query(o))
	}
	return out
}

func (s *Server) aggregate(documents []Document, aggs object) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(aggs)) {
		a := aggs.object(name)
		var below object
		if a["aggs"] != nil {
			below = a.object("aggs")
		}
		kind, o := a.one()
		switch kind {
		case "min", "max":
			out[name] = extreme(documents, kind, o)
		case "filter":
			match, n := s.query(o), 0
			for i := range documents {
				if match(&documents[i]) {
					n++
				}
			}
			out[name] = map[string]any{"doc_count": n}
		case "date_histogram":
			out[name] = histogram(documents, o)
		case "composite":
			out[name] = s.composite(documents, o, below)
		default:
			refuse("no aggregation [%s]", kind)
		}
	}
	return out
}

func extreme(documents []Document, kind string, o object) any {
	if o.text("field") != "@timestamp" {
		refuse("%s of another field than the time", kind)
	}
	o.end(kind)
	if len(documents) == 0 {
		return map[string]any{"value": nil}
	}
	at := documents[0].Time.UnixMilli()
	for _, d := range documents {
		if ms := d.Time.UnixMilli(); (kind == "min") == (ms < at) {
			at = ms
		}
	}
	return map[string]any{"value": float64(at)}
}

// interval reads one of milliseconds.
func interval(o object) int64 {
	text, ok := strings.CutSuffix(o.text("fixed_interval"), "ms")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 1 {
		refuse("fixed_interval %s", text)
	}
	return n
}

func floor(ms, step int64) int64 { return ms - (ms%step+step)%step }

func histogram(documents []Document, o object) any {
	step := interval(o)
	if o.text("field") != "@timestamp" || o.take("min_doc_count") != json.Number("1") {
		refuse("date_histogram of another field than the time, or with empty buckets")
	}
	o.end("date_histogram")
	counts := map[int64]int{}
	for _, d := range documents {
		counts[floor(d.Time.UnixMilli(), step)]++
	}
	buckets := []any{}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		buckets = append(buckets, map[string]any{"key": key, "doc_count": counts[key]})
	}
	return map[string]any{"buckets": buckets}
}

// source is one of a composite aggregation.
type source struct {
	name, field string
	step        int64 // of a histogram, 0: terms
	missing     bool  // documents without a value have a bucket
	sign        int   // -1: descending
}

func readSource(v any) (s source) {
	o, _ := v.(map[string]any)
	var kinds object
	s.name, kinds = object(o).one()
	kind, a := kinds.one()
	s.field, s.sign = a.text("field"), 1
	switch kind {
	case "terms":
		s.missing = a.take("missing_bucket") == true
	case "date_histogram":
		s.step = interval(a)
		if s.field != "@timestamp" {
			refuse("date_histogram of another field than the time")
		}
	default:
		refuse("no source [%s]", kind)
	}
	if a.take("order") == "desc" {
		s.sign = -1
	}
	a.end(kind)
	return s
}

// of is a document's value, nil where it has none.
func (s *source) of(d *Document) any {
	if s.step > 0 {
		return float64(floor(d.Time.UnixMilli(), s.step))
	}
	return d.Fields[s.field]
}

// compare has a missing value first in ascending order.
func compare(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(btoi(a != nil), btoi(b != nil))
	}
	switch x := a.(type) {
	case float64:
		y, _ := b.(float64)
		return cmp.Compare(x, y)
	case bool:
		y, _ := b.(bool)
		return cmp.Compare(btoi(x), btoi(y))
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Server) composite(documents []Document, o object, below object) any {
	size, err := strconv.Atoi(fmt.Sprint(o.take("size")))
	if err != nil || size < 1 {
		refuse("size of a composite aggregation")
	}
	if size > mostBuckets {
		panic(refusal{http.StatusBadRequest, "too_many_buckets_exception", fmt.Sprintf("Trying to create too many buckets. Must be less than or equal to: [%d]", mostBuckets)})
	}
	list, _ := o.take("sources").([]any)
	var sources []source
	for _, v := range list {
		sources = append(sources, readSource(v))
	}
	var after []any
	if v, ok := o.take("after").(map[string]any); ok {
		for _, s := range sources {
			value, there := v[s.name]
			if n, ok := value.(json.Number); ok {
				value, _ = n.Float64()
			}
			if !there {
				refuse("after has no [%s]", s.name)
			}
			after = append(after, value)
		}
	}
	o.end("composite")
	order := func(a, b []any) int {
		for i, s := range sources {
			if c := s.sign * compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	}
	type group struct {
		key       []any
		documents []Document
	}
	groups := map[string]*group{}
next:
	for i := range documents {
		var key []any
		for j := range sources {
			v := sources[j].of(&documents[i])
			if v == nil && !sources[j].missing {
				continue next
			}
			key = append(key, v)
		}
		if after != nil && order(key, after) <= 0 {
			continue
		}
		text := fmt.Sprintf("%#v", key)
		if groups[text] == nil {
			groups[text] = &group{key: key}
		}
		groups[text].documents = append(groups[text].documents, documents[i])
	}
	sorted := slices.SortedFunc(maps.Values(groups), func(a, b *group) int { return order(a.key, b.key) })
	sorted = sorted[:min(len(sorted), size)]
	buckets := []any{}
	out := map[string]any{}
	for _, g := range sorted {
		key := map[string]any{}
		for i, s := range sources {
			key[s.name] = g.key[i]
		}
		b := s.aggregate(g.documents, clone(below))
		b["key"], b["doc_count"] = key, len(g.documents)
		buckets = append(buckets, b)
		out["after_key"] = key
	}
	out["buckets"] = buckets
	return out
}

// clone copies an object and the objects in it, as reading takes them apart.
func clone(o object) object {
	out := object{}
	for k, v := range o {
		if m, ok := v.(map[string]any); ok {
			v = map[string]any(clone(m))
		}
		out[k] = v
	}
	return out
}

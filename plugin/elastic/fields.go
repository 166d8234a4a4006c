package elastic

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/printable"
)

// fields are those of the settings, as the index names them.
type fields struct {
	source, destination, relation []part
	times                         []string
	conditions                    []condition
}

// part is one value of a name: alternatives, of which the first that a document has counts.
type part struct{ names []string }

// condition is what documents have to fulfil.
type condition struct {
	name   string
	not    bool
	values []string
}

// mapped are the fields as an index has them.
type mapped struct {
	time       string
	parts      []mappedPart // of the source, the destination and the relation, in this order
	conditions []condition  // by fields that can be asked for
	low        bool         // the field of low scores is there, and a boolean
}

// mappedPart is a part as an index has it.
type mappedPart struct {
	of    string // the names, for people
	names []mappedField
}

type mappedField struct {
	name    string
	keyword bool // text, which may be empty
}

// usualTime is where an index has the time of a document, whatever the settings say of records.
const usualTime = "@timestamp"

// capability is what the server says of a field of one type.
type capability struct {
	Type         string `json:"type"`
	Aggregatable bool   `json:"aggregatable"`
}

// capabilities are what a server tells of fields.
type capabilities struct {
	Indices *[]string                        `json:"indices"`
	Fields  map[string]map[string]capability `json:"fields"`
}

// resolve asks the server for the types of the fields, and finds out which of them to aggregate.
func (s *Source) resolve(ctx context.Context) (m mapped, err error) {
	f := &s.fields
	parts := slices.Concat(f.source, f.destination, f.relation)
	ask := []string{usualTime}
	ask = append(ask, f.times...)
	for _, p := range parts {
		ask = append(ask, p.names...)
	}
	for _, c := range f.conditions {
		ask = append(ask, c.name)
	}
	if s.cfg.LowScore != "" {
		ask = append(ask, s.cfg.LowScore)
	}
	for _, name := range slices.Clone(ask) {
		ask = append(ask, name+".keyword")
	}
	slices.Sort(ask)
	ask = slices.Compact(ask)
	var caps capabilities
	path := "/" + url.PathEscape(s.index) + "/_field_caps?fields=" + url.QueryEscape(strings.Join(ask, ","))
	err = s.ask(ctx, http.MethodGet, path, nil, func(b []byte) error {
		if err := json.Unmarshal(b, &caps); err != nil {
			return s.stranger(b)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	if m, err = s.choose(&caps); err != nil {
		// Where shards are missing, a server tells of the fields of the other indices alone, and of no index where there is no
		// other. A search tells which it is.
		nothing := map[string]any{"bool": map[string]any{"filter": []any{}}}
		if _, whole := search[probeAnswer](ctx, s, map[string]any{"track_total_hits": false, "query": nothing}); whole != nil && KindOf(whole) == Partial {
			return m, whole
		}
	}
	return m, err
}

// choose finds out which fields to aggregate.
func (s *Source) choose(caps *capabilities) (m mapped, err error) {
	f := &s.fields
	parts := slices.Concat(f.source, f.destination, f.relation)
	if caps.Indices != nil && len(*caps.Indices) == 0 {
		return m, failure(NoIndex, "%s", s.noIndex())
	}
	for _, name := range append(slices.Clone(f.times), usualTime) {
		if types := caps.Fields[name]; len(types) > 0 && !slices.ContainsFunc(keys(types), func(t string) bool { return t != "date" && t != "date_nanos" && t != "unmapped" }) {
			m.time = name
			break
		}
	}
	_, m.low = caps.Fields[s.cfg.LowScore]["boolean"]
	if m.time == "" {
		return m, failure(Mapping, "%s has no field of type date among %s: name the time of documents in Time", s.index, strings.Join(append(slices.Clone(f.times), usualTime), ", "))
	}
	for i, p := range parts {
		out := mappedPart{of: strings.Join(p.names, " else ")}
		for _, name := range p.names {
			field, ok, err := s.aggregatable(caps.Fields, name)
			if err != nil {
				return m, err
			}
			if ok {
				out.names = append(out.names, field)
			}
		}
		relation := i >= len(f.source)+len(f.destination)
		if len(out.names) == 0 && !relation {
			return m, failure(Mapping, "%s has no field %s: set Preset, or Source and Destination, to what its documents have", s.index, out.of)
		}
		m.parts = append(m.parts, out)
	}
	for _, c := range f.conditions {
		field, ok, err := s.aggregatable(caps.Fields, c.name)
		if err != nil {
			return m, err
		}
		if !ok && !c.not {
			return m, failure(Mapping, "%s has no field %s, which Only asks for", s.index, c.name)
		}
		if ok {
			values := c.values
			if _, boolean := caps.Fields[c.name]["boolean"]; boolean { // it refuses a query for others
				values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "T" || v == "F" })
			}
			m.conditions = append(m.conditions, condition{field.name, c.not, values})
		}
	}
	return m, nil
}

func keys(m map[string]capability) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// notText are the types of which no value is empty. A server refuses a query for the empty text in such a field.
var notText = []string{
	"ip", "boolean", "date", "date_nanos",
	"long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float", "scaled_float",
}

// aggregatable is the field of a name, or its subfield keyword where it is text; false where there is neither.
func (s *Source) aggregatable(caps map[string]map[string]capability, name string) (f mappedField, ok bool, err error) {
	types := caps[name]
	all := slices.DeleteFunc(keys(types), func(t string) bool { return t == "unmapped" || t == "object" || t == "nested" })
	switch {
	case len(all) == 0:
		return f, false, nil
	case len(all) > 1:
		return f, false, failure(Mapping, "%s is of different types in the indices of %s (%s), which cannot be aggregated together: name those of one type",
			name, s.index, printable.Name(strings.Join(all, ", "), 80))
	}
	t := types[all[0]]
	if t.Aggregatable {
		return mappedField{name, !slices.Contains(notText, t.Type)}, true, nil
	}
	if sub, there := caps[name+".keyword"]["keyword"]; there && sub.Aggregatable {
		return mappedField{name + ".keyword", true}, true, nil
	}
	return f, false, failure(Mapping, "%s of %s is of type %s and has no subfield %s.keyword: it cannot be aggregated; map it as keyword, as conf/elasticsearch/index-template.json does",
		name, s.index, printable.Name(all[0], 40), name)
}

// filters are the parts of each query but for the range.
func (s *Source) filters(m *mapped) (filter, not []any) {
	for _, c := range m.conditions {
		terms := map[string]any{"terms": map[string]any{c.name: c.values}}
		if c.not {
			not = append(not, terms)
		} else {
			filter = append(filter, terms)
		}
	}
	if s.query != nil {
		filter = append(filter, s.query)
	}
	return filter, not
}

// within is the query for documents of a stretch of time, from and to in milliseconds since 1970, before which no
// document counts.
func (s *Source) within(m *mapped, from, to int64) map[string]any {
	filter, not := s.filters(m)
	limits := map[string]any{"format": "epoch_millis", "gte": from, "lt": to}
	filter = append(filter, map[string]any{"range": map[string]any{m.time: limits}})
	query := map[string]any{"filter": filter}
	if len(not) > 0 {
		query["must_not"] = not
	}
	return map[string]any{"bool": query}
}

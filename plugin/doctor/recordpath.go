package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/logfile"
	"flb-filter-rgcn/plugin/record"
)

// way is how the lines of a file become the records that reach a filter, as far as that can be followed without Fluent
// Bit.
type way struct {
	input   *hostconf.Section
	text    bool        // lines are passed unparsed, under a key
	key     string      // that key
	parser  *parser     // of the input; nil: none
	filters []keyParser // parser filters in front
	by      string      // the parsers that were followed, for the finding
	ignored []string    // the filters that were not followed
	lines   int         // that were read
	misfits int         // those that the input's parser does not take
	json    int         // those that look like JSON, and that no parser took
}

// keyParser is a filter that parses the text of a key.
type keyParser struct {
	key               string
	parsers           []*parser
	reserve, preserve bool
}

// feeding returns the inputs whose records may reach a filter.
func (e *examination) feeding(p *target) (out []*hostconf.Section) {
	if p.section.Parent != nil {
		return []*hostconf.Section{p.section.Parent}
	}
	takes, err := matcher(p.section.Value("match"), p.section.Value("match_regex"))
	if err != nil {
		return nil
	}
	inputs := e.conf.Of(hostconf.Input)
	for i, t := range e.tags() {
		if i >= len(inputs) { // set by a filter: any input may be its origin
			if takes(t) {
				return inputs
			}
		} else if takes(t) {
			out = append(out, inputs[i])
		}
	}
	return out
}

// way finds the way of a sample's lines to a filter.
func (e *examination) way(p *target, sample string) *way {
	if e.conf == nil {
		return &way{by: "as they stand in the file"}
	}
	var input *hostconf.Section
	feeding := e.feeding(p)
	for _, s := range feeding {
		if input == nil || reads(s, sample) {
			input = s
		}
	}
	if input == nil {
		return &way{by: "as they stand in the file, since no input feeds " + p.name}
	}
	w := &way{input: input, by: fmt.Sprintf("as input %s (%s) and what follows make them", input.Value("name"), input.At)}
	if input.Is("tail") {
		e.alongTail(w, input)
	}
	if p.section.Parent == nil {
		e.alongFilters(w, p)
	}
	return w
}

// reads tells whether an input names the file.
func reads(s *hostconf.Section, sample string) bool {
	sample, err := filepath.Abs(sample)
	if err != nil {
		return false
	}
	for pattern := range strings.SplitSeq(s.Value("path"), ",") {
		if ok, _ := filepath.Match(strings.TrimSpace(pattern), sample); ok {
			return true
		}
	}
	return false
}

func (e *examination) alongTail(w *way, input *hostconf.Section) {
	if name := input.Value("multiline.parser"); name != "" {
		w.ignored = append(w.ignored, "multiline.parser "+name)
		return
	}
	w.text, w.key = true, "log"
	if key := input.Value("key"); key != "" {
		w.key = key
	}
	if name := input.Value("parser"); name != "" {
		if s := e.parserNamed(name); s != nil {
			var err error
			if w.parser, err = newParser(s); err != nil {
				w.text = false
				w.ignored = append(w.ignored, err.Error())
			}
		}
	}
}

// alongFilters follows the parsers among the filters in front of the target, and names the others that take the same
// records.
func (e *examination) alongFilters(w *way, p *target) {
	for _, s := range e.conf.Of(hostconf.Filter) {
		if s == p.section {
			return
		}
		if !s.Active() || s.Is("rgcn") || s.Is("rewrite_tag") {
			continue
		}
		takes, err := matcher(s.Value("match"), s.Value("match_regex"))
		if err != nil || !slices.ContainsFunc(e.tags(), takes) {
			continue
		}
		if !s.Is("parser") {
			w.ignored = append(w.ignored, "filter "+s.Value("name"))
			continue
		}
		k := keyParser{key: s.Value("key_name"), reserve: on(s.Value("reserve_data")), preserve: on(s.Value("preserve_key"))}
		for _, x := range s.Properties {
			if x.Key != "parser" {
				continue
			}
			section := e.parserNamed(x.Value)
			if section == nil {
				continue
			}
			if parser, err := newParser(section); err != nil {
				w.ignored = append(w.ignored, err.Error())
			} else {
				k.parsers = append(k.parsers, parser)
			}
		}
		w.filters = append(w.filters, k)
	}
}

// options are how the file has to be read.
func (w *way) options(columns []string) logfile.Options {
	if w.text {
		return logfile.Options{Text: true}
	}
	return logfile.Options{Lines: true, Columns: columns}
}

// along turns an event as it was read into what reaches the filter.
func (w *way) along(event []byte) []byte {
	if !w.text && len(w.filters) == 0 {
		return event
	}
	body, err := record.Body(event)
	if err != nil {
		return event
	}
	at := time.Now().UnixNano()
	w.lines++
	if w.text {
		line, _ := body["log"].(string)
		body = map[string]any{w.key: line}
		raw := true
		if w.parser != nil {
			if parsed, its, ok := w.parser.parse(line); ok {
				body, raw = parsed, false
				if its != 0 {
					at = its
				}
			} else {
				w.misfits++
			}
		}
		if raw && strings.HasPrefix(strings.TrimSpace(line), "{") {
			w.json++
		}
	}
	for _, f := range w.filters {
		body, at = f.apply(body, at)
	}
	return eventOf(body, at)
}

func (k *keyParser) apply(body map[string]any, at int64) (map[string]any, int64) {
	text, ok := body[k.key].(string)
	if !ok {
		return body, at
	}
	for _, p := range k.parsers {
		parsed, its, ok := p.parse(text)
		if !ok {
			continue
		}
		if its != 0 {
			at = its
		}
		if k.reserve {
			for key, value := range body {
				if _, is := parsed[key]; !is && (key != k.key || k.preserve) {
					parsed[key] = value
				}
			}
		} else if k.preserve {
			parsed[k.key] = text
		}
		return parsed, at
	}
	return body, at
}

// eventOf makes an event of a body.
func eventOf(body map[string]any, at int64) []byte {
	event, err := msgp.AppendIntf(record.AppendHead(nil, time.Unix(0, at)), body)
	if err != nil { // of a value that no parser here makes
		return nil
	}
	return event
}

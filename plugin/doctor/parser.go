package doctor

import (
	"fmt"
	"regexp"
	"strings"

	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/logfile"
	"flb-filter-rgcn/plugin/record"
)

// parser makes a record of a text, as a parser of Fluent Bit does.
type parser struct {
	name     string
	json     bool
	regex    *regexp.Regexp // where not json
	timeKey  string
	timeKeep bool
}

// newParser makes a parser of its section. An error names what this package cannot follow.
func newParser(s *hostconf.Section) (*parser, error) {
	p := &parser{name: s.Value("name"), timeKey: s.Value("time_key"), timeKeep: on(s.Value("time_keep"))}
	switch format := strings.ToLower(s.Value("format")); format {
	case "json":
		p.json = true
	case "regex":
		text := s.Value("regex")
		if len(text) > 1 && text[0] == '/' && strings.HasSuffix(text, "/") {
			text = text[1 : len(text)-1]
		}
		x, err := regexp.Compile(text)
		if err != nil { // such as look-ahead, which Fluent Bit's own library knows
			return nil, fmt.Errorf("the expression of parser %s", p.name)
		}
		p.regex = x
	default:
		return nil, fmt.Errorf("the format %s of parser %s", format, p.name)
	}
	return p, nil
}

// parse returns the record of a text, and the time that the parser takes out of it, 0 for none; ok is false where the
// text does not fit.
func (p *parser) parse(text string) (body map[string]any, at int64, ok bool) {
	if p.json {
		var err error
		if body, err = logfile.Object([]byte(text)); err != nil {
			return nil, 0, false
		}
	} else {
		m := p.regex.FindStringSubmatch(text)
		if m == nil {
			return nil, 0, false
		}
		body = map[string]any{}
		for i, name := range p.regex.SubexpNames() {
			if name != "" && m[i] != "" {
				body[name] = m[i]
			}
		}
	}
	if value, is := body[p.timeKey].(string); is {
		at, _ = record.ParseTime([]byte(value))
		if !p.timeKeep {
			delete(body, p.timeKey)
		}
	}
	return body, at, true
}

// parsers reports parsers that are named but not defined.
func (e *examination) parsers() {
	if e.conf == nil {
		return
	}
	var have []string
	for _, kind := range []string{hostconf.Parser, "multiline_parser"} {
		for _, p := range e.conf.All(kind, "name") {
			have = append(have, p.Value)
		}
	}
	for _, kind := range []string{hostconf.Input, hostconf.Filter} {
		for _, s := range e.conf.Of(kind) {
			if kind == hostconf.Filter && !s.Is("parser") {
				continue
			}
			for _, p := range s.Properties {
				if p.Key == "parser" && p.Value != "" && e.parserNamed(p.Value) == nil {
					e.findings.add(Problem, TopicConfiguration, p.At.String(), fmt.Sprintf("there is no parser %s, so the lines stay as they are", p.Value), parserFix(have))
				}
			}
		}
	}
}

func parserFix(have []string) string {
	if len(have) == 0 {
		return "name a file of parsers in the section of the service: Parsers_File and its absolute path (conf/parsers.conf)"
	}
	return "name one of those that there are: " + strings.Join(have, ", ")
}

// parserNamed is the section of a parser, nil for none.
func (e *examination) parserNamed(name string) *hostconf.Section {
	for _, s := range e.conf.Of(hostconf.Parser) {
		if s.Value("name") == name {
			return s
		}
	}
	return nil
}

package doctor

import (
	"fmt"
	"path/filepath"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/logfile"
)

// remedy is the setting that most likely makes the filter understand the records: a parser for JSON that comes as text,
// what the filter says about one record, or the preset that understands most of them.
func (e *examination) remedy(p *target, file string, w *way, said string) string {
	if w.json > 0 && file != "-" {
		return e.parserRemedy(p, file, w)
	}
	if said != "" && said != filter.UsualRemedy {
		return said
	}
	if preset, n := e.bestPreset(file, func() *way { return e.way(p, file) }); n > 0 {
		return fmt.Sprintf("set Preset %s, which understands %d of them", preset, n)
	}
	switch c := &p.config.Fields; {
	case said != "":
		return said
	case len(c.Only) > 0:
		return "set Only to what these records have: it wants " + c.Conditions()
	}
	return "set Preset, or Source and Destination to the fields that hold the two hosts"
}

// parserRemedy is for lines of JSON that reach the filter as text.
func (e *examination) parserRemedy(p *target, file string, w *way) string {
	name, where := "json", " and, in the section of the service, Parsers_File with the absolute path of conf/parsers.conf"
	for _, s := range e.conf.Of(hostconf.Parser) {
		if strings.EqualFold(s.Value("format"), "json") {
			name, where = s.Value("name"), ""
			break
		}
	}
	fix := fmt.Sprintf("the lines are JSON: set Parser %s in the input (%s)%s", name, w.input.At, where)
	parsed := func() *way { return &way{filters: w.filters} }
	if e.understood(file, parsed(), p.config.Fields) > 0 {
		return fix
	}
	if preset, n := e.bestPreset(file, parsed); n > 0 {
		return fmt.Sprintf("%s, and Preset %s", fix, preset)
	}
	return fix + "; then run rgcn doctor again"
}

// bestPreset is the preset that understands most records of a sample, and how many those are.
func (e *examination) bestPreset(file string, along func() *way) (best string, most int) {
	for _, preset := range config.Presets() {
		c, err := config.Load(func(key string) (string, bool) { return preset, key == "preset" })
		if err != nil {
			continue
		}
		if n := e.understood(file, along(), c.Fields); n > most {
			best, most = preset, n
		}
	}
	return best, most
}

// understood is how many records of a sample have a source and a destination.
func (e *examination) understood(file string, w *way, fields config.Fields) int {
	if file == "-" { // it cannot be read again
		return 0
	}
	r, err := logfile.Open(file, w.options(e.Columns))
	if err != nil {
		return 0
	}
	defer r.Close()
	s, err := look(r, w, fields, func([]byte) {}, filepath.Base(file))
	if err != nil {
		return 0
	}
	return s.found
}

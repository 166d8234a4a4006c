// Package hostconf reads a configuration of Fluent Bit as Fluent Bit 5.1 does, to report on it: classic (.conf) and
// YAML, included files, files of parsers and of plugins, variables.
//
// It owns the two formats, what a variable stands for, and where each property was written. It never knows what a
// property means, and it starts nothing.
package hostconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/regularfile"
)

// The kinds of sections that a Config tells apart. Others keep the name that the file gives them, in lower case.
const (
	Service = "service"
	Input   = "input"
	Filter  = "filter"
	Output  = "output"
	Parser  = "parser"
)

// Config is the content of the files.
type Config struct {
	Path     string   // of the first file, absolute
	Files    []string // that were read, the first one included
	Sections []*Section
	Plugins  []Property // paths of shared objects, relative ones as they were written
	// Unset are the variables that are used and have neither a value nor a default: Fluent Bit puts nothing in their
	// place.
	Unset []Use
}

// Section is one section, or one processor of an input or an output.
type Section struct {
	Kind       string
	At         Place
	Properties []Property
	Parent     *Section   // of a processor: the section that it belongs to
	Number     int        // among the sections of its kind, from 0
	Processors []*Section // of an input or output, those for logs
}

// Property is a key and its value, with variables replaced. Of a value that is a list in YAML there is one for each
// item.
type Property struct {
	Key   string // in lower case, words with underscores between
	Value string
	Raw   string // the value before variables were replaced
	At    Place
}

// Place is a file and a line.
type Place struct {
	File string
	Line int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Use is where a variable is used.
type Use struct {
	Variable string
	At       Place
}

// Error is a mistake in a file that keeps Fluent Bit from reading it.
type Error struct {
	At   Place
	Text string
}

func (e *Error) Error() string { return e.At.String() + ": " + e.Text }

const (
	// mostFiles is how many files Fluent Bit reads of one configuration.
	mostFiles = 1000
	// mostBytes is far beyond any sensible file, and small enough to read whatever was named by mistake.
	mostBytes = 4 << 20
)

// Read reads the file at path and all that it names. getenv is os.LookupEnv but in tests. An error that is no *Error
// means that the file itself cannot be read.
func Read(path string, getenv func(string) (string, bool)) (*Config, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	r := &reader{config: &Config{Path: path}, env: newEnv(getenv)}
	if err := r.file(path, Place{}); err != nil {
		return nil, err
	}
	r.replace(r.config.Sections)
	if err := r.serviceFiles(); err != nil {
		return r.config, err
	}
	r.config.Unset = r.env.unset
	return r.config, nil
}

// reader is a Config under construction.
type reader struct {
	config *Config
	env    *env
	below  int // how deep in included files
}

// file reads one file, in the format that its name's ending tells. from is the place that names it.
func (r *reader) file(path string, from Place) error {
	if slices.Contains(r.config.Files, path) {
		return &Error{from, fmt.Sprintf("%s is included a second time", path)}
	}
	if len(r.config.Files) >= mostFiles {
		return &Error{from, fmt.Sprintf("more than %d files", mostFiles)}
	}
	text, err := regularfile.Read(path, mostBytes)
	if err != nil {
		if from.File == "" {
			return regularfile.Cause(err)
		}
		return &Error{from, fmt.Sprintf("cannot read %s: %v", path, regularfile.Cause(err))}
	}
	r.config.Files = append(r.config.Files, path)
	if isYAML(path) {
		return r.yaml(path, text)
	}
	return r.classic(path, text)
}

func isYAML(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return ending == ".yaml" || ending == ".yml"
}

// include reads what an include names, several files where it has a *. Relative paths begin in the directory of the
// including file or, in the classic format, of the first one.
func (r *reader) include(pattern, directory string, at Place) error {
	if r.below++; r.below > mostFiles {
		return &Error{at, "files that include each other"}
	}
	defer func() { r.below-- }()
	path := pattern
	if !filepath.IsAbs(path) {
		path = filepath.Join(directory, path)
	}
	if !strings.Contains(pattern, "*") {
		return r.file(path, at)
	}
	files, err := filepath.Glob(path)
	if err != nil || len(files) == 0 {
		return &Error{at, fmt.Sprintf("no file fits %s", path)}
	}
	for _, file := range files {
		if err := r.file(file, at); err != nil {
			return err
		}
	}
	return nil
}

// add appends a section.
func (r *reader) add(kind string, at Place) *Section {
	s := &Section{Kind: kind, At: at}
	for _, other := range r.config.Sections {
		if other.Kind == kind {
			s.Number++
		}
	}
	r.config.Sections = append(r.config.Sections, s)
	return s
}

// replace puts values in the place of variables, when all of them are known.
func (r *reader) replace(sections []*Section) {
	for _, s := range sections {
		for i := range s.Properties {
			p := &s.Properties[i]
			p.Value = r.env.replace(p.Raw, p.At)
		}
		r.replace(s.Processors)
	}
}

// serviceFiles reads the files of parsers and of plugins that the section of the service names.
func (r *reader) serviceFiles() error {
	for _, p := range r.config.All(Service, "parsers_file") {
		if err := r.aside(p); err != nil {
			return err
		}
	}
	for _, p := range r.config.All(Service, "plugins_file") {
		if err := r.aside(p); err != nil {
			return err
		}
	}
	return nil
}

// aside reads a file that the service names. Like Fluent Bit, it replaces no variables in it.
func (r *reader) aside(p Property) error {
	path := p.Value
	if _, err := os.Stat(path); err != nil && !filepath.IsAbs(path) { // Fluent Bit looks in its working directory first
		path = filepath.Join(filepath.Dir(r.config.Path), path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if slices.Contains(r.config.Files, path) {
		return nil
	}
	inner := &reader{config: &Config{Path: path}, env: newEnv(func(string) (string, bool) { return "", false })}
	if err := inner.file(path, p.At); err != nil {
		return err
	}
	for _, s := range inner.config.Sections {
		for i := range s.Properties {
			s.Properties[i].Value = s.Properties[i].Raw
		}
		if s.Kind != Parser && s.Kind != "multiline_parser" {
			continue
		}
		r.config.Sections = append(r.config.Sections, s)
	}
	r.config.Plugins = append(r.config.Plugins, inner.config.Plugins...)
	r.config.Files = append(r.config.Files, inner.config.Files...)
	return nil
}

// Of returns the sections of a kind, in their order.
func (c *Config) Of(kind string) (out []*Section) {
	for _, s := range c.Sections {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// All returns the properties of a name in all sections of a kind.
func (c *Config) All(kind, key string) (out []Property) {
	for _, s := range c.Of(kind) {
		for _, p := range s.Properties {
			if p.Key == key {
				out = append(out, p)
			}
		}
	}
	return out
}

// Get returns the value of a property; of several with one name it is the last one.
func (s *Section) Get(key string) (Property, bool) {
	for _, p := range slices.Backward(s.Properties) {
		if p.Key == key {
			return p, true
		}
	}
	return Property{}, false
}

// Value is the text of a property, "" where the section has none.
func (s *Section) Value(key string) string {
	p, _ := s.Get(key)
	return p.Value
}

// Is reports whether the section is of a plugin.
func (s *Section) Is(plugin string) bool { return strings.EqualFold(s.Value("name"), plugin) }

// Active reports whether Fluent Bit runs the section.
func (s *Section) Active() bool {
	value := s.Value("active")
	return !strings.EqualFold(value, "false") && value != "0"
}

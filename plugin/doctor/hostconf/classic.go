package hostconf

import (
	"path/filepath"
	"strings"
)

// classic reads the format of .conf files: a line [SECTION], and below it lines of a key, a space and a value, each
// indented alike.
func (r *reader) classic(path string, text []byte) error {
	var section *Section
	plugins := false
	indent := ""
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		at := Place{path, number}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		switch {
		case line == "" || line[0] == '#':
			continue
		case len(line) > len(atInclude) && strings.EqualFold(line[:len(atInclude)], atInclude):
			if err := r.include(strings.TrimSpace(line[len(atInclude):]), filepath.Dir(r.config.Path), at); err != nil {
				return err
			}
			continue
		case line[0] == '@' && len(line) > 3:
			r.meta(line[1:])
			continue
		case line[0] == '[':
			end := strings.IndexByte(line, ']')
			if end < 0 {
				return &Error{at, "a section needs a ] behind its name"}
			}
			section = r.add(kindOf(line[1:end]), at)
			plugins = section.Kind == "plugins"
			continue
		}
		if indent == "" {
			indent = line[:1+blanks(line[1:])]
			if len(indent) == len(line) {
				continue
			}
		}
		rest, ok := strings.CutPrefix(line, indent)
		more := blanks(rest)
		if !ok || more > 0 && more != len(indent) { // keys of a group are indented further
			if strings.TrimSpace(line) == "" {
				continue
			}
			return &Error{at, "is indented otherwise than the lines before"}
		}
		rest = rest[more:]
		if rest == "" || rest[0] == '#' {
			continue
		}
		if rest[0] == '[' { // a group, which holds no property of interest
			continue
		}
		key, value, ok := strings.Cut(rest, " ")
		value = strings.TrimSpace(value)
		switch {
		case !ok || value == "":
			return &Error{at, "the key " + shown(key) + " has no value; want a key, a space and a value"}
		case section == nil:
			return &Error{at, "the key " + shown(key) + " stands before any section"}
		case more > 0:
			continue
		}
		p := Property{Key: keyOf(key), Raw: value, At: at}
		section.Properties = append(section.Properties, p)
		if plugins && p.Key == "path" {
			p.Value = value
			r.config.Plugins = append(r.config.Plugins, p)
		}
	}
	return nil
}

// shown is a key for an error. Of KEY=VALUE, a mistake, it leaves out the value, which may be a password.
func shown(key string) string {
	if at := strings.IndexAny(key, "=:"); at >= 0 {
		key = key[:at]
	}
	return key
}

const atInclude = "@INCLUDE "

// meta carries out @SET name=value; Fluent Bit knows no other.
func (r *reader) meta(text string) {
	command, parameter, _ := strings.Cut(text, " ")
	if name, value, ok := strings.Cut(strings.TrimSpace(parameter), "="); ok && strings.EqualFold(command, "set") {
		r.env.set[name] = value
	}
}

// blanks counts the blanks at the start.
func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " \t")) }

// kindOf is the kind of a section's name in either format.
func kindOf(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "inputs", "filters", "outputs", "parsers", "multiline_parsers":
		return strings.TrimSuffix(name, "s")
	}
	return name
}

// keyOf is the form of a key for comparison: camel case, as in YAML, becomes words with underscores.
func keyOf(key string) string {
	if key == "" || key[0] < 'a' || key[0] > 'z' || strings.Contains(key, "_") {
		return strings.ToLower(key)
	}
	var out strings.Builder
	for _, c := range key {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteRune(c)
	}
	return strings.ToLower(out.String())
}

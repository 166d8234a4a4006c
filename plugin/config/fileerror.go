package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// syntaxError is an error of the TOML parser in this package's words, with the line that it is about.
func syntaxError(path, text string, err error) error {
	var e toml.ParseError
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, rest, ok := strings.Cut(e.Message, "Key '"); ok && strings.Contains(rest, "already") {
		name, _, _ := strings.Cut(rest, "' ")
		return fmt.Errorf("%s:%d: %s is set twice, want each key and section once", path, e.Position.Line, name)
	}
	number := e.Position.Line
	if strings.Contains(e.Message, "end table name") || strings.Contains(e.Message, "NULL bytes") {
		// In these errors the parser's line is the next one, or 1, while its offset is right.
		number = 1 + strings.Count(text[:min(e.Position.Start, len(text))], "\n")
	}
	lines := strings.Split(text, "\n")
	number = max(1, min(number, len(lines))) // at the end of a file it may be one off on either side
	line := withoutAddress(strings.TrimSpace(lines[number-1]))
	return fmt.Errorf("%s:%d: %s: %s; want key = value, with text and durations in quotes",
		path, number, show(line), e.Message)
}

func isSection(name string) bool {
	return slices.Contains(sections(), name)
}

// sections are the section names, in the order of the table.
func sections() []string {
	var names []string
	for i := range options {
		if s := options[i].Section; s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// unknown is the error for a key or a section that no option has, with the name that was probably meant.
func unknown(key toml.Key, isTable bool) string {
	if len(key) == 1 && isTable || len(key) == 2 && !isSection(key[0]) {
		section := toml.Key{key[0]}.String()
		if near := nearest(key[0], sections()); near != "" {
			return fmt.Sprintf("unknown section [%s]: did you mean [%s]?", section, near)
		}
		return fmt.Sprintf("unknown section [%s]: want %s", section, enumerate(sections()))
	}
	var names, siblings []string
	last := key[len(key)-1]
	for i := range options {
		o := &options[i]
		if o.Key == last { // right key, wrong section
			return fmt.Sprintf("unknown key %s: did you mean %s?", key, o.Name())
		}
		names = append(names, o.Name())
		if len(key) == 1 && o.Section == "" || len(key) == 2 && o.Section == key[0] {
			siblings = append(siblings, o.Key)
		}
	}
	if near := nearest(strings.Join(key, "."), names); near != "" {
		return fmt.Sprintf("unknown key %s: did you mean %s?", key, near)
	}
	if len(key) == 1 {
		return fmt.Sprintf("unknown key %s: want %s, or a section of %s", key, enumerate(siblings), enumerate(sections()))
	}
	return fmt.Sprintf("unknown key %s: want %s", key, enumerate(siblings))
}

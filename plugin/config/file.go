package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFileSize is far beyond any sensible file, and small enough to read whatever was named by mistake.
const maxFileSize = 1 << 20

func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return "", errors.New("is a directory, want a TOML file")
	}
	if err == nil && !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return "", errors.New("is not a regular file, want a TOML file")
	}
	var text []byte
	if err == nil {
		text, err = readAtMost(path, maxFileSize+1)
	}
	if cause := (*fs.PathError)(nil); errors.As(err, &cause) {
		err = cause.Err // the path is named already
	}
	if err != nil {
		return "", fmt.Errorf("%w, want a readable TOML file", err)
	}
	if len(text) > maxFileSize {
		return "", fmt.Errorf("is larger than %d bytes, want a TOML file", maxFileSize)
	}
	return string(text), nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// file applies the text of a TOML file, whose keys are taken in the order in which they stand.
func (l *loader) file(path, text string) error {
	var top map[string]toml.Primitive
	meta, err := toml.Decode(text, &top)
	if err != nil {
		return syntaxError(path, text, err)
	}
	for _, key := range meta.Keys() {
		where := fmt.Sprintf("%s:%d: ", path, lineOf(&meta, descend(&meta, top, key)))
		key = key[:min(len(key), 2)] // deeper ones are below a key that is about to be refused
		table := meta.Type(key...) == "Hash"
		if len(key) == 1 && isSection(key[0]) {
			if !table {
				return fmt.Errorf("%s%s is a section, want [%s] and its keys on the lines below", where, key[0], key[0])
			}
			continue
		}
		o, known := lookup(strings.Join(key, "."))
		if !known {
			return errors.New(where + unknown(key, table))
		}
		var value any
		if err := meta.PrimitiveDecode(descend(&meta, top, key), &value); err != nil {
			return fmt.Errorf("%s%s: %w", where, o.Name(), err)
		}
		if !o.set(&l.config, value) {
			return o.refuse(where+o.Name(), value)
		}
		l.origin[o.Name()] = where + o.Name()
	}
	return nil
}

// descend finds the value of a key. The keys above it are tables: a list of tables is refused when
// its own key comes up, before any below it.
func descend(meta *toml.MetaData, table map[string]toml.Primitive, key toml.Key) toml.Primitive {
	for _, k := range key[:len(key)-1] {
		var below map[string]toml.Primitive
		if err := meta.PrimitiveDecode(table[k], &below); err != nil {
			return toml.Primitive{}
		}
		table = below
	}
	return table[key[len(key)-1]]
}

// position makes the decoder tell where a value stands: it reports that with errors alone.
type position struct{}

func (*position) UnmarshalTOML(any) error { return errors.New("asking for the position") }

func lineOf(meta *toml.MetaData, p toml.Primitive) int {
	var located toml.ParseError
	errors.As(meta.PrimitiveDecode(p, &position{}), &located)
	return located.Position.Line
}

// syntaxError words what the TOML parser reports, with the line it stumbled over.
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
		// Here the parser's line is the next one, or 1, while its offset is right.
		number = 1 + strings.Count(text[:min(e.Position.Start, len(text))], "\n")
	}
	lines := strings.Split(text, "\n")
	number = max(1, min(number, len(lines))) // at the end of a file it may be one off on either side
	line := strings.TrimSpace(lines[number-1])
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

// unknown words the complaint about a key or section that no option has.
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

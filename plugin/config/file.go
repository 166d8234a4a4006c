package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"flb-filter-rgcn/plugin/regularfile"
)

// maxFileSize is far beyond any sensible file, and small enough to read whatever was named by mistake.
const maxFileSize = 1 << 20

// readFile reads a settings file. Its error does not name it.
func readFile(path string) (string, error) {
	text, err := regularfile.Read(path, maxFileSize)
	odd, long := regularfile.Odd(0), regularfile.TooLong(0)
	switch {
	case errors.As(err, &odd):
		return "", fmt.Errorf("is %s, want a TOML file", odd.What())
	case errors.As(err, &long):
		return "", fmt.Errorf("is larger than %d bytes, want a TOML file", long)
	case err != nil:
		return "", fmt.Errorf("%w, want a readable TOML file", regularfile.Cause(err))
	}
	return string(text), nil
}

// file applies the text of a TOML file, key by key in their order.
func (l *loader) file(path, text string) error {
	d, err := parse(path, text)
	if err != nil {
		return err
	}
	for _, key := range d.meta.Keys() {
		if err := l.key(d, key); err != nil {
			return err
		}
	}
	return nil
}

// key applies one key of a file. Its error names file, line, key and value.
func (l *loader) key(d *document, key toml.Key) error {
	where := d.where(key)
	key = key[:min(len(key), 2)] // a deeper one is below a key that is refused
	table := d.meta.Type(key...) == "Hash"
	if len(key) == 1 && isSection(key[0]) {
		if !table {
			return fmt.Errorf("%s%s is a section, want [%s] and its keys on the lines below", where, key[0], key[0])
		}
		return nil
	}
	o, known := lookup(strings.Join(key, "."))
	if !known {
		return errors.New(where + unknown(key, table))
	}
	value, err := d.value(key)
	if err != nil {
		return fmt.Errorf("%s%s: %w", where, o.Name(), err)
	}
	if !o.set(&l.config, value) {
		return o.refuse(where+o.Name(), value)
	}
	l.origin[o.Name()] = where + o.Name()
	return nil
}

// document is a TOML file that is parsed as far as its keys.
type document struct {
	path string
	meta toml.MetaData
	top  map[string]toml.Primitive
}

func parse(path, text string) (*document, error) {
	d := &document{path: path}
	var err error
	if d.meta, err = toml.Decode(text, &d.top); err != nil {
		return nil, syntaxError(path, text, err)
	}
	return d, nil
}

// value decodes what a key is set to.
func (d *document) value(key toml.Key) (value any, err error) {
	err = d.meta.PrimitiveDecode(d.primitive(key), &value)
	return value, err
}

// primitive returns the undecoded value of a key. The keys above it are tables: a list of tables is refused when its
// own key comes up, before any below it.
func (d *document) primitive(key toml.Key) toml.Primitive {
	table := d.top
	for _, k := range key[:len(key)-1] {
		var below map[string]toml.Primitive
		if err := d.meta.PrimitiveDecode(table[k], &below); err != nil {
			return toml.Primitive{}
		}
		table = below
	}
	return table[key[len(key)-1]]
}

// where is the file and the line of a key's value, to begin an error with. The decoder knows lines, but
// tells them only in errors: so it is asked to decode into a type that refuses everything.
func (d *document) where(key toml.Key) string {
	var refused toml.ParseError
	errors.As(d.meta.PrimitiveDecode(d.primitive(key), &refuser{}), &refused)
	return fmt.Sprintf("%s:%d: ", d.path, refused.Position.Line)
}

type refuser struct{}

func (*refuser) UnmarshalTOML(any) error { return errors.New("refused") }

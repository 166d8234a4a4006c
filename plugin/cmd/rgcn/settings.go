package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
)

// settings are the properties that Fluent Bit would take from its configuration, here from flags.
type settings map[string]string

// declare declares the flags of a command that uses all settings.
func (s settings) declare(fs *flag.FlagSet) {
	s.declareFields(fs)
	fs.Func("state", "`DIR` of model and graph, as state_dir", s.set("state_dir"))
}

func (s settings) set(name string) func(string) error {
	return func(value string) error { s[name] = value; return nil }
}

// declareFields declares the flags of a command that uses no state.
func (s settings) declareFields(fs *flag.FlagSet) {
	fs.Func("config", "TOML `FILE` with the filter's settings", s.set("config_file"))
	fs.Func("preset", "which fields hold source, destination and relation: `NAME` is "+strings.Join(config.Presets(), ", ")+" or custom", s.set("preset"))
	fs.Func("set", "a filter property, `key=value`, over what -config says; repeatable (-set train_interval=6h -set relation=client,auth_success)",
		func(text string) error {
			key, value, ok := strings.Cut(text, "=")
			key = strings.ToLower(strings.TrimSpace(key))
			if !ok {
				return fmt.Errorf("want key=value")
			}
			if err := known(key); err != nil {
				return err
			}
			s[key] = value
			return nil
		})
}

// onlyFields refuses settings other than those of fields, for commands that only read enriched records.
func (s settings) onlyFields(command string) error {
	for key := range s {
		if key == "config_file" {
			continue
		}
		for _, o := range config.Options() {
			if o.Property() == key && o.Section != "fields" && o.Section != "" {
				return usagef("%s does not read %s: of the settings it needs those that name fields", command, key)
			}
		}
	}
	return nil
}

// load returns the settings as the filter will see them. Of the paths that the named properties have, all of them
// where none is named, a relative one in the file of -config is refused: to Fluent Bit it starts from the directory of
// Fluent Bit's own configuration, which this process does not know.
func (s settings) load(properties ...string) (c config.Config, err error) {
	if c, err = s.loadFields(); err != nil || s["config_file"] == "" {
		return c, err
	}
	known, err := s.absolute()
	if err != nil {
		return c, err
	}
	// A path of the file that changes with the directory is a relative one.
	moved, err := config.LoadFrom("/elsewhere", known.property)
	if err != nil {
		return c, usageError{err}
	}
	for _, o := range config.PathOptions() {
		used := len(properties) == 0 || slices.Contains(properties, o.Property())
		if used && o.Value(&c) != o.Value(&moved) {
			return c, usagef("%s: the path of %s is relative, and to Fluent Bit it starts from the directory of Fluent Bit's configuration: want an absolute path there, or -set %s=PATH here",
				c.File, o.Name(), o.Property())
		}
	}
	return c, nil
}

// loadFields is load for commands that use no path of the settings.
func (s settings) loadFields() (config.Config, error) {
	c, err := config.Load(s.property)
	if err != nil {
		err = usageError{err}
	}
	return c, err
}

// absolute returns the settings with the paths in flags resolved against the working directory.
func (s settings) absolute() (settings, error) {
	out := maps.Clone(s)
	keys := []string{"config_file"}
	for _, o := range config.PathOptions() {
		keys = append(keys, o.Property())
	}
	for _, key := range keys {
		if s[key] == "" || !fleet.IsPath(s[key]) {
			continue
		}
		path, err := filepath.Abs(s[key])
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(s[key], "/") { // a place of published states: a directory, whether it is there or not
			path += "/"
		}
		out[key] = path
	}
	return out, nil
}

func (s settings) property(key string) (string, bool) {
	value, ok := s[key]
	return value, ok
}

// host is the filter's view of this process.
type host struct {
	*console
	settings settings
	muted    bool // what the instance tells is for debugging
}

var _ filter.Host = (*host)(nil)

// Property returns what the flags set.
func (h *host) Property(key string) (string, bool) { return h.settings.property(key) }

// Log writes a line as the console does, unless what an instance tells is for debugging.
func (h *host) Log(level filter.Level, message string) {
	if h.muted && level == filter.LevelInfo {
		level = filter.LevelDebug
	}
	h.console.Log(level, message)
}

// known refuses an unknown property and suggests similar ones.
func known(key string) error {
	type candidate struct {
		name  string
		edits int
	}
	var near []candidate
	for _, o := range config.Options() {
		name := o.Property()
		if name == key {
			return nil
		}
		edits := config.EditDistance(key, name)
		if key == o.Key || key == o.Name() {
			edits = 0 // the key as the TOML file has it
		}
		if edits <= 1+len(key)/4 {
			near = append(near, candidate{name, edits})
		}
	}
	if key == "config_file" {
		return fmt.Errorf("use -config FILE")
	}
	if len(near) == 0 {
		return fmt.Errorf("unknown property %q: want one of the keys in rgcn.toml, its section before it, as in train_interval", key)
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.edits, b.edits) })
	var names []string
	for _, c := range near[:min(3, len(near))] {
		names = append(names, c.name)
	}
	return fmt.Errorf("unknown property %q: did you mean %s?", key, strings.Join(names, " or "))
}

package main

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
)

// settings are the properties that Fluent Bit would take from its configuration, here from flags.
type settings map[string]string

func (s settings) declare(fs *flag.FlagSet) {
	property := func(name string) func(string) error {
		return func(value string) error { s[name] = value; return nil }
	}
	fs.Func("config", "TOML `FILE` with the filter's settings", property("config_file"))
	fs.Func("preset", "which fields hold source, destination and relation: `NAME` is "+strings.Join(config.Presets(), ", ")+" or custom", property("preset"))
	fs.Func("state", "`DIR` of model and graph, as state_dir", property("state_dir"))
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

// load returns the settings as the filter will see them.
func (s settings) load() (config.Config, error) {
	c, err := config.Load(s.property)
	if err != nil {
		err = usageError{err}
	}
	return c, err
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

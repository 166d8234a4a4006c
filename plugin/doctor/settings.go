package doctor

import (
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/doctor/hostconf"
	"flb-filter-rgcn/plugin/filter"
)

// properties are the settings of one filter. As a filter.Host it also keeps the filter's warnings.
type properties struct {
	values    map[string]string
	directory string
	warnings  *[]filter.Warning
}

var _ filter.Host = properties{}

// hostOwn are the properties of a filter that Fluent Bit itself reads.
var hostOwn = []string{"name", "match", "match_regex", "alias", "log_level", "log_suppress_interval", "active", "condition"}

func newProperties(s *hostconf.Section, over map[string]string, conf string) properties {
	p := properties{values: map[string]string{}, warnings: new([]filter.Warning)}
	if conf != "" {
		p.directory = filepath.Dir(conf)
	}
	if s != nil {
		for _, x := range s.Properties {
			if !slices.Contains(hostOwn, x.Key) {
				p.values[x.Key] = x.Value
			}
		}
	}
	for key, value := range over {
		p.values[key] = value
	}
	return p
}

// Property implements filter.Host.
func (p properties) Property(key string) (string, bool) {
	value, ok := p.values[key]
	return value, ok
}

// Log implements filter.Host.
func (p properties) Log(level filter.Level, message string) {
	if level == filter.LevelWarn {
		p.Warn(filter.Warning{What: message})
	}
}

// Warn takes a warning of the filter in its parts.
func (p properties) Warn(w filter.Warning) { *p.warnings = append(*p.warnings, w) }

// ConfigDirectory is where relative paths begin.
func (p properties) ConfigDirectory() string { return p.directory }

// with returns the same with some properties set otherwise, and warnings of its own.
func (p properties) with(over map[string]string) properties {
	out := properties{values: map[string]string{}, directory: p.directory, warnings: new([]filter.Warning)}
	for key, value := range p.values {
		out.values[key] = value
	}
	for key, value := range over {
		out.values[key] = value
	}
	return out
}

// apart are settings without side effects: no directory, no port, no training.
func apart() map[string]string {
	return map[string]string{"state_dir": "", "state_required": "false", "metrics_listen": "", "train_interval": "0"}
}

// settings checks the properties of each filter, and the files and the device that they name.
func (e *examination) settings() {
	for _, p := range e.targets {
		e.settingsOf(p)
	}
	e.shared(Problem, "state_dir", func(c config.Config) string {
		if c.State.Dir == "" {
			return ""
		}
		return resolved(c.State.Dir)
	}, "each filter needs a directory of its own: the second one is refused, and Fluent Bit does not start")
	e.shared(Warning, "metrics_listen", func(c config.Config) string { return c.Metrics.Listen }, "each filter needs an address of its own: the second one waits for it for ever")
}

// resolved is a path without links, as far as it is there.
func resolved(path string) string {
	path = filepath.Clean(path)
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		return whole
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolved(parent), filepath.Base(path))
}

var nameOfProperty = regexp.MustCompile(`property "?(\w+)"?`)

func (e *examination) settingsOf(p *target) {
	wrong := 0
	say := func(err error) {
		wrong++
		at := p.at()
		if m := nameOfProperty.FindStringSubmatch(err.Error()); m != nil {
			at = p.where(m[1])
		}
		text, fix := fixOf(err.Error())
		e.findings.add(Problem, TopicSettings, at, text, fix)
	}
	for _, key := range sorted(p.properties.values) {
		if err := config.CheckProperty(key, p.properties.values[key]); err != nil {
			say(err)
		}
	}
	if p.section != nil {
		counts := map[string]int{}
		for _, x := range p.section.Properties {
			if counts[x.Key]++; counts[x.Key] == 2 && !slices.Contains(hostOwn, x.Key) {
				wrong++
				e.findings.add(Problem, TopicSettings, x.At.String(), "the property "+x.Key+" is set twice: Fluent Bit refuses that, or, if the two are spelt differently, takes the first without a word", "remove one of them")
			}
		}
	}
	if wrong > 0 {
		return
	}
	c, err := config.LoadFrom(p.properties.directory, p.properties.Property)
	if err != nil {
		say(err)
		return
	}
	p.config, p.valid = c, true
	// filter.Check must not make the directory; states examines it.
	if err := filter.Check(p.properties.with(map[string]string{"state_required": "false"})); err != nil {
		p.valid = false
		say(err)
		return
	}
	if p.features, err = filter.HostFeatures(c); err != nil {
		say(err)
		return
	}
	if err := e.allowList(p); err != nil {
		text, _ := fixOf(err.Error())
		e.findings.add(Warning, TopicSettings, p.where("allow"), text, "correct the list: until then the filter works without it")
		return
	}
	e.findings.add(OK, TopicSettings, p.at(), summary(p), "")
	for _, idle := range c.NoEffect {
		at := p.at()
		if m := nameOfProperty.FindStringSubmatch(idle.Settings[0]); m != nil {
			at = p.where(m[1])
		}
		e.findings.add(Warning, TopicSettings, at, idle.Text(), idle.Fix())
	}
}

// fixOf splits a message about a setting before what the setting should be.
func fixOf(message string) (text, fix string) {
	for _, mark := range []string{": want ", ", want ", ": did you mean ", "; allowed are ", ", the preset "} {
		if text, rest, ok := strings.Cut(message, mark); ok {
			return text, strings.TrimLeft(mark, ":;, ") + rest
		}
	}
	return message, "see conf/rgcn.toml for each setting with its meaning and what is allowed"
}

// allowList reads the list of judged sessions as the filter would.
func (e *examination) allowList(p *target) error {
	if p.config.Allow == "" {
		return nil
	}
	f, err := filter.NewFrozen(p.properties.with(apart()))
	if err != nil {
		return err
	}
	return f.Close()
}

// summary describes what the filter looks for.
func summary(p *target) string { return p.name + ": " + p.config.Summary() }

// shared reports two filters with the same value of a setting that each needs for itself.
func (e *examination) shared(level Level, key string, value func(config.Config) string, why string) {
	first := map[string]*target{}
	for _, p := range e.targets {
		v := value(p.config)
		if v == "" {
			continue
		}
		if other := first[v]; other != nil {
			e.findings.add(level, TopicSettings, p.where(key), key+" = "+v+" is set in "+other.name+" too; "+why, "give each filter its own "+key)
			continue
		}
		first[v] = p
	}
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

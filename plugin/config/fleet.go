package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/secretfile"
)

// fleet checks what belongs to published states and to the search server, and resolves their places.
func (l *loader) fleet() error {
	c := &l.config
	for _, p := range []struct {
		name  string
		place *string
	}{{"state.from", &c.State.From}, {"publish", &c.Publish.To}} {
		if err := plainPath(*p.place); err != nil {
			return fmt.Errorf("%s: %w", l.origin[p.name], err) // without the value: a password may be in it
		}
		if err := fleet.CheckPlace(*p.place); err != nil {
			return fmt.Errorf("%s: %w", l.origin[p.name], err)
		}
		if *p.place == "" || !fleet.IsPath(*p.place) {
			continue
		}
		slash := strings.HasSuffix(*p.place, "/") // it says that a directory is meant, whether there is one or not
		if *p.place = l.absolute(*p.place); slash && !strings.HasSuffix(*p.place, "/") {
			*p.place += "/"
		}
	}
	if u, err := url.Parse(c.Graph.Source); err == nil { // what is no URL was refused before
		if err := secretfile.CheckURL(u, "graph.source_credentials"); err != nil {
			return fmt.Errorf("%s: %w", l.origin["graph.source"], err) // without the value
		}
	}
	sealed := func(place, key, unsigned string, to, file string, bare bool) error {
		switch {
		case to == "" && file != "":
			return fmt.Errorf("%s: %s is empty, want a place", l.at(key), place)
		case to == "" && bare:
			return fmt.Errorf("%s: %s is empty, want a place", l.at(unsigned), place)
		case to != "" && file == "" && !bare:
			return fmt.Errorf("%s: want %s, the file of a key, beside it (rgcn keygen makes a pair), or %s = true", l.at(place), key, unsigned)
		}
		return nil
	}
	if err := sealed("publish", "publish_key", "publish_unsigned", c.Publish.To, c.Publish.Key, c.Publish.Unsigned); err != nil {
		return err
	}
	if err := sealed("state.from", "state.key", "state.unsigned", c.State.From, c.State.Key, c.State.Unsigned); err != nil {
		return err
	}
	if c.Publish.Key != "" && c.Publish.Unsigned {
		return fmt.Errorf("%s: publish_key would sign what shall be unsigned, want one of the two", l.at("publish_unsigned"))
	}
	if c.State.From == "" {
		return nil
	}
	if c.Publish.To != "" {
		return fmt.Errorf("%s: a filter with state.from does not train, so that it has nothing to publish; want one of the two", l.at("publish"))
	}
	if c.Graph.Source != "" {
		return fmt.Errorf("%s: a filter with state.from has the graph of its trainer; want graph.source there, or no state.from", l.at("graph.source"))
	}
	for _, s := range []struct {
		name  string
		value *time.Duration
	}{{"train.interval", &c.Train.Interval}, {"train.hold", &c.Train.Hold}} {
		if _, set := l.origin[s.name]; set && *s.value > 0 {
			return fmt.Errorf("%s: a filter with state.from does not train; want 0 or nothing here, or no state.from", l.at(s.name))
		}
		*s.value = 0
	}
	return nil
}

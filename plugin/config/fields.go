package config

import (
	"fmt"
	"slices"

	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/record"
)

var presetNames = []string{"zeek", "ecs", "openssh", "teleport", "custom"}

// Presets are the names of the presets that name fields of their own.
func Presets() []string { return presetNames[:len(presetNames)-1] }

// presets are the fields of well-known records. What the user sets takes the place of the preset's,
// field by field.
var presets = map[string]Fields{
	// Zeek's ssh.log: flat or nested names in JSON, underscores where a regex parser made the names,
	// since those take no dots.
	"zeek": {
		Source:      [][]string{{"id.orig_h", "id_orig_h"}},
		Destination: [][]string{{"id.resp_h", "id_resp_h"}},
		Relation:    [][]string{{"client"}},
		Time:        []string{"ts"},
		Line:        []string{"log", "message"},
	},
	// Elastic Common Schema, as written by Filebeat's zeek and system modules. A log of sshd itself
	// has no destination address: there it is the logging host, by host.hostname, since host.name is
	// that of the collector where one collects for many.
	"ecs": {
		Source:      [][]string{{"source.ip", "source.address", "client.ip"}},
		Destination: [][]string{{"destination.ip", "destination.address", "server.ip", "host.hostname", "host.name"}},
		Relation:    [][]string{{"zeek.ssh.client", "user_agent.original", "event.action"}},
		Time:        []string{"@timestamp"},
	},
	// sshd's own lines, from syslog files, a syslog parser, journald or Windows' event log.
	"openssh": {
		SSHD:    true,
		Message: []string{"message", "MESSAGE", "log", "msg", "Message"},
		Host:    []string{"host", "hostname", "HOSTNAME", "_HOSTNAME", "host.hostname", "host.name", "Computer"},
		Ident:   []string{"ident", "SYSLOG_IDENTIFIER", "_COMM", "appname"},
		Time:    []string{"_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "time", "timestamp", "@timestamp", "TimeCreated"},
	},
	// The audit events of Teleport, one record a session.
	"teleport": {
		Source:      [][]string{{"addr.remote"}},
		Destination: [][]string{{"server_hostname", "server_id", "addr.local"}},
		Relation:    [][]string{{"login"}},
		Time:        []string{"time"},
		Only:        []Condition{{Path: "event", Values: []string{"session.start"}}},
	},
	"custom": {},
}

// fieldStyle names the added fields, where the user did not.
func (l *loader) fieldStyle() {
	f := &l.config.Fields
	prefix := "score_"
	if l.config.FieldStyle == "ecs" {
		prefix = "rgcn."
	}
	f.Reason, f.Model, f.SourceRisk, f.SourceTriplets = prefix+"reason", prefix+"model", prefix+"source_risk", prefix+"source_triplets"
	for i, name := range evidence.Names {
		f.Evidence[i] = prefix + name
	}
	if l.config.FieldStyle != "ecs" {
		return
	}
	if _, set := l.origin["fields.score"]; !set {
		f.Score = "rgcn.score"
	}
	if _, set := l.origin["fields.low_score"]; !set {
		f.LowScore = "rgcn.low_score"
	}
	if _, set := l.origin["fields.source_alert"]; !set {
		f.SourceAlert = "rgcn.source_alert"
	}
}

// under makes sure that no path gets too long below that of fields.under.
func (l *loader) under() error {
	f := &l.config.Fields
	if _, err := record.Under(f.Under, f.paths()); err != nil {
		return fmt.Errorf("%s: %w", l.at("fields.under"), err)
	}
	return nil
}

// explained are the names of the fields that explain adds.
func (f *Fields) explained() []string {
	return append([]string{f.Reason, f.Model, f.SourceRisk, f.SourceTriplets}, f.Evidence[:]...)
}

// paths are those of all fields that are read.
func (f *Fields) paths() []string {
	all := slices.Concat(f.Time, f.Message, f.Host, f.Ident, f.Line)
	for _, field := range [][][]string{f.Source, f.Destination, f.Relation} {
		all = append(all, slices.Concat(field...)...)
	}
	for _, c := range f.Only {
		all = append(all, c.Path)
	}
	return all
}

// preset fills the fields that the user left open.
func (l *loader) preset() error {
	f := &l.config.Fields
	p := presets[f.Preset]
	if f.Preset == "custom" {
		for _, field := range []struct {
			name string
			keys [][]string
		}{{"source", f.Source}, {"destination", f.Destination}} {
			if len(field.keys) == 0 {
				return fmt.Errorf("%s: fields.%s is not set, the preset custom needs both source and destination",
					l.at("fields.preset"), field.name)
			}
		}
	}
	if p.SSHD {
		for _, name := range []string{"fields.source", "fields.destination", "fields.relation"} {
			if o, _ := lookup(name); o.get(&l.config) != "" {
				return fmt.Errorf("%s: not allowed with preset openssh, which takes source, destination and "+
					"relation from sshd's message; use preset custom to name fields", l.at(name))
			}
		}
	}
	f.SSHD, f.Message, f.Host, f.Ident, f.Line = p.SSHD, p.Message, p.Host, p.Ident, p.Line
	f.CutPorts = f.Ports == "on" || f.Ports == "auto" && f.Preset != "custom"
	if len(f.Only) == 0 {
		f.Only = p.Only
	}
	if len(f.Source) == 0 {
		f.Source = p.Source
	}
	if len(f.Destination) == 0 {
		f.Destination = p.Destination
	}
	if len(f.Relation) == 0 {
		f.Relation = p.Relation
	}
	if len(f.Time) == 0 {
		f.Time = p.Time
	}
	return nil
}

package triplet

import (
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/hostname"
)

// Definitions are what decides the names that a Finder gives, each a line of UTF-8 for people to read. Two finders with
// the same definitions give the same session the same names. Finders with others may do so, too: the same hosts may
// lie in other fields of other records.
type Definitions struct {
	Source, Destination, Relation string // the fields, or what else they are taken from
	Ports                         string // what becomes of the port behind a host
	Case                          string // what becomes of the case of a host's name
}

// Define returns the definitions of a Finder of these fields.
func Define(fields config.Fields) Definitions {
	form := HostForm(fields)
	d := Definitions{Ports: "kept", Case: "kept"}
	if form.CutPort {
		d.Ports = "cut"
	}
	if form.Fold {
		d.Case = "folded"
	}
	under := ""
	if fields.Under != "" {
		under = strings.ToValidUTF8(", under "+fields.Under, "\uFFFD")
	}
	if fields.SSHD {
		d.Source, d.Destination, d.Relation = "sshd's message"+under, "sshd's message"+under, "sshd's message"+under
		return d
	}
	text := func(keys [][]string) string {
		if len(keys) == 0 {
			return "no field"
		}
		parts := make([]string, len(keys))
		for i, alternatives := range keys {
			parts[i] = strings.Join(alternatives, " else ")
		}
		return strings.ToValidUTF8(strings.Join(parts, " | "), "\uFFFD") + under
	}
	d.Source, d.Destination, d.Relation = text(fields.Source), text(fields.Destination), text(fields.Relation)
	return d
}

// HostForm is how hosts are named by the settings of fields.
func HostForm(fields config.Fields) hostname.Form {
	return hostname.Form{CutPort: fields.CutPorts, Fold: fields.Preset != "custom"}
}

// HostParts is of how many values a host's name is joined at most.
func HostParts(fields config.Fields) int {
	return max(len(fields.Source), len(fields.Destination), 1)
}

package filter

import (
	"cmp"
	"fmt"
	"strings"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/triplet"
)

// definition is one of those that a trainer and who scores by its states have to share, or to have for a reason.
type definition struct {
	key       string // in a published state
	value     string
	has, mine string // what stands before the value in a message, after "the trainer" and after "this filter"
	// names tells a definition of hosts and relations from one of what is known of them.
	names bool
}

// definitions are those of these settings.
func definitions(c config.Config) []definition {
	d := triplet.Define(c.Fields)
	used := func(is bool) string {
		if is {
			return "used"
		}
		return "not used"
	}
	return []definition{
		{"source", d.Source, "takes the source from", "from ", true},
		{"destination", d.Destination, "takes the destination from", "from ", true},
		{"relation", d.Relation, "takes the relation from", "from ", true},
		{"ports", d.Ports, "has the ports behind hosts", "has them ", true},
		{"case", d.Case, "has the case of host names", "has it ", true},
		{"prefixes", used(c.Model.Prefixes), "has model.prefixes", "has it ", false},
		{"features", used(c.Model.Features != ""), "has model.features", "has it ", false},
	}
}

// naming is how these settings name hosts and relations, as a published state tells it: a line for each definition.
func naming(c config.Config) string {
	var b strings.Builder
	for _, d := range definitions(c) {
		fmt.Fprintf(&b, "%s = %s\n", d.key, d.value)
	}
	return b.String()
}

// longestValue is how much of a definition a message shows, in characters.
const longestValue = 120

// NamingDiffers tells in what the names of a published state differ from those that these settings give, "" for
// nothing. That may be as it should: a trainer that reads a search engine finds the same hosts in other fields.
func NamingDiffers(published string, c config.Config) string {
	return differs("the trainer", published, c)
}

// SavedNamingDiffers is NamingDiffers for what a state directory holds.
func SavedNamingDiffers(saved string, c config.Config) string {
	if saved == "" { // by a filter that did not save it yet
		return ""
	}
	why := differs("the filter before", saved, c)
	if why == "" {
		return ""
	}
	return "what the state directory holds was learned with other settings: " + why
}

// OtherNamingRemedy is what to do where SavedNamingDiffers tells something.
const OtherNamingRemedy = "give these settings a state directory of their own"

// differs tells in what the naming of somebody differs from that of these settings, "" for nothing.
func differs(who, naming string, c config.Config) string {
	theirs := map[string]string{}
	for line := range strings.Lines(naming) {
		if key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " = "); ok {
			theirs[key] = value
		}
	}
	var differ []string
	names, features := false, false
	for _, d := range definitions(c) {
		their := cmp.Or(theirs[d.key], "what it does not say")
		if their == d.value {
			continue
		}
		differ = append(differ, fmt.Sprintf("%s %s %s, this filter %s%s", who, d.has, printable.Name(their, longestValue), d.mine, printable.Name(d.value, longestValue)))
		names, features = names || d.names, features || !d.names
	}
	if len(differ) == 0 {
		return ""
	}
	text := strings.Join(differ, "; ")
	if names {
		text += ": if the two do not name the same hosts and relations, scores mean nothing"
	}
	if features {
		text += ": scores mean little where one of the two knows of hosts what the other does not"
	}
	return text
}

package config

import (
	"fmt"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/fleet"
)

// NoEffect is settings that were given and change nothing beside the others, for one reason. They are no mistake that
// would stop a start, but whoever wrote them expected something of them.
type NoEffect struct {
	Settings []string // where each was given and its value, as errors have it
	Why      string
	Remedy   string // what else would let them count; "": they are empty
}

// Text is the settings and why they have no effect.
func (n NoEffect) Text() string {
	if n.Remedy == "" {
		return fmt.Sprintf("%s is empty: %s", n.Settings[0], n.Why)
	}
	have := "has"
	if len(n.Settings) > 1 {
		have = "have"
	}
	return fmt.Sprintf("%s %s no effect: %s", strings.Join(n.Settings, " and "), have, n.Why)
}

// Fix is what to do.
func (n NoEffect) Fix() string {
	if n.Remedy == "" {
		return "set it, or remove it; if a variable stands there, it has no value"
	}
	if len(n.Settings) > 1 {
		return "remove them, or " + n.Remedy
	}
	return "remove it, or " + n.Remedy
}

// counting says when some settings count.
type counting struct {
	names  string // of options, with spaces between
	counts func(*Config) bool
	why    func(*Config) string // why they do not; what is given here is known not to count
	remedy string
}

// always is a why that is the same whatever the settings.
func always(text string) func(*Config) string { return func(*Config) string { return text } }

func withMethod(name, method string) counting {
	return counting{name, func(c *Config) bool { return c.Threshold.Method == method },
		func(c *Config) string {
			return "used with threshold.method " + method + " only, and threshold.method is " + c.Threshold.Method
		}, "set threshold.method to " + method}
}

// needs is a setting that counts where another, a text, is not empty.
func needs(names, other string, value func(*Config) string) counting {
	return counting{names, func(c *Config) bool { return value(c) != "" },
		always("used with " + other + " only, which is empty"), "set " + other}
}

// trains tells whether the filter trains. Of state.from that is known to be wanted.
func trains(c *Config) bool { return c.Train.Interval > 0 }

func trainsNot(c *Config) string {
	if c.State.From != "" {
		return "a filter with state.from does not train"
	}
	return "train.interval = 0 lets no training happen"
}

// anyPlace tells whether a place of published states is of a kind.
func anyPlace(of func(place string) bool) func(*Config) bool {
	return func(c *Config) bool {
		return c.State.From != "" && of(c.State.From) || c.Publish.To != "" && of(c.Publish.To)
	}
}

// countings is the table of settings that count beside some others only. Those without which a start is refused are not
// in it. Settings that stand in several lines are told by the first that does not hold.
var countings = []counting{
	withMethod("threshold.k", "sigma"),
	withMethod("threshold.quantile", "quantile"),
	withMethod("threshold.per_day", "budget"),
	{"model.objective model.dim model.decoder model.layer1 model.layer2 model.dropout train.min_edges train.min_new_edges train.steps " +
		"train.learning_rate train.negatives train.sample train.share train.seed train.device train.tolerance train.hold",
		trains, trainsNot, "let this filter train"},
	{"train.sample train.share", func(c *Config) bool { return c.Model.Objective == "reference" },
		always("used with model.objective reference only"), "set model.objective to reference"},
	{"model.layer1 model.layer2 model.features model.prefixes train.negatives train.threads train.tolerance",
		func(c *Config) bool { return c.Model.Objective != "reference" },
		always("the objective reference makes no use of such a setting"), "set model.objective to temporal"},
	{"fields.source_alert", func(c *Config) bool { return c.Threshold.SourcesPerDay > 0 },
		always("threshold.sources_per_day = 0 lets no source be reported"), "set threshold.sources_per_day"},
	needs("state.interval", "state.dir", func(c *Config) string { return c.State.Dir }),
	needs("state.poll state.old_after", "state.from", func(c *Config) string { return c.State.From }),
	needs("graph.source_credentials graph.source_ca graph.source_query", "graph.source", func(c *Config) string { return c.Graph.Source }),
	{"graph.source_ca", func(c *Config) bool { return strings.HasPrefix(c.Graph.Source, "https:") },
		always("used for an address with https:// only"), "set graph.source to such an address"},
	{"fleet.credentials fleet.ca_file", anyPlace(func(place string) bool { return !fleet.IsPath(place) }),
		always("used where publish or state.from is at a server only"), "set one of them to such a place"},
	{"fleet.s3_endpoint fleet.s3_region", anyPlace(func(place string) bool { return strings.HasPrefix(place, "s3://") }),
		always("used where publish or state.from begins with s3:// only"), "set one of them to such a place"},
	needs("metrics.allow_remote", "metrics.listen", func(c *Config) string { return c.Metrics.Listen }),
}

// emptyMeans is what it means that a property is empty, of those where somebody would notice it late.
var emptyMeans = map[string]string{
	"config_file": "no file with settings is read",
	"state_dir":   "nothing is kept over a restart",
	"state_from":  "no published state is taken",
	"publish":     "nothing is published",
	"allow":       "there is no list of judged sessions",
	"only":        "the conditions of the preset count, if it has any",
	"under":       "all fields lie in the record itself",

	"model_features": "nothing is known of hosts",
	"metrics_listen": "there are no metrics, no /healthz and no page",
	"graph_source":   "no index is read",
}

// empty notes a property that is there and empty, which a file of settings may well have, but a section only where a
// variable has no value.
func (l *loader) empty(property, text string) {
	if strings.TrimSpace(text) != "" {
		return
	}
	why := emptyMeans[property]
	if why == "" {
		why = "its default counts"
		if slices.Contains([]string{"source", "destination", "relation", "time"}, property) {
			why = "the field of the preset counts"
		}
	}
	l.unset = append(l.unset, NoEffect{Settings: []string{"property " + property}, Why: why})
}

// noEffect returns what was given and changes nothing. A setting that is given as off, or as its default, asks for nothing:
// some files name every setting.
func (l *loader) noEffect() (idle []NoEffect) {
	told := map[string]bool{}
	c := &l.config
	idle = l.unset
	for _, rule := range countings {
		if rule.counts(c) {
			continue
		}
		n := NoEffect{Why: rule.why(c), Remedy: rule.remedy}
		for name := range strings.FieldsSeq(rule.names) {
			o, _ := lookup(name)
			if _, given := l.origin[name]; !given || told[name] || o.get(c) == o.Default || off(o.get(c)) {
				continue
			}
			told[name] = true
			n.Settings = append(n.Settings, l.at(name))
		}
		if len(n.Settings) > 0 {
			idle = append(idle, n)
		}
	}
	return idle
}

func off(value string) bool { return value == "" || value == "false" }

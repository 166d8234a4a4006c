package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/record"
)

// Config holds the settings of one filter instance, complete and checked.
type Config struct {
	File    string // the TOML file that was read, "" if none
	Explain bool
	Allow   string // path of the list of judged sessions, "": none
	// FieldStyle is where the names of the added fields came from; Fields has them.
	FieldStyle string
	Fields     Fields
	Graph      Graph
	Model      Model
	Train      Train
	Threshold  Threshold
	State      State
	Publish    Publish
	Fleet      Fleet
	Metrics    Metrics
	NoEffect   []NoEffect // what was given and changes nothing, or is empty
}

// Fields says where a record keeps what the graph wants, after the preset has filled the gaps.
//
// Source, Destination and Relation are lists of keys whose values are joined with "|"; each key is
// a list of alternatives, of which the first with content counts.
type Fields struct {
	Preset                        string
	Source, Destination, Relation [][]string
	Time                          []string // alternatives; empty: the time of the event
	Under                         string   // path of the map in which all of them lie; "": the record itself
	Only                          []Condition
	Ports                         string                 // auto, on or off: what the user says of CutPorts
	CutPorts                      bool                   // cut the port behind a source or a destination
	Score, LowScore, SourceAlert  string                 // names of the added fields
	Reason, Model                 string                 // of those that Explain adds
	SourceRisk, SourceTriplets    string                 // of those that it adds where a source has odd sessions
	Evidence                      [evidence.Count]string // and of those that it adds to low scores

	// SSHD is set by the preset openssh: source, destination and relation are then empty and come
	// from sshd's message. Message, Host and Ident are alternatives, tried in order.
	SSHD                 bool
	Message, Host, Ident []string

	// Line is where a raw line of Zeek's tab-separated log lies, alternatives; none: such lines are not read.
	Line []string
}

// Condition is what a record must fulfil to be looked at: the value at the path is one of Values, or none of
// them where Not is set.
type Condition struct {
	Path   string
	Values []string
	Not    bool
}

// Spellings are the condition's values, and where one is a boolean, the other way of writing it: a row of Zeek's log, and
// a parser that knows no types, have T and F for what is true and false in JSON.
func (c Condition) Spellings() []string {
	out := slices.Clone(c.Values)
	for _, v := range c.Values {
		for _, pair := range [][2]string{{"T", "true"}, {"F", "false"}} {
			for i, spelling := range pair {
				if other := pair[1-i]; v == spelling && !slices.Contains(out, other) {
					out = append(out, other)
				}
			}
		}
	}
	return out
}

// Conditions is Only as a property has it.
func (f Fields) Conditions() string { return render(f.Only) }

// Graph bounds what is remembered.
type Graph struct {
	MaxNodes, MaxRelations, MaxEdges int
	Window                           time.Duration // of event time; 0: no limit

	Source            string // address of an index that others' records are in, too; "": none
	SourceCredentials string // path of a file, "": the environment's
	SourceCA          string // path of a file, "": the system's
	SourceQuery       string // JSON, "": all documents
}

// Model names the network.
type Model struct {
	Objective, Decoder, Layer1, Layer2 string
	Dim                                int
	Dropout                            float64
	Features                           string // path of a CSV file, "": none
	Prefixes                           bool
}

// Train says when and how the model is trained.
type Train struct {
	Interval                                         time.Duration // 0: never, score only
	MinEdges, MinNewEdges, Steps, Negatives, Threads int           // MinEdges 0: see model.LeastEdges
	LearningRate, Tolerance                          float64
	Sample                                           int     // events of a step, of the objective reference
	Share                                            float64 // of the events that train, of the same
	Seed                                             uint64
	Device                                           string
	MaxMemory                                        int           // MiB; 0: no limit
	Hold                                             time.Duration // for which a triplet with a low score is not learned; 0: all is learned at once
}

// Threshold says which scores are low.
type Threshold struct {
	Method              string
	K, Quantile, PerDay float64
	SourcesPerDay       float64
}

// State says where model and graph are kept between runs.
type State struct {
	Dir      string        // "": memory only
	Required bool          // a directory that cannot be used keeps the filter from starting
	Interval time.Duration // between two times at which changes of the graph are saved; 0: with trainings and at exit alone

	From     string        // a place of published states, "": this filter trains for itself
	Key      string        // path of the file with the public keys that may have signed them
	Unsigned bool          // states without a signature are taken
	Poll     time.Duration // between two looks; 0: at the start only
	OldAfter time.Duration // age at which a state is old; 0: never
}

// Publish says where each trained state goes, for others.
type Publish struct {
	To       string // a place, "": nowhere
	Key      string // path of the private key that signs
	Unsigned bool   // there is none
}

// Fleet says how the servers of published states are reached.
type Fleet struct {
	Credentials, CAFile  string // paths, "": none
	S3Endpoint, S3Region string
}

// Metrics says where the filter tells about itself.
type Metrics struct {
	Listen      string // "": nowhere
	AllowRemote bool
}

// maxListKeys bounds a list of keys; a joined name of more parts is a mistake, not a wish.
const maxListKeys = 8

// Load reads the file that the property config_file names, if any, and then the properties, which
// override it key by key. An error is one line that names the file, the line and the key, or the
// property, with the offending value and what is allowed.
//
// property is the host's look-up, which does not care about case; Load asks in lower case.
func Load(property func(key string) (string, bool)) (Config, error) { return LoadFrom("", property) }

// LoadFrom is Load with the directory from which relative paths are resolved; "" is the working directory. The
// paths in the Config are absolute.
func LoadFrom(directory string, property func(key string) (string, bool)) (Config, error) {
	l := newLoader()
	l.directory = directory
	path, given := property("config_file")
	if given {
		l.empty("config_file", path)
	}
	if given && path != "" {
		if err := plainPath(path); err != nil {
			return Config{}, fmt.Errorf("property config_file = %s: %w", show(path), err)
		}
		path = l.absolute(path)
		text, err := readFile(path)
		if err != nil {
			return Config{}, oneLine(fmt.Errorf("property config_file = %s: %w", show(path), err))
		}
		l.config.File = path
		if err := l.file(path, text); err != nil {
			return Config{}, oneLine(err)
		}
	}
	for i := range options {
		o := &options[i]
		text, ok := property(o.Property())
		if !ok {
			continue
		}
		if !o.set(&l.config, o.fromText(text)) {
			return Config{}, oneLine(o.refuse("property "+o.Property(), text))
		}
		l.origin[o.Name()] = "property " + o.Property()
		l.empty(o.Property(), text)
	}
	if err := l.finish(); err != nil {
		return Config{}, oneLine(err)
	}
	return l.config, nil
}

// loader is a Config under construction. origin tells, by option name, where a key was set, in the
// words that an error about it starts with.
type loader struct {
	config    Config
	origin    map[string]string
	directory string     // that relative paths are resolved from; "": the working directory
	unset     []NoEffect // properties that are there and empty
}

// paths are the options whose values are paths of this machine.
var paths = []struct {
	name string
	at   func(*Config) *string
}{
	{"allow", func(c *Config) *string { return &c.Allow }},
	{"model.features", func(c *Config) *string { return &c.Model.Features }},
	{"state.dir", func(c *Config) *string { return &c.State.Dir }},
	{"state.key", func(c *Config) *string { return &c.State.Key }},
	{"publish_key", func(c *Config) *string { return &c.Publish.Key }},
	{"fleet.credentials", func(c *Config) *string { return &c.Fleet.Credentials }},
	{"fleet.ca_file", func(c *Config) *string { return &c.Fleet.CAFile }},
	{"graph.source_credentials", func(c *Config) *string { return &c.Graph.SourceCredentials }},
	{"graph.source_ca", func(c *Config) *string { return &c.Graph.SourceCA }},
}

// places are the options whose values are paths of this machine or URLs.
var places = []string{"state.from", "publish"}

// PathOptions are the options whose values are, or may be, paths of this machine.
func PathOptions() (out []Option) {
	for _, p := range paths {
		o, _ := lookup(p.name)
		out = append(out, *o)
	}
	for _, name := range places {
		o, _ := lookup(name)
		out = append(out, *o)
	}
	return out
}

// plainPath refuses a path that means something else to whoever wrote it. A shell would put the home directory in the
// place of ~, and nobody means a folder of that name. The host's classic format takes quotes, and a comment behind a value,
// as parts of the value.
func plainPath(path string) error {
	switch {
	case path == "~" || strings.HasPrefix(path, "~/"):
		return errors.New("~ means a home directory to a shell alone, want the whole path")
	case strings.HasPrefix(path, `"`) || strings.HasPrefix(path, "'"):
		return errors.New("the quotes count as part of the path, want the path without them")
	case strings.Contains(path, " #"):
		return errors.New("the text from # on counts as part of the path, want the path alone, and a comment on a line of its own")
	}
	return nil
}

// absolute resolves a path; "" stays.
func (l *loader) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	if whole, err := filepath.Abs(filepath.Join(l.directory, path)); err == nil {
		return whole
	}
	return path
}

func newLoader() *loader {
	l := &loader{origin: map[string]string{}}
	for i := range options {
		o := &options[i]
		if !o.set(&l.config, o.fromText(o.Default)) {
			panic(o.refuse("default of "+o.Name(), o.Default)) // the table contradicts itself
		}
	}
	return l
}

// at is the start of an error about a key: where it was set and to what.
func (l *loader) at(name string) string {
	o, _ := lookup(name)
	where, set := l.origin[name]
	if !set {
		where = name
	}
	value := o.get(&l.config)
	if o.Type == typeText || o.Type == typeFields {
		value = show(value)
	}
	return where + " = " + value
}

// addedNames checks that the added fields have names of their own.
func (l *loader) addedNames() error {
	c := &l.config
	explained := c.Fields.explained()
	names := map[string]string{} // of the keys before, by the name that they give
	for _, key := range []string{"score", "low_score", "source_alert"} {
		o, _ := lookup("fields." + key)
		name := o.get(c)
		if slices.Contains(explained, name) {
			return fmt.Errorf("%s: the name is taken by a field that explain adds, want another one", l.at("fields."+key))
		}
		if other, taken := names[name]; taken {
			at := key
			if _, set := l.origin["fields."+at]; !set {
				at = other
			}
			return fmt.Errorf("%s: %s and %s must have different names", l.at("fields."+at), other, key)
		}
		names[name] = key
	}
	return nil
}

// addedOverRead checks that no added field has the name of one that is read, or of one that holds what is read: it would
// take that field's place.
func (l *loader) addedOverRead() error {
	f := &l.config.Fields
	read := map[string]bool{}
	for _, path := range f.paths() {
		keys, err := record.FirstKeys(f.Under, path)
		if err != nil {
			return fmt.Errorf("%s: %w", l.at("fields.under"), err)
		}
		for _, key := range keys {
			read[key] = true
		}
	}
	for _, key := range []string{"score", "low_score", "source_alert"} {
		o, _ := lookup("fields." + key)
		if name := o.get(&l.config); read[name] {
			return fmt.Errorf("%s: the filter reads a field of that name, which the added one would replace; want another name", l.at("fields."+key))
		}
	}
	for _, name := range f.explained() {
		if l.config.Explain && read[name] {
			return fmt.Errorf("%s: the filter reads a field %s, which the one that explain adds would replace; want explain = false, or the field under another name",
				l.at("explain"), name)
		}
	}
	return nil
}

// finish checks what no key can check alone and fills in the preset.
func (l *loader) finish() error {
	c := &l.config
	l.fieldStyle()
	l.objective()
	if err := l.addedNames(); err != nil {
		return err
	}
	if c.Train.MinEdges > c.Graph.MaxEdges {
		return fmt.Errorf("%s: train.min_edges %d exceeds graph.max_edges %d, so training would never start",
			l.at("train.min_edges"), c.Train.MinEdges, c.Graph.MaxEdges)
	}
	if c.Metrics.Listen != "" && !c.Metrics.AllowRemote && !hostname.IsLoopback(c.Metrics.Listen) {
		return fmt.Errorf("%s: other machines reach this address, want one of this machine alone such as 127.0.0.1:2023, "+
			"or metrics.allow_remote = true", l.at("metrics.listen"))
	}
	for _, path := range paths {
		at := path.at(c)
		if err := plainPath(*at); err != nil {
			return fmt.Errorf("%s: %w", l.at(path.name), err)
		}
		*at = l.absolute(*at)
	}
	if err := l.fleet(); err != nil {
		return err
	}
	if err := l.preset(); err != nil {
		return err
	}
	if err := l.addedOverRead(); err != nil {
		return err
	}
	if c.Model.Objective == "reference" && c.Train.Hold > 0 {
		return fmt.Errorf("%s: the objective reference learns all at once; want 0 or nothing here, or the objective temporal", l.at("train.hold"))
	}
	if c.State.Required && c.State.Dir == "" {
		return fmt.Errorf("%s: state.dir is empty, want a directory", l.at("state.required"))
	}
	if err := l.under(); err != nil {
		return err
	}
	c.NoEffect = l.noEffect()
	return nil
}

// objective gives the reference objective its own defaults, where the user set nothing.
func (l *loader) objective() {
	c := &l.config
	if c.Model.Objective != "reference" {
		return
	}
	for name, value := range map[string]string{"model.dim": "32", "model.dropout": "0.2", "train.steps": "500", "train.learning_rate": "0.01"} {
		if _, set := l.origin[name]; !set {
			o, _ := lookup(name)
			o.set(c, o.fromText(value))
		}
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/evidence"
)

// load runs Load over a file's text (none if "") and properties. In errors and in Config.File the
// path of the file becomes "f".
func load(t *testing.T, text string, properties map[string]string) (Config, error) {
	t.Helper()
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "rgcn.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(func(key string) (string, bool) {
		if key == "config_file" && path != "" {
			return path, true
		}
		v, ok := properties[key]
		return v, ok
	})
	if err != nil && path != "" {
		err = errors.New(strings.ReplaceAll(err.Error(), path, "f"))
	}
	if c.File != "" {
		c.File = "f"
	}
	return c, err
}

func defaults(t *testing.T) Config {
	t.Helper()
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	want := Config{
		Fields: Fields{
			Preset:      "zeek",
			Source:      [][]string{{"id.orig_h", "id_orig_h"}},
			Destination: [][]string{{"id.resp_h", "id_resp_h"}},
			Relation:    [][]string{{"client"}},
			Time:        []string{"ts"},
			Ports:       "auto", CutPorts: true,
			Line:  []string{"log", "message"},
			Score: "score", LowScore: "low_score", SourceAlert: "source_alert", Reason: "score_reason", Model: "score_model", SourceRisk: "score_source_risk", SourceTriplets: "score_source_triplets",
			Evidence: [evidence.Count]string{"score_lower_per_day", "score_pair_first_seen", "score_pair_last_seen", "score_pair_days",
				"score_source_destinations", "score_destination_sources", "score_source_relations", "score_source_sources", "score_source_reached_by",
				"score_group", "score_group_sources", "score_group_to_destination", "score_peers"},
		},
		FieldStyle: "plain",
		Graph:      Graph{MaxNodes: 100_000, MaxRelations: 1000, MaxEdges: 500_000, Window: 30 * 24 * time.Hour},
		Model:      Model{Objective: "temporal", Decoder: "distmult", Layer1: "diagonal", Layer2: "diagonal", Dim: 0, Dropout: 0.1, Prefixes: true},
		Train: Train{Interval: 10 * time.Minute, MinEdges: 0, MinNewEdges: 1, Steps: 400, Negatives: 4, Threads: 1,
			LearningRate: 0.005, Tolerance: 0.02, Sample: 1000, Share: 0.8, Seed: 1, Device: "auto", MaxMemory: 1024},
		Threshold: Threshold{Method: "budget", K: 2, Quantile: 0.01, PerDay: 20, SourcesPerDay: 10},
		State:     State{Interval: 5 * time.Minute, Poll: time.Minute, OldAfter: 24 * time.Hour},
	}
	if got := defaults(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFieldStyle(t *testing.T) {
	for _, c := range []struct {
		properties map[string]string
		want       [4]string
	}{
		{map[string]string{"field_style": "ecs"}, [4]string{"rgcn.score", "rgcn.low_score", "rgcn.reason", "rgcn.model"}},
		{map[string]string{"field_style": "ecs", "low_score": "alarm"}, [4]string{"rgcn.score", "alarm", "rgcn.reason", "rgcn.model"}},
		{map[string]string{"score": "s"}, [4]string{"s", "low_score", "score_reason", "score_model"}},
	} {
		got, err := load(t, "", c.properties)
		if f := got.Fields; err != nil || c.want != [4]string{f.Score, f.LowScore, f.Reason, f.Model} {
			t.Errorf("%v: %+v %v", c.properties, f, err)
		}
	}
	if _, err := load(t, "", map[string]string{"field_style": "ecs", "score": "rgcn.reason"}); err == nil {
		t.Error("two fields of one name")
	}
}

func TestFileAndProperties(t *testing.T) {
	type props = map[string]string
	check := func(name, text string, properties props, want func(*Config)) {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, text, properties)
			if err != nil {
				t.Fatal(err)
			}
			expected := defaults(t)
			if text != "" {
				expected.File = "f"
			}
			want(&expected)
			got.NoEffect = nil // TestNoEffect has it
			if !reflect.DeepEqual(got, expected) {
				t.Errorf("got  %+v\nwant %+v", got, expected)
			}
		})
	}
	check("every type", `explain = true
[graph]
max_nodes = 5_000
window = "1d12h30m"
[train]
seed = 0x10
learning_rate = 1
tolerance = 1e-3
interval = 90`, nil, func(c *Config) {
		c.Explain, c.Graph.MaxNodes, c.Graph.Window = true, 5000, 36*time.Hour+30*time.Minute
		c.Train.Seed, c.Train.LearningRate, c.Train.Tolerance, c.Train.Interval = 16, 1, 0.001, 90*time.Second
	})
	check("dotted, quoted and inline", "train.steps = 7\n\"graph\" . 'max_edges' = 99999\nmodel = { dim = 64, decoder = 'rotate' }\n",
		nil, func(c *Config) {
			c.Train.Steps, c.Graph.MaxEdges, c.Model.Dim, c.Model.Decoder = 7, 99999, 64, "rotate"
		})
	check("byte order mark, CRLF, comments", "\ufeff# hello\r\n[train] # x\r\nsteps = 7 # y\r\n", nil,
		func(c *Config) { c.Train.Steps = 7 })
	check("empty section", "[train]\n", nil, func(*Config) {})
	check("property over file", "[train]\nsteps = 7\nthreads = 2\n", props{"train_steps": "8"},
		func(c *Config) { c.Train.Steps, c.Train.Threads = 8, 2 })
	check("property forms", "", props{"explain": "On", "graph_max_edges": "2M", "graph_max_nodes": "20k", "train_min_edges": " 1_000 ",
		"threshold_k": "1.5", "train_interval": "600", "graph_window": "0", "state_dir": "/var/lib/rgcn"},
		func(c *Config) {
			c.Explain, c.Graph.MaxEdges, c.Graph.MaxNodes, c.Train.MinEdges = true, 2_000_000, 20_000, 1000
			c.Threshold.K, c.Train.Interval, c.Graph.Window, c.State.Dir = 1.5, 10*time.Minute, 0, "/var/lib/rgcn"
		})
	check("edges of ranges", "", props{"train_interval": "0", "model_dropout": "0.9", "model_dim": "1024", "model_layer1": "basis:64",
		"model_layer2": "full", "train_device": "cuda:3", "train_learning_rate": "1", "threshold_k": "0", "train_seed": "9223372036854775807"},
		func(c *Config) {
			c.Train.Interval, c.Model.Dropout, c.Model.Dim, c.Model.Layer1, c.Model.Layer2 = 0, 0.9, 1024, "basis:64", "full"
			c.Train.Device, c.Train.LearningRate, c.Threshold.K, c.Train.Seed = "cuda:3", 1, 0, 1<<63-1
		})
	check("field over preset", "fields.relation = 'user'\n", nil, func(c *Config) { c.Fields.Relation = [][]string{{"user"}} })
	check("the reference objective", "[model]\nobjective = 'reference'\ndropout = 0.1\n", nil, func(c *Config) {
		c.Model.Objective, c.Model.Dim, c.Train.Steps, c.Train.LearningRate = "reference", 32, 500, 0.01
	})
	check("a template", "[fields]\nrelation = 'client | auth_success'\n", props{"source": "user|host"}, func(c *Config) {
		c.Fields.Relation = [][]string{{"client"}, {"auth_success"}}
		c.Fields.Source = [][]string{{"user"}, {"host"}}
	})
	check("joined fields", "[fields]\nsource = ['user', 'host']\n", props{"destination": "a, $b['c']"}, func(c *Config) {
		c.Fields.Source = [][]string{{"user"}, {"host"}}
		c.Fields.Destination = [][]string{{"a"}, {"$b['c']"}}
	})
	check("times tried in order", "[fields]\ntime = ['ts', '@timestamp']\n", nil, func(c *Config) { c.Fields.Time = []string{"ts", "@timestamp"} })
	check("empty field is the preset's", "[fields]\nsource = ''\n", props{"relation": ""}, func(*Config) {})
	check("empty config_file", "", props{"config_file": ""}, func(*Config) {})
	check("custom", "[fields]\npreset = 'custom'\nsource = 'a'\ndestination = 'b'\n", nil, func(c *Config) {
		c.Fields = Fields{Preset: "custom", Ports: "auto", Source: [][]string{{"a"}}, Destination: [][]string{{"b"}}, Score: "score", LowScore: "low_score", SourceAlert: "source_alert", Reason: "score_reason", Model: "score_model", SourceRisk: "score_source_risk", SourceTriplets: "score_source_triplets", Evidence: c.Fields.Evidence}
	})
	check("custom across file and properties", "[fields]\npreset = 'custom'\nsource = 'a'\n", props{"destination": "b", "time": "t", "relation": "r"},
		func(c *Config) {
			c.Fields = Fields{Preset: "custom", Ports: "auto", Source: [][]string{{"a"}}, Destination: [][]string{{"b"}}, Relation: [][]string{{"r"}},
				Time: []string{"t"}, Score: "score", LowScore: "low_score", SourceAlert: "source_alert", Reason: "score_reason", Model: "score_model", SourceRisk: "score_source_risk", SourceTriplets: "score_source_triplets", Evidence: c.Fields.Evidence}
		})
	check("openssh", "", props{"preset": "openssh", "score": "s", "low_score": "l"}, func(c *Config) {
		c.Fields = Fields{Preset: "openssh", SSHD: true, Score: "s", LowScore: "l", SourceAlert: "source_alert", Reason: "score_reason", Model: "score_model", SourceRisk: "score_source_risk", SourceTriplets: "score_source_triplets", Evidence: c.Fields.Evidence,
			Ports: "auto", CutPorts: true, Time: []string{"_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "time", "timestamp", "@timestamp", "TimeCreated"},
			Message: []string{"message", "MESSAGE", "log", "msg", "Message"},
			Host:    []string{"host", "hostname", "HOSTNAME", "_HOSTNAME", "host.hostname", "host.name", "Computer"},
			Ident:   []string{"ident", "SYSLOG_IDENTIFIER", "_COMM", "appname"}}
	})
}

// The presets must be of the records that they are named after.
func TestPresetOnZeeksRecords(t *testing.T) {
	fields := defaults(t).Fields
	check := func(name string, log []byte, sessions, banners int) {
		t.Helper()
		records, found := 0, map[string]int{}
		for d := json.NewDecoder(bytes.NewReader(log)); ; records++ {
			var record map[string]any
			if err := d.Decode(&record); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{fields.Source[0][0], fields.Destination[0][0], fields.Relation[0][0], fields.Time[0]} {
				if _, ok := record[key].(string); ok {
					found[key]++
				}
			}
		}
		want := map[string]int{"id.orig_h": sessions, "id.resp_h": sessions, "client": banners, "ts": sessions}
		if records != sessions || !reflect.DeepEqual(found, want) {
			t.Errorf("%s: %d records with %v, want %d with %v", name, records, found, sessions, want)
		}
	}
	// The others ended before the client had sent its banner.
	check(samples.OwnZeekJSON, samples.Own(t, samples.OwnZeekJSON), 16, 13)
	if _, ok := samples.Find(samples.ZeekJSON); ok {
		check(samples.ZeekJSON, samples.Unpacked(t, samples.ZeekJSON), 22, 15)
	}
}

func TestSummary(t *testing.T) {
	check := func(text string, properties map[string]string, wantStart, wantPart string) {
		t.Helper()
		c, err := load(t, text, properties)
		if err != nil {
			t.Fatal(err)
		}
		lines := c.SummaryLines()
		got := strings.Join(lines, " / ")
		if !strings.HasPrefix(got, "settings: "+wantStart) || !strings.Contains(got, wantPart) || strings.Contains(got, "\n") {
			t.Errorf("summary %q\nwant it to start with %q and to have %q", got, wantStart, wantPart)
		}
		if !strings.HasPrefix(got, "settings: "+c.Summary()+" / defaults: ") {
			t.Errorf("%q is not the first of %q", c.Summary(), lines)
		}
		for _, o := range Options() { // none is cut off
			if n := strings.Count(" "+got, " "+o.Property()+"="); n != 1 && o.Type != typeFields {
				t.Errorf("%s is there %d times in %q", o.Property(), n, lines)
			}
		}
		for _, l := range lines {
			if len(l) > 1000 {
				t.Errorf("%d bytes: %s", len(l), l)
			}
		}
	}
	check("", nil, `preset=zeek source="id.orig_h else id_orig_h" destination="id.resp_h else id_resp_h" relation=client time=ts / defaults: explain=false `,
		" graph_window=30d ")
	check("[train]\nsteps = 9\ninterval='90m'\n", map[string]string{"state_dir": "/a b"},
		`config_file=f preset=zeek source="id.orig_h else id_orig_h" destination="id.resp_h else id_resp_h" relation=client time=ts `+
			"train_interval=1h30m train_steps=9 state_dir=\"/a b\" / defaults: ", " threshold_k=2 ")
	check("", map[string]string{"preset": "openssh"}, "preset=openssh time=_SOURCE_REALTIME_TIMESTAMP,__REALTIME_TIMESTAMP,time,timestamp,@timestamp,TimeCreated / defaults: ", ` state_dir=""`)
}

// Alternatives, joins, conditions and paths, as properties have them.
func TestFieldSettings(t *testing.T) {
	c, err := load(t, "", map[string]string{
		"preset": "custom", "source": "role else user | src", "destination": "$a['b else c'] else d", "relation": "x,y else z",
		"under": "$k['x.y']", "only": "event = start|end, kind!=dns", "cut_ports": "on",
	})
	if err == nil {
		t.Errorf("a path with \" else \" in it: %+v", c.Fields.Destination)
	}
	c, err = load(t, "", map[string]string{
		"preset": "custom", "source": "role else user | src", "destination": "d", "relation": "x,y else z",
		"under": "$k['x.y']", "only": "event = start|end, kind!=dns", "cut_ports": "on",
	})
	if err != nil {
		t.Fatal(err)
	}
	f := c.Fields
	if !reflect.DeepEqual(f.Source, [][]string{{"role", "user"}, {"src"}}) || !reflect.DeepEqual(f.Relation, [][]string{{"x"}, {"y", "z"}}) ||
		!reflect.DeepEqual(f.Only, []Condition{{Path: "event", Values: []string{"start", "end"}}, {Path: "kind", Values: []string{"dns"}, Not: true}}) ||
		f.Under != "$k['x.y']" || !f.CutPorts {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(c.Summary(), "only=event=start|end,kind!=dns") {
		t.Error(c.Summary())
	}
	if c, err := load(t, "", map[string]string{"cut_ports": "off"}); err != nil || c.Fields.CutPorts {
		t.Errorf("cut_ports off with a preset: %v", err)
	}
	for _, preset := range Presets() {
		if c, err := load(t, "", map[string]string{"preset": preset}); err != nil || !c.Fields.CutPorts {
			t.Errorf("%s: %+v %v", preset, c.Fields, err)
		}
	}
	if c, err = load(t, "", map[string]string{"preset": "teleport", "only": "event=x"}); err != nil || len(c.Fields.Only) != 1 || c.Fields.Only[0].Values[0] != "x" {
		t.Errorf("%+v %v", c.Fields.Only, err)
	}
}

// Relative paths begin in the directory that the host names, and are absolute from then on.
func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rgcn.toml"), []byte("[state]\ndir = 'state'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	property := func(key string) (string, bool) {
		v, ok := map[string]string{"config_file": "rgcn.toml", "model_features": "../hosts.csv", "allow": "allow.csv"}[key]
		return v, ok
	}
	c, err := LoadFrom(dir, property)
	if err != nil || c.File != filepath.Join(dir, "rgcn.toml") || c.State.Dir != filepath.Join(dir, "state") ||
		c.Model.Features != filepath.Join(filepath.Dir(dir), "hosts.csv") || c.Allow != filepath.Join(dir, "allow.csv") {
		t.Errorf("%q %q %q %q %v", c.File, c.State.Dir, c.Model.Features, c.Allow, err)
	}
	if _, err := Load(property); err == nil || !strings.Contains(err.Error(), "/plugin/config/rgcn.toml\": no such file") {
		t.Errorf("from the working directory: %v", err)
	}
}

// What Summary and conf/rgcn.toml print must read as the same value.
func TestRenderReadsBack(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 90 * time.Second, 10 * time.Minute, time.Hour, 61 * time.Minute, 36 * time.Hour,
		30 * 24 * time.Hour, 25*time.Hour + time.Second, 1500 * time.Millisecond, 24*time.Hour + time.Minute} {
		if got, ok := parseDuration(FormatDuration(d)); !ok || got != d {
			t.Errorf("%v reads back as %v, %v from %q", d, got, ok, FormatDuration(d))
		}
	}
	for _, o := range Options() {
		var c Config
		if !o.set(&c, o.fromText(o.Default)) || o.get(&c) != o.Default {
			t.Errorf("%s: default %q reads back as %q", o.Name(), o.Default, o.get(&c))
		}
		if o.Allowed == "" || o.Text == "" || strings.ContainsAny(o.Text+o.Allowed, "%\n\\") {
			t.Errorf("%s: text %q, allowed %q: want both, plain", o.Name(), o.Text, o.Allowed)
		}
	}
}

func TestPropertyNames(t *testing.T) {
	want := map[string]string{"explain": "explain", "fields.source": "source", "fields.low_score": "low_score",
		"train.min_new_edges": "train_min_new_edges", "state.dir": "state_dir"}
	seen := map[string]bool{"config_file": true}
	for _, o := range Options() {
		p := o.Property()
		if w, ok := want[o.Name()]; ok && p != w {
			t.Errorf("%s is property %q, want %q", o.Name(), p, w)
		}
		delete(want, o.Name())
		if seen[p] || p != strings.ToLower(p) {
			t.Errorf("property %q is doubled or not in lower case", p)
		}
		seen[p] = true
	}
	if len(want) > 0 {
		t.Errorf("no options for %v", want)
	}
}

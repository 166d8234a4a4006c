package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const wantFields = `want the path of a field (key, key.sub or $key['sub']), several as "a else b", or 1 to 8 of these with "|" between, or a list (in a property: with commas between)`
const wantTimes = "want the path of a field (key, key.sub or $key['sub']), or a list of 1 to 8 of them (in a property: with commas between)"

func TestFileErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// Wrong values and types.
		{"[train]\n\ninterval = '10x'", `f:3: train.interval = "10x": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"[graph]\nwindow = '59s'", `f:2: graph.window = "59s": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"graph.window = 3153600001", `f:1: graph.window = 3153600001: want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"train.interval = -1", `f:1: train.interval = -1: want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"train.interval = 1.5", `f:1: train.interval = 1.5: want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"\n\"train\" . 'steps' = 4.0", `f:2: train.steps = 4.0: want an integer from 1 to 100000`},
		{"train = { seed = 1, steps = 0 }", `f:1: train.steps = 0: want an integer from 1 to 100000`},
		{"train.seed = -1", `f:1: train.seed = -1: want an integer from 0 to 9223372036854775807`},
		{"train.learning_rate = 0", `f:1: train.learning_rate = 0: want a number above 0, up to 1`},
		{"model.dropout = nan", `f:1: model.dropout = NaN: want a number from 0 to 0.9`},
		{"threshold.per_day = inf", `f:1: threshold.per_day = +Inf: want a number above 0, up to 1000000`},
		{"threshold.quantile = 1", `f:1: threshold.quantile = 1: want a number above 0 and below 1`},
		{"explain = 'true'", `f:1: explain = "true": want true or false`},
		{"explain = 2018-03-24T17:16:40Z", `f:1: explain = 2018-03-24T17:16:40Z: want true or false`},
		{"[graph]\nmax_nodes = [\n 1,\n 2]", `f:2: graph.max_nodes = [1, 2]: want an integer from 16 to 10000000`},
		{"[model]\nobjective = 'other'", `f:2: model.objective = "other": want temporal or reference`},
		{"[model]\nobjective = 'reference'\n[train]\nhold = '3d'", `f:4: train.hold = 3d: the objective reference learns all at once; want 0 or nothing here, or the objective temporal`},
		{"[model]\ndim = 130", `f:2: model.dim = 130: want a multiple of 4 from 8 to 1024, or 0 to go by the size of the graph`},
		{"[model]\nlayer1 = 'basis:0'", `f:2: model.layer1 = "basis:0": want diagonal, basis:N with N from 1 to 64, or full`},
		{"[train]\ndevice = 'cuda:'", `f:2: train.device = "cuda:": want auto, cpu, cuda or cuda:N with N from 0 to 63`},
		{"[threshold]\nmethod = 'Sigma'", `f:2: threshold.method = "Sigma": want sigma, quantile or budget`},
		{"[threshold]\nmethod = ['sigma']", `f:2: threshold.method = ["sigma"]: want sigma, quantile or budget`},
		{"allow = true", `f:1: allow = true: want the path of a CSV file, or "" for none`},
		{"[state]\ndir = 1", `f:2: state.dir = 1: want a directory, or "" for memory only`},
		{"[metrics]\nlisten = 'x'", `f:2: metrics.listen = "x": want a host and a port of 1 to 65535 such as "127.0.0.1:2023", or "" for none`},
		{"[metrics]\nlisten = '127.0.0.1:0'", `f:2: metrics.listen = "127.0.0.1:0": want a host and a port of 1 to 65535 such as "127.0.0.1:2023", or "" for none`},
		{"[metrics]\nlisten = ':2023'", `f:2: metrics.listen = ":2023": other machines reach this address, want one of this machine alone such as 127.0.0.1:2023, or metrics.allow_remote = true`},
		{"[metrics]\nlisten = '10.0.0.1:2023'", `f:2: metrics.listen = "10.0.0.1:2023": other machines reach this address, want one of this machine alone such as 127.0.0.1:2023, or metrics.allow_remote = true`},
		{"[fields]\nsource = ['a', '']", `f:2: fields.source = ["a", ""]: ` + wantFields},
		{"[fields]\nsource = []", `f:2: fields.source = []: ` + wantFields},
		{"[fields]\nrelation = 'client|'", `f:2: fields.relation = "client|": ` + wantFields},
		{"[fields]\nsource = [['a', 'b']]", `f:2: fields.source = [["a", "b"]]: ` + wantFields},
		{"[fields]\ntime = ' ts'", `f:2: fields.time = " ts": ` + wantTimes},
		{"[fields]\nscore = ''", `f:2: fields.score = "": want a field's name`},
		{"[fields]\nscore = \"a\\nb\"", `f:2: fields.score = "a\nb": want a field's name`},
		{"[fields]\nscore = '" + strings.Repeat(" x", 100) + "'", `f:2: fields.score = "` + strings.Repeat(" x", 39) + ` ...: want a field's name`},
		{"[train.interval]\nx = 1", `f:1: train.interval = a table: want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"\ntrain.steps.x = 1", `f:2: train.steps = a table: want an integer from 1 to 100000`},
		{"[[train]]\nsteps = 1", `f:1: train is a section, want [train] and its keys on the lines below`},
		{"[[train.steps]]\nx = 1", `f:1: train.steps = a table: want an integer from 1 to 100000`},
		{"\ntrain = 5", `f:2: train is a section, want [train] and its keys on the lines below`},

		// Unknown keys and sections.
		{"[train]\nintervall = '10m'", `f:2: unknown key train.intervall: did you mean train.interval?`},
		{"[train]\nInterval = '10m'", `f:2: unknown key train.Interval: did you mean train.interval?`},
		{"[train]\nsetps = 1", `f:2: unknown key train.setps: did you mean train.steps?`},
		{"interval = '10m'", `f:1: unknown key interval: did you mean train.interval?`},
		{"[state]\nseed = 1", `f:2: unknown key state.seed: did you mean train.seed?`},
		{"train_interval = '10m'", `f:1: unknown key train_interval: did you mean train.interval?`},
		{"[train]\nepochs = 1\n", `f:2: unknown key train.epochs: want interval, min_edges, min_new_edges, steps, learning_rate, negatives, sample, share, seed, threads, device, tolerance, hold or max_memory`},
		{"colour = 1", `f:1: unknown key colour: want explain, field_style, allow, publish, publish_key or publish_unsigned, or a section of fields, graph, model, train, threshold, state, fleet or metrics`},
		{"'a\\nb' = 1", `f:1: unknown key "a\\nb": want explain, field_style, allow, publish, publish_key or publish_unsigned, or a section of fields, graph, model, train, threshold, state, fleet or metrics`},
		{"\"a\\nb\" = 1", `f:1: unknown key "a\nb": want explain, field_style, allow, publish, publish_key or publish_unsigned, or a section of fields, graph, model, train, threshold, state, fleet or metrics`},
		{"\"\" = 1", `f:1: unknown key "": want explain, field_style, allow, publish, publish_key or publish_unsigned, or a section of fields, graph, model, train, threshold, state, fleet or metrics`},
		{"[trian]\nsteps = 1", `f:1: unknown section [trian]: did you mean [train]?`},
		{"[Train]\nsteps = 1", `f:1: unknown section [Train]: did you mean [train]?`},
		{"[output]\nhost = 1", `f:1: unknown section [output]: want fields, graph, model, train, threshold, state, fleet or metrics`},
		{"output.host = 1", `f:1: unknown section [output]: want fields, graph, model, train, threshold, state, fleet or metrics`},
		{"\n[a.b.c]\nd = 1", `f:2: unknown section [a]: want fields, graph, model, train, threshold, state, fleet or metrics`},
		{"[explain]\nx = 1", `f:1: explain = a table: want true or false`},

		// The earliest mistake is named, whatever the section.
		{"[train]\nsteps = 0\n[graph]\nmax_nodes = 0", `f:2: train.steps = 0: want an integer from 1 to 100000`},

		// Doubled keys.
		{"[train]\nsteps = 1\nsteps = 2", `f:3: train.steps is set twice, want each key and section once`},
		{"[train]\nsteps = 1\n[graph]\n[train]\nseed = 2", `f:4: train is set twice, want each key and section once`},
		{"train.steps = 1\n[train]\nsteps = 2", `f:3: train.steps is set twice, want each key and section once`},

		// Syntax.
		{"[train]\ninterval = 10m", `f:2: "interval = 10m": expected a top-level item to end with a newline, comment, or EOF, but got 'm' instead; want key = value, with text and durations in quotes`},
		{"explain = on", `f:1: "explain = on": expected value but found "on" instead; want key = value, with text and durations in quotes`},
		{"explain =\n", `f:1: "explain =": expected value but found '\n' instead; want key = value, with text and durations in quotes`},
		{"\n[train\nsteps = 1", `f:2: "[train": expected '.' or ']' to end table name, but got '\n' instead; want key = value, with text and durations in quotes`},
		{"explain true", `f:1: "explain true": expected '.' or '=', but got 't' instead; want key = value, with text and durations in quotes`},
		{"train.seed = 99999999999999999999", `f:1: "train.seed = 99999999999999999999": 99999999999999999999 is out of range for int64; want key = value, with text and durations in quotes`},
		{"state.dir = \"x", `f:1: "state.dir = \"x": unexpected EOF; expected '"'; want key = value, with text and durations in quotes`},
		{"\n\x00", `f:2: "\x00": files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8; want key = value, with text and durations in quotes`},
		{"\"\\", `f:1: "\"\\": invalid escape in string '\?'; want key = value, with text and durations in quotes`},
		{"\n\xff = 1", `f:2: "\xff = 1": invalid UTF-8 byte: 0xff; want key = value, with text and durations in quotes`},

		// Keys that do not fit together.
		{"[fields]\nlow_score = 'score'", `f:2: fields.low_score = "score": score and low_score must have different names`},
		{"[fields]\nscore = 'low_score'", `f:2: fields.score = "low_score": score and low_score must have different names`},
		{"[fields]\nsource_alert = 'id.orig_h'", `f:2: fields.source_alert = "id.orig_h": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nscore = 'id'", `f:2: fields.score = "id": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nscore = 'a'\nsource = \"$a['ip']\"", `f:2: fields.score = "a": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nscore = 'a'\nsource = '$a'", `f:2: fields.score = "a": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nscore = 'a'\nunder = 'a.b'", `f:2: fields.score = "a": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nscore = 'a'\nonly = ['a.b=c']", `f:2: fields.score = "a": the filter reads a field of that name, which the added one would replace; want another name`},
		{"explain = true\n[fields]\nrelation = 'score_reason'", `f:1: explain = true: the filter reads a field score_reason, which the one that explain adds would replace; want explain = false, or the field under another name`},
		{"[fields]\nscore = 'kind'\nonly = ['kind=ssh']", `f:2: fields.score = "kind": the filter reads a field of that name, which the added one would replace; want another name`},
		{"[fields]\nsource_alert = 'low_score'", `f:2: fields.source_alert = "low_score": low_score and source_alert must have different names`},
		{"[fields]\nlow_score = 'source_alert'", `f:2: fields.low_score = "source_alert": low_score and source_alert must have different names`},
		{"[fields]\nsource_alert = 'score_source_risk'", `f:2: fields.source_alert = "score_source_risk": the name is taken by a field that explain adds, want another one`},
		{"[threshold]\nsources_per_day = -1", `f:2: threshold.sources_per_day = -1: want a number from 0 to 1024`},
		{"[threshold]\nsources_per_day = 1025", `f:2: threshold.sources_per_day = 1025: want a number from 0 to 1024`},
		{"[fields]\nscore = 'score_model'", `f:2: fields.score = "score_model": the name is taken by a field that explain adds, want another one`},
		{"[fields]\npreset = 'custom'\nsource = 'a'", `f:2: fields.preset = "custom": fields.destination is not set, the preset custom needs both source and destination`},
		{"[fields]\npreset = 'custom'", `f:2: fields.preset = "custom": fields.source is not set, the preset custom needs both source and destination`},
		{"[fields]\npreset = 'openssh'\nrelation = ['a', 'b']", `f:3: fields.relation = "a,b": not allowed with preset openssh, which takes source, destination and relation from sshd's message; use preset custom to name fields`},
		{"[train]\nmin_edges = 600_000", `f:2: train.min_edges = 600000: train.min_edges 600000 exceeds graph.max_edges 500000, so training would never start`},
		{"[graph]\nmax_edges = 40\n[train]\nmin_edges = 50", `f:4: train.min_edges = 50: train.min_edges 50 exceeds graph.max_edges 40, so training would never start`},
	} {
		if _, err := load(t, c.text, nil); err == nil || err.Error() != c.want {
			t.Errorf("%q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

// A name that is read in a map is free beside it, and one that explain would add without explain.
func TestNamesThatAreFree(t *testing.T) {
	for _, text := range []string{
		"[fields]\nunder = 'zeek'\nscore = 'id.orig_h'",
		"[fields]\nsource = 'score_reason'",
		"[fields]\nsource = 'a.score'",
	} {
		if _, err := load(t, text, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What Only names lies in the map as well, and may lie too deep there.
func TestOnlyUnderADeepMap(t *testing.T) {
	_, err := load(t, "[fields]\nunder = \"$a"+strings.Repeat("['b']", 14)+"\"\nonly = ['x.y=1']", nil)
	if err == nil || !strings.HasPrefix(err.Error(), "f:2: fields.under = ") || !strings.Contains(err.Error(), "17 parts, allowed are 16") {
		t.Error(err)
	}
}

// The default names count as well.
func TestADefaultNameOverWhatIsRead(t *testing.T) {
	_, err := load(t, "[fields]\nsource = 'score.ip'", nil)
	if err == nil || !strings.Contains(err.Error(), "fields.score = \"score\": the filter reads a field of that name") {
		t.Error(err)
	}
}

func TestPropertyErrors(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"train_interval", "soon", `property train_interval = "soon": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"train_interval", "", `property train_interval = "": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"graph_window", "1d-2h", `property graph_window = "1d-2h": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"graph_window", "d", `property graph_window = "d": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"graph_window", "9999999999999999999", `property graph_window = "9999999999999999999": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"graph_window", "36500d1m", `property graph_window = "36500d1m": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1m, at most 36500d, or 0 for no limit`},
		{"graph_max_nodes", "5", `property graph_max_nodes = "5": want an integer from 16 to 10000000`},
		{"graph_max_nodes", "1.5k", `property graph_max_nodes = "1.5k": want an integer from 16 to 10000000`},
		{"graph_max_nodes", "18446744073709552k", `property graph_max_nodes = "18446744073709552k": want an integer from 16 to 10000000`},
		{"explain", "maybe", `property explain = "maybe": want true or false`},
		{"threshold_k", "NaN", `property threshold_k = "NaN": want a number from 0 to 10`},
		{"source", "a,,b", `property source = "a,,b": ` + wantFields},
		{"source", "a,b,c,d,e,f,g,h,i", `property source = "a,b,c,d,e,f,g,h,i": ` + wantFields},
		{"source", "$a[", `property source = "$a[": ` + wantFields},
		{"source", "a else", `property source = "a else": ` + wantFields},
		{"destination", "a..b", `property destination = "a..b": ` + wantFields},
		{"relation", "$", `property relation = "$": ` + wantFields},
		{"relation", strings.Repeat("a.", 16) + "a", `property relation = "` + strings.Repeat("a.", 16) + `a": ` + wantFields},
		{"under", "$a[b]", `property under = "$a[b]": want the path of a key, such as zeek, a.b or $a['b'], or "" for the record itself`},
		{"under", strings.Repeat("a.", 15) + "a", `property under = "` + strings.Repeat("a.", 15) + `a": record: path "ts" under "` + strings.Repeat("a.", 15) + `a": 17 parts, allowed are 16`},
		{"only", "event", `property only = "event": want key=value, key=value|value or key!=value, or a list of 1 to 8 of them (in a property: with commas between)`},
		{"only", "=x", `property only = "=x": want key=value, key=value|value or key!=value, or a list of 1 to 8 of them (in a property: with commas between)`},
		{"only", "a=x|", `property only = "a=x|": want key=value, key=value|value or key!=value, or a list of 1 to 8 of them (in a property: with commas between)`},
		{"only", "client==c", `property only = "client==c": did you mean client=c? A condition has one = and no quotes`},
		{"only", `a != "x"|'y z', b=1`, `property only = "a != \"x\"|'y z', b=1": did you mean a!=x|y z,b=1? A condition has one = and no quotes`},
		{"only", `"a=x"`, `property only = "\"a=x\"": did you mean a=x? A condition has one = and no quotes`},
		{"only", `a="x`, ``},
		{"source", `"id.orig_h"`, `property source = "\"id.orig_h\"": ` + wantFields},
		{"state_dir", `"/var/lib/x"`, `property state_dir = "\"/var/lib/x\"": the quotes count as part of the path, want the path without them`},
		{"state_dir", "/var/lib/x # on the large disk", `property state_dir = "/var/lib/x # on the large disk": the text from # on counts as part of the path, want the path alone, and a comment on a line of its own`},
		{"state_dir", "/var/lib/x#1", ``},
		{"allow", "'/etc/allow.csv'", `property allow = "'/etc/allow.csv'": the quotes count as part of the path, want the path without them`},
		{"publish", `"/srv/fleet"`, `property publish: the quotes count as part of the path, want the path without them`},
		{"state_required", "on", `property state_required = true: state.dir is empty, want a directory`},
		{"state_dir", "~/rgcn", `property state_dir = "~/rgcn": ~ means a home directory to a shell alone, want the whole path`},
		{"model_features", "~/hosts.csv", `property model_features = "~/hosts.csv": ~ means a home directory to a shell alone, want the whole path`},
		{"allow", "~", `property allow = "~": ~ means a home directory to a shell alone, want the whole path`},
		{"state_interval", "soon", `property state_interval = "soon": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to save with trainings and at exit only`},
		{"state_interval", "500ms", `property state_interval = "500ms": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to save with trainings and at exit only`},
		{"preset", "custom", `property preset = "custom": fields.source is not set, the preset custom needs both source and destination`},
		{"low_score", "score_reason", `property low_score = "score_reason": the name is taken by a field that explain adds, want another one`},
		{"train_device", "gpu\n\x1b[31m", `property train_device = "gpu\n\x1b[31m": want auto, cpu, cuda or cuda:N with N from 0 to 63`},
	} {
		if _, err := load(t, "", map[string]string{c.key: c.value}); c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s %q:\ngot  %v\nwant %s", c.key, c.value, err, c.want)
		}
	}
	// The file's key is at fault when a property makes it impossible.
	_, err := load(t, "[fields]\nsource = 'a'\n", map[string]string{"preset": "openssh"})
	want := `f:2: fields.source = "a": not allowed with preset openssh, which takes source, destination and relation from sshd's message; use preset custom to name fields`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Every property refuses what is not of its kind with its own name, the value and what is allowed.
func TestEveryPropertyRefusesBadValues(t *testing.T) {
	bad := map[string][]string{
		typeBoolean:  {"", "2", "maybe", "truefalse"},
		typeInteger:  {"", "-1", "1.5", "x", "99999999999999999999", "0x10", "1e3"},
		typeNumber:   {"", "-1", "x", "NaN", "Inf", "1e9", "0,5"},
		typeDuration: {"", "-1s", "soon", "1w", "10 m", "1", "0.5s"},
		typeFields:   {"a,,b", "a..b", "$", "$a[", "$a['b'", ".a"},
	}
	delete(bad, "")
	for _, o := range Options() {
		values := bad[o.Type]
		if o.Key == "time" {
			values = append(slices.Clone(values), "ts else time") // as in source; here a list does that
		}
		if o.Type == typeText && !o.set(new(Config), "no such value") {
			values = []string{"no such value"}
		}
		for _, v := range values {
			if o.Type == typeDuration && o.set(new(Config), o.fromText(v)) { // one that has no unit is in seconds
				continue
			}
			_, err := load(t, "", map[string]string{o.Property(): v})
			want := oneLine(o.refuse("property "+o.Property(), v))
			if err == nil || err.Error() != want.Error() {
				t.Errorf("%s = %q:\ngot  %v\nwant %v", o.Property(), v, err, want)
			}
		}
	}
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("#", size)), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("large", maxFileSize+1, 0o600)
	write("full", maxFileSize, 0o600)
	write("closed", 1, 0)
	check := func(path, want string) {
		t.Helper()
		_, err := Load(func(key string) (string, bool) { return path, key == "config_file" })
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), dir, "DIR")
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", path, got, want)
		}
	}
	check(filepath.Join(dir, "full"), "")
	check(dir, `property config_file = "DIR": is a directory, want a TOML file`)
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "pipe"), `property config_file = "DIR/pipe": is a pipe, want a TOML file`)
	check("/dev/null", `property config_file = "/dev/null": is a device, want a TOML file`)
	check(filepath.Join(dir, "large"), `property config_file = "DIR/large": is larger than 1048576 bytes, want a TOML file`)
	check(filepath.Join(dir, "none"), `property config_file = "DIR/none": no such file or directory, want a readable TOML file`)
	check(filepath.Join(dir, "full", "x"), `property config_file = "DIR/full/x": not a directory, want a readable TOML file`)
	check(filepath.Join(dir, "a\x00b"), `property config_file = "DIR/a\x00b": invalid argument, want a readable TOML file`)
	check(`"/etc/rgcn.toml"`, `property config_file = "\"/etc/rgcn.toml\"": the quotes count as part of the path, want the path without them`)
	check("~/rgcn.toml", `property config_file = "~/rgcn.toml": ~ means a home directory to a shell alone, want the whole path`)
	if os.Getuid() != 0 { // root may read everything
		check(filepath.Join(dir, "closed"), `property config_file = "DIR/closed": permission denied, want a readable TOML file`)
	}
	write("odd\nname", 0, 0o600)
	if err := os.WriteFile(filepath.Join(dir, "odd\nname"), []byte("x = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "odd\nname"), `DIR/odd?name:1: unknown key x: want explain, field_style, allow, publish, publish_key or publish_unsigned, or a section of fields, graph, model, train, threshold, state, fleet or metrics`)
}

// Whatever the file holds: no panic, and the error, if any, is one line that names the file.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{"", "explain = true\n", "[train]\ninterval = '10x'\n", "a.b.c = {d = [1, {e = 2}]}\n", "[[train]]\nsteps = 1\n[[train.x]]\n",
		"[fields]\nsource = ['a', 'b']\npreset = \"openssh\"\n", "\"\\", "x = 1979-05-27\ny = '''\n'''", "train.steps = 1\n[train]\nsteps = 2"} {
		f.Add(seed)
	}
	shipped, err := os.ReadFile("../../conf/rgcn.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(shipped))
	f.Add(strings.ReplaceAll(string(shipped), "\n# ", "\n")) // its comments are settings too
	f.Fuzz(func(t *testing.T, text string) {
		l := newLoader()
		err := l.file("f", text)
		if err == nil {
			if err = l.finish(); err == nil {
				if s := l.config.Summary(); strings.Contains(s, "\n") {
					t.Errorf("summary %q is more than a line", s)
				}
				for _, idle := range l.config.NoEffect {
					if strings.ContainsAny(idle.Text(), "\r\n") {
						t.Errorf("%q is more than a line", idle.Text())
					}
				}
				return
			}
		}
		if s := oneLine(err).Error(); strings.ContainsAny(s, "\r\n") || !strings.HasPrefix(s, "f:") || strings.HasPrefix(s, "f:0:") {
			t.Errorf("%q: error %q, want one line that names file and line", text, s)
		}
	})
}

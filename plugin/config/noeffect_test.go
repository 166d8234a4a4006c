package config

import (
	"slices"
	"strings"
	"testing"
)

// What is given and changes nothing is told, with where it was given and why; what counts is not.
func TestNoEffect(t *testing.T) {
	const training = "train.interval = 0 lets no training happen"
	for _, c := range []struct {
		properties string // with ; between
		want       []string
	}{
		{"", nil},
		{"threshold_quantile 0.2", []string{"property threshold_quantile = 0.2 has no effect: used with threshold.method quantile only, " +
			"and threshold.method is budget; remove it, or set threshold.method to quantile"}},
		{"threshold_k 0", []string{"property threshold_k = 0 has no effect: used with threshold.method sigma only, and threshold.method is budget"}},
		{"threshold_per_day 5;threshold_method sigma", []string{"property threshold_per_day = 5 has no effect: used with threshold.method budget only, and threshold.method is sigma"}},
		{"threshold_per_day 30;threshold_method quantile", []string{"threshold_per_day = 30 has no effect"}},
		{"threshold_k 1;threshold_method sigma", nil},
		{"threshold_quantile 0.2;threshold_method quantile", nil},
		{"threshold_per_day 5", nil},
		{"train_interval 0;train_hold 3d;train_steps 9;model_dim 16", []string{"property model_dim = 16 and property train_steps = 9 and property train_hold = 3d have no effect: " + training + "; remove them, or let this filter train"}},
		{"train_interval 0;train_max_memory 9;train_threads 2;model_prefixes off", nil}, // a model of the state directory makes scores with these
		{"train_steps 9;model_dim 16;train_hold 3d", nil},
		{"train_sample 9;train_share 0.5", []string{"train_sample = 9 and property train_share = 0.5 have no effect: used with model.objective reference only"}},
		{"train_sample 9;train_interval 0", []string{"train_sample = 9 has no effect: " + training}}, // once
		{"model_objective reference;train_sample 9", nil},
		{"model_objective reference;model_layer1 full;train_negatives 2;model_features /f", []string{
			"model_layer1 = \"full\" and property model_features = \"/f\" and property train_negatives = 2 have no effect: the objective reference makes no use"}},
		{"source_alert x;threshold_sources_per_day 0", []string{"source_alert = \"x\" has no effect: threshold.sources_per_day = 0 lets no source be reported"}},
		{"source_alert x", nil},
		{"state_interval 1m", []string{"state_interval = 1m has no effect: used with state.dir only, which is empty"}},
		{"state_interval 1m;state_dir /d", nil},
		{"state_poll 5m;state_old_after 2d", []string{"state_poll = 5m and property state_old_after = 2d have no effect: used with state.from only, which is empty"}},
		{"state_from /d;state_unsigned on;state_poll 5m", nil},
		{"state_from /d;state_unsigned on;train_steps 9", []string{"train_steps = 9 has no effect: a filter with state.from does not train"}},
		{"graph_source_credentials /c;graph_source_query {}", []string{"graph_source_credentials = \"/c\" and property graph_source_query = \"{}\" have no effect: used with graph.source only, which is empty"}},
		{"graph_source http://127.0.0.1:9200/i;graph_source_ca /c", []string{"graph_source_ca = \"/c\" has no effect: used for an address with https:// only"}},
		{"graph_source https://127.0.0.1:9200/i;graph_source_ca /c", nil},
		{"fleet_credentials /c;publish /d;publish_unsigned on", []string{"fleet_credentials = \"/c\" has no effect: used where publish or state.from is at a server only"}},
		{"fleet_credentials /c;publish https://host/x;publish_unsigned on", nil},
		{"fleet_s3_region eu;publish https://host/x;publish_unsigned on", []string{"fleet_s3_region = \"eu\" has no effect: used where publish or state.from begins with s3:// only"}},
		{"fleet_s3_region eu;publish s3://bucket/x;publish_unsigned on", nil},
		{"metrics_allow_remote on", []string{"metrics_allow_remote = true has no effect: used with metrics.listen only, which is empty"}},
		{"metrics_allow_remote off", nil},
		{"metrics_allow_remote on;metrics_listen 127.0.0.1:2023", nil}, // names of hosts other than localhost are served then
	} {
		properties := map[string]string{}
		for _, p := range strings.Split(c.properties, ";") {
			key, value, _ := strings.Cut(p, " ")
			properties[key] = value
		}
		got, err := load(t, "", properties)
		if err != nil {
			t.Errorf("%s: %v", c.properties, err)
			continue
		}
		if len(got.NoEffect) != len(c.want) {
			t.Errorf("%s: %v, want %d lines", c.properties, got.NoEffect, len(c.want))
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got.NoEffect[i].Text()+"; "+got.NoEffect[i].Fix(), want) {
				t.Errorf("%s: %v, want %q", c.properties, got.NoEffect[i], want)
			}
		}
	}
	c, err := load(t, "[threshold]\n\nk = 3\n", nil)
	if err != nil || len(c.NoEffect) != 1 || !strings.Contains(c.NoEffect[0].Text(), "rgcn.toml:3: threshold.k = 3 has no effect: ") {
		t.Errorf("%v, %v", c.NoEffect, err)
	}
}

// The table names options that there are, and has a line for each setting that its own text limits.
func TestNoEffectTable(t *testing.T) {
	var names []string
	for _, rule := range countings {
		for name := range strings.FieldsSeq(rule.names) {
			if _, ok := lookup(name); !ok {
				t.Errorf("no option %s", name)
			}
			names = append(names, name)
		}
	}
	for _, o := range Options() {
		for _, limit := range []string{", for sigma", ", for quantile", ", for budget", "of the objective reference", "Not read by the objective reference"} {
			if strings.Contains(o.Text, limit) && !slices.Contains(names, o.Name()) {
				t.Errorf("%s counts sometimes only and is not in the table", o.Name())
			}
		}
	}
}

// A property that is there and empty, most likely by a variable without a value, is told with what counts instead.
func TestEmptyProperties(t *testing.T) {
	for _, c := range []struct{ property, want string }{
		{"state_dir", "property state_dir is empty: nothing is kept over a restart"},
		{"config_file", "property config_file is empty: no file with settings is read"},
		{"only", "property only is empty: the conditions of the preset count, if it has any"},
		{"source", "property source is empty: the field of the preset counts"},
		{"fleet_ca_file", "property fleet_ca_file is empty: its default counts"},
	} {
		got, err := load(t, "", map[string]string{c.property: ""})
		if err != nil || len(got.NoEffect) != 1 || got.NoEffect[0].Text() != c.want || !strings.Contains(got.NoEffect[0].Fix(), "a variable") {
			t.Errorf("%s: %v %+v", c.property, err, got.NoEffect)
		}
	}
	if got, err := load(t, "[state]\ndir = ''\n[fields]\nonly = ''\n", nil); err != nil || len(got.NoEffect) != 0 {
		t.Errorf("a file that names settings and leaves them empty: %v %+v", err, got.NoEffect)
	}
}

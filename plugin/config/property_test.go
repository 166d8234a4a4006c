package config

import (
	"strings"
	"testing"
)

func TestCheckProperty(t *testing.T) {
	for _, o := range Options() {
		if err := CheckProperty(o.Property(), o.Default); err != nil {
			t.Errorf("%s: its default: %v", o.Property(), err)
		}
	}
	for _, c := range []struct{ key, value, want string }{
		{"config_file", "anything", ""},
		{"preset", "custom", ""}, // what it needs besides only Load can tell
		{"train_interval", "soon", `property train_interval = "soon": want a duration`},
		{"graph_max_edges", "1", `property graph_max_edges = "1": want an integer from 16`},
		{"source", "$a[", `property source = "$a[": want the path of a field`},
		{"train_intervall", "5m", `unknown property "train_intervall": did you mean train_interval?`},
		{"interval", "5m", `unknown property "interval": did you mean train_interval?`},
		{"train.interval", "5m", `did you mean train_interval?`},
		{"nothing_like_it", "", "lists those that there are"},
		{"a\nb", "", `unknown property "a\nb"`},
	} {
		err := CheckProperty(c.key, c.value)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s %s: %v, want %q", c.key, c.value, err, c.want)
		}
	}
}

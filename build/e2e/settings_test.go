package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
)

// TestWrongSettings: Fluent Bit does not start, and one line tells why.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, dir, "rgcn.toml", "[train]\ninterval = \"1h\"\n\n[graph]\nmax_edgs = 5\n")
	hosts := write(t, dir, "hosts.csv", "host,role\nweb-1,web\nweb-1,proxy\n")
	once := filepath.Join(dir, "once")
	cases := []struct {
		name    string
		filters []string
		want    string
	}{
		{"misspelt property", []string{filter("ssh", "Train_Intervall", "5m")}, "rgcn: unknown configuration property 'train_intervall'."},
		{"bad value", []string{filter("ssh", "Train_Interval", "soon")},
			`property train_interval = "soon": want a duration such as "90s", "10m", "1d12h" or a number of seconds, at least 1s, at most 36500d, or 0 to never train and only score`},
		{"features that cannot be read", []string{filter("ssh", "Model_Features", hosts)}, `model.features = "` + hosts + `": ` + hosts + ":3: host \"web-1\" stands in line 2 already, want one row for each"},
		{"unknown key", []string{filter("ssh", "Config_File", file)}, file + ":5: unknown key graph.max_edgs: did you mean graph.max_edges?"},
		{"no file", []string{filter("ssh", "Config_File", file+"x")}, file + `x": no such file or directory`},
		{"state directory under a file", []string{filter("ssh", "State_Dir", file+"/state", "State_Required", "On")}, "state: directory " + file + "/state: "},
		{"state directory twice", []string{filter("ssh", "State_Dir", once), filter("ssh", "State_Dir", once)},
			"state: directory " + once + " is in use by another process or filter; each needs a directory of its own"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sections := append(c.filters, section("INPUT", "Name", "dummy", "Tag", "ssh"), section("OUTPUT", "Name", "null", "Match", "*"))
			p := start(t, "-c", pipeline(t, t.TempDir(), sections...))
			if code := p.wait(); code <= 0 {
				t.Errorf("exit %d", code)
			}
			said := 0
			for line := range strings.Lines(p.log()) {
				// After our line the host logs that initialising failed.
				if strings.Contains(line, "[error] [filter:rgcn:") || strings.Contains(line, "[error] [config] rgcn:") {
					said++
				}
			}
			if said != 1 {
				t.Errorf("%d lines say why:\n%s", said, p.log())
			}
			p.wantLogged(c.want)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	p := start(t, "-F", "rgcn", "-h")
	if code := p.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	help := map[string]string{} // property -> its text, on one line
	name := ""
	for _, line := range lines(t, p.stdout) {
		words := strings.Fields(strings.TrimPrefix(line, "\x1b[0m"))
		if len(words) > 0 && !strings.HasPrefix(strings.TrimPrefix(line, "\x1b[0m"), " ") {
			name, words = words[0], words[1:]
		}
		help[name] += " " + strings.Join(words, " ")
	}
	for _, o := range config.Options() {
		text := help[o.Property()]
		for _, want := range []string{o.Text, o.Allowed} {
			if !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%s: the help says %q, not %q", o.Property(), text, want)
			}
		}
		if o.Default != "" && !strings.Contains(text, "> default: "+o.Default+",") {
			t.Errorf("%s: the help says %q, not the default %s", o.Property(), text, o.Default)
		}
	}
	if !strings.Contains(help["config_file"], "TOML") {
		t.Errorf("config_file: the help says %q", help["config_file"])
	}
	if len(config.Options()) == 0 {
		t.Error("no options")
	}
}

// TestTheHostsOwnHelp lists the filter among the host's own.
func TestTheHostsOwnHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(host, "-e", sharedObject, "-h").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "score SSH connections") {
		t.Errorf("%v:\n%s", err, out)
	}
}

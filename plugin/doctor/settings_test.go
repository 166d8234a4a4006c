package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	toml := write(t, dir, "rgcn.toml", "[graph]\nmax_edgs = 5\n")
	good := write(t, dir, "good.toml", "[graph]\nmax_edges = 500\n")
	idle := write(t, dir, "idle.toml", "[threshold]\nk = 3\n")
	hosts := write(t, dir, "hosts.csv", "host,role\nweb-1,web\nweb-1,proxy\n")
	list := write(t, dir, "allow.csv", "source,relation,destination\n10.0.0.0/99,*,*\n")
	for _, c := range []struct {
		properties string // with ; between
		level      Level
		want       []string // of the finding, the place and the fix among them
	}{
		{"Train_Interval 5m", OK, []string{"fluent-bit.conf:5", "train_interval=5m"}},
		{"Log_Level debug;Alias mine;Match_Regex x", OK, []string{"mine: preset=zeek"}},
		{"Config_File " + good, OK, []string{"graph_max_edges=500"}},
		{"Train_Intervall 5m", Problem, []string{"fluent-bit.conf:8", `unknown property "train_intervall"`, "did you mean train_interval?"}},
		{"Interval 5m", Problem, []string{`unknown property "interval"`, "did you mean train_interval?"}},
		{"Train_Interval soon", Problem, []string{"fluent-bit.conf:8", `property train_interval = "soon"`, "want a duration"}},
		{"Preset zeek;Graph_Max_Edges 1", Problem, []string{"fluent-bit.conf:9", "property graph_max_edges"}},
		{"Train_Steps 0;Graph_Max_Edges 1", Problem, []string{"property train_steps"}},
		{"Preset custom", Problem, []string{"fluent-bit.conf:8", "fields.source is not set", "the preset custom needs both"}},
		{"Preset zeek;Preset zeek", Problem, []string{"fluent-bit.conf:9", "preset is set twice", "remove one"}},
		{"Config_File " + toml, Problem, []string{toml + ":2: unknown key graph.max_edgs", "did you mean graph.max_edges?"}},
		{"Model_Features " + hosts, Problem, []string{hosts + ":3", "want one row for each"}},
		{"Train_Device cuda:63", Problem, []string{`train.device = "cuda:63"`}},
		{"Threshold_Quantile 0.2", Warning, []string{"fluent-bit.conf:8", "property threshold_quantile = 0.2 has no effect: used with threshold.method quantile only",
			"remove it, or set threshold.method to quantile"}},
		{"Config_File " + idle, Warning, []string{idle + ":2: threshold.k = 3 has no effect"}},
		{"Allow " + list, Warning, []string{"fluent-bit.conf:8", list + ":2", "correct the list"}},
	} {
		e := examine(t, Options{Conf: conf(t, "", strings.Split(c.properties, ";")...)})
		e.has(t, c.level, TopicSettings, c.want...)
		if c.level == OK {
			e.hasNone(t, TopicSettings)
		}
	}
}

// Each mistake of a section is told, and not the first alone.
func TestAllMistakes(t *testing.T) {
	e := examine(t, Options{Conf: conf(t, "", "Train_Interval soon", "Graph_Max_Edges many", "Pre_Set zeek")})
	if n := e.findings.Count(Problem); n != 3 {
		t.Errorf("%d problems:\n%s", n, e.text())
	}
}

// What the flags set counts over the configuration, and alone where there is none.
func TestSetOverConfiguration(t *testing.T) {
	e := examine(t, Options{Conf: conf(t, "", "Preset nonsense"), Set: map[string]string{"preset": "ecs"}})
	e.has(t, OK, TopicSettings, "preset=ecs")
	e = examine(t, Options{Set: map[string]string{"preset": "nonsense"}})
	e.has(t, Problem, TopicSettings, `property preset = "nonsense"`, "want zeek, ecs")
}

func TestFiltersShareNothing(t *testing.T) {
	dir := t.TempDir()
	two := func(first, second string) *examination {
		section := func(more string) string { return "[FILTER]\n    Name rgcn\n    Match *\n    " + more + "\n" }
		return examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", "[INPUT]\n    Name dummy\n"+section(first)+section(second))})
	}
	e := two("State_Dir "+dir, "State_Dir "+dir+"/")
	e.has(t, Problem, TopicSettings, "state_dir = "+dir+" is set in rgcn.0 too")
	e = two("State_Dir "+dir, "State_Dir "+dir)
	e.has(t, Problem, TopicSettings, "c.conf:10", "state_dir = "+dir+" is set in rgcn.0 too", "its own")
	e = two("Metrics_Listen 127.0.0.1:2023", "Metrics_Listen 127.0.0.1:2023")
	e.has(t, Warning, TopicSettings, "c.conf:10", "metrics_listen")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{"", "/not/there/yet"} {
		two("State_Dir "+dir+below, "State_Dir "+link+below).has(t, Problem, TopicSettings, "is set in")
	}
	e = two("State_Dir "+filepath.Join(dir, "a"), "State_Dir "+filepath.Join(dir, "b"))
	e.hasNone(t, TopicSettings)
}

func TestConfiguration(t *testing.T) {
	e := examine(t, Options{Conf: conf(t, "")})
	e.has(t, OK, TopicConfiguration, "one filter rgcn")
	e = examine(t, Options{Conf: conf(t, "", "Preset ${PRESET}")})
	e.has(t, Warning, TopicConfiguration, "fluent-bit.conf:8", "${PRESET} has no value", "${PRESET:-a default}")
	e = examine(t, Options{Conf: conf(t, "", "Active false")})
	e.has(t, Warning, TopicConfiguration, "fluent-bit.conf:5", "is not active")
	e.has(t, Problem, TopicConfiguration, "has no filter rgcn")
	e = examine(t, Options{Conf: conf(t, "", "Preset")})
	e.has(t, Problem, TopicConfiguration, "fluent-bit.conf:8", "has no value")
	e = examine(t, Options{Conf: conf(t, "[SERVICE]\n    Parsers_File none.conf\n")})
	e.has(t, Problem, TopicConfiguration, "fluent-bit.conf:2", "cannot read")
}

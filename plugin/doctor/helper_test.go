package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes a file of the test's own and returns its path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// conf writes a configuration in which one input, tail with the tag ssh, feeds one filter with the properties, and the
// sections in front.
func conf(t testing.TB, before string, properties ...string) string {
	t.Helper()
	text := before + "[INPUT]\n    Name tail\n    Tag ssh\n    Path /nowhere/*.log\n[FILTER]\n    Name rgcn\n    Match ssh\n"
	for _, p := range properties {
		text += "    " + p + "\n"
	}
	return write(t, t.TempDir(), "fluent-bit.conf", text+"[OUTPUT]\n    Name null\n    Match *\n")
}

// examine makes findings without Fluent Bit and without the network, of everything up to where a test stops.
func examine(t testing.TB, o Options, steps ...func(*examination)) *examination {
	t.Helper()
	o.Getenv = func(string) (string, bool) { return "", false }
	if o.FluentBit == "" {
		o.FluentBit = notRun
	}
	e := &examination{Options: o, machine: os.DirFS("/")}
	if err := e.readConfiguration(); err != nil {
		t.Fatal(err)
	}
	e.settings()
	for _, step := range steps {
		step(e)
	}
	return e
}

// has fails unless there is a finding of the level and topic with all the parts.
func (e *examination) has(t testing.TB, level Level, topic string, parts ...string) {
	t.Helper()
	for _, f := range e.findings {
		text := strings.Join(append([]string{f.At, f.Text, f.Fix}, f.More...), "\n")
		all := f.Level == level && f.Topic == topic
		for _, p := range parts {
			all = all && strings.Contains(text, p)
		}
		if all {
			return
		}
	}
	t.Errorf("no %v of %s with %q:\n%s", level, topic, parts, e.text())
}

// hasNone fails if there is a finding of the topic that is not ok.
func (e *examination) hasNone(t testing.TB, topic string) {
	t.Helper()
	for _, f := range e.findings {
		if f.Topic == topic && f.Level != OK {
			t.Errorf("unwanted:\n%s", e.text())
			return
		}
	}
}

func (e *examination) text() string {
	var b strings.Builder
	_ = e.findings.Print(&b)
	return b.String()
}

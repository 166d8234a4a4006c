package hostconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// files writes files into a directory of the test and returns it.
func files(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// Both formats say the same of the same configuration.
func TestRead(t *testing.T) {
	dir := files(t, map[string]string{
		"main.conf": "@SET TAG=ssh\n" +
			"[SERVICE]\n    Flush 1\n    Parsers_File ${DIR:-.}/parsers.conf\n    Plugins_File plugins.conf\n" +
			"@INCLUDE parts/in*.conf\n" +
			"# a comment\n[FILTER]\n    Name    rgcn  \n    Match   ${TAG}\n    # another\n    Preset  ${PRESET}\n    Source  ${NOTHING}x\n",
		"parts/in1.conf": "[INPUT]\n\tName tail\n\tTag ${TAG}\n\tPath ${LOG:-/var/log/ssh.log}\n",
		"parsers.conf":   "[PARSER]\n    Name zeek_json\n    Format json\n    Regex ${NOT_REPLACED}\n",
		"plugins.conf":   "[PLUGINS]\n    Path /usr/lib/flb-filter_rgcn.so\n",
		"main.yaml": "env:\n  TAG: ssh\nincludes:\n  - parts/in*.yaml\nplugins:\n  - /usr/lib/flb-filter_rgcn.so\n" +
			"service:\n  flush: 1\n  parsers_file: ${DIR:-.}/parsers.conf\n" +
			"pipeline:\n  filters:\n    - name: rgcn\n      match: ${TAG}\n      preset: ${PRESET}\n      source: ${NOTHING}x\n",
		"parts/in1.yaml": "pipeline:\n  inputs:\n    - name: tail\n      tag: ${TAG}\n      path: ${LOG:-/var/log/ssh.log}\n",
	})
	for _, c := range []struct {
		file, rgcn string // where the section begins
		files      int
	}{{"main.conf", ":8", 4}, {"main.yaml", ":12", 3}} {
		conf, err := Read(filepath.Join(dir, c.file), environment("PRESET", "zeek"))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if len(conf.Files) != c.files {
			t.Errorf("%s: files %v", c.file, conf.Files)
		}
		inputs, filters := conf.Of(Input), conf.Of(Filter)
		if len(inputs) != 1 || len(filters) != 1 {
			t.Fatalf("%s: %d inputs, %d filters", c.file, len(inputs), len(filters))
		}
		if in := inputs[0]; in.Value("tag") != "ssh" || in.Value("path") != "/var/log/ssh.log" || !in.Is("TAIL") {
			t.Errorf("%s: input %+v", c.file, in)
		}
		if f := filters[0]; f.Value("match") != "ssh" || f.Value("preset") != "zeek" || f.Value("source") != "x" || f.Value("name") != "rgcn" ||
			f.At.String() != filepath.Join(dir, c.file)+c.rgcn {
			t.Errorf("%s: filter %+v", c.file, f)
		}
		if len(conf.Plugins) != 1 || conf.Plugins[0].Value != "/usr/lib/flb-filter_rgcn.so" {
			t.Errorf("%s: plugins %v", c.file, conf.Plugins)
		}
		if p := conf.Of(Parser); len(p) != 1 || p[0].Value("regex") != "${NOT_REPLACED}" {
			t.Errorf("%s: parsers %v", c.file, p)
		}
		if len(conf.Unset) != 1 || conf.Unset[0].Variable != "NOTHING" {
			t.Errorf("%s: without a value %v", c.file, conf.Unset)
		}
	}
}

func TestYAML(t *testing.T) {
	dir := files(t, map[string]string{
		"secret": "x-1\n",
		"c.yaml": "env:\n  - name: A\n    value: one\n  - name: B\n    uri: file://DIR/secret\n" +
			"pipeline:\n  inputs:\n    - name: forward\n      port: 24224\n      processors:\n        logs:\n          - name: rgcn\n            trainInterval: 5m\n            state_dir: /tmp/${A}-${B}\n        metrics:\n          - name: rgcn\n" +
			"  outputs:\n    - name: es\n      match: ['a', 'b']\nparsers:\n  - name: mine\n    format: json\n",
	})
	path := filepath.Join(dir, "c.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := Read(path, environment())
	if err != nil {
		t.Fatal(err)
	}
	in := conf.Of(Input)[0]
	if len(in.Processors) != 1 {
		t.Fatalf("processors %v", in.Processors)
	}
	p := in.Processors[0]
	if p.Parent != in || p.Value("train_interval") != "5m" || p.Value("state_dir") != "/tmp/one-x-1" || p.At.Line != 12 {
		t.Errorf("%+v", p)
	}
	if out := conf.Of(Output)[0]; len(out.Properties) != 3 || out.Value("match") != "b" {
		t.Errorf("%+v", out)
	}
	if len(conf.Of(Parser)) != 1 {
		t.Error("no parser")
	}
}

// What a configuration names is no regular file: nothing waits for the other end of a pipe, nor reads a device for ever.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.WriteFile(large, make([]byte, mostBytes+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ named, want string }{
		{"/dev/null", "is no regular file but a device"}, // first: the next ones may not end
		{large, "has more than 4194304 bytes"},
		{pipe, "is no regular file but a pipe"},
	} {
		for name, text := range map[string]string{
			"a.yaml": "env:\n  X: file://" + c.named + "\n", "b.yaml": "env:\n  - name: X\n    uri: file://" + c.named + "\n",
			"c.yaml": "includes:\n  - " + c.named + "\n", "d.conf": "@INCLUDE " + c.named + "\n",
		} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path, environment()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path+":") {
				t.Fatalf("%s: %v, want %s", text, err, c.want)
			}
		}
		if _, err := Read(c.named, environment()); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Fatalf("%v, want %s", err, c.want)
		}
	}
}

// Each mistake is told with its file and line.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"x.conf", "[FILTER\n", "x.conf:1: a section needs a ]"},
		{"x.conf", "[FILTER]\n    Name rgcn\n  Match x\n", "x.conf:3: is indented otherwise"},
		{"x.conf", "[FILTER]\n    Name rgcn\n    Preset\n", "x.conf:3: the key Preset has no value"},
		{"x.conf", "[OUTPUT]\n    HTTP_Passwd=s3cret\n", "x.conf:2: the key HTTP_Passwd has no value"},
		{"x.conf", "    Name rgcn\n", "x.conf:1: the key Name stands before any section"},
		{"x.conf", "@INCLUDE none.conf\n", "x.conf:1: cannot read "},
		{"x.conf", "\n@INCLUDE none*.conf\n", "x.conf:2: no file fits "},
		{"x.conf", "@INCLUDE x.conf\n", "is included a second time"},
		{"x.conf", "[SERVICE]\n    Parsers_File none.conf\n", "x.conf:2: cannot read "},
		{"x.yaml", "pipeline:\n  inputs:\n    - name: tail\n   tag: x\n", "x.yaml:"},
		{"x.yaml", "pipeline:\n  input:\n", "x.yaml:2: input is no part of a pipeline"},
		{"x.yaml", "pipeline:\n  filters:\n    name: rgcn\n", "x.yaml:3: want a list"},
		{"x.yaml", "- a\n", "x.yaml:1: want a map"},
		{"x.yaml", "includes:\n  - none.yaml\n", "x.yaml:2: cannot read "},
	} {
		dir := files(t, map[string]string{c.name: c.text})
		_, err := Read(filepath.Join(dir, c.name), environment())
		var mistake *Error
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("a password is told: %v", err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.conf"), environment()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Read(t.TempDir(), environment()); err == nil {
		t.Error("a directory is read")
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, tag string
		wild, want   bool
	}{
		{"ssh", "ssh", false, true}, {"ssh", "ssh.x", false, false}, {"ssh*", "ssh", false, true}, {"*", "", false, true},
		{"*.log", "a.log", false, true}, {"*.log", "a.log.1", false, false}, {"a*c*e", "abcde", false, true}, {"a*c*e", "abcd", false, false},
		{"ssh.*", "ssh.*", false, true}, {"ssh.a", "ssh.*", false, false},
		{"ssh.a", "ssh.*", true, true}, {"ssh", "ssh.*", true, false}, {"*x", "*", true, true}, {"kube.*.ssh", "kube.*", true, true},
		{"zeek.*", "ssh.*", true, false}, {"ab", "a*b*", true, true}, {"", "*", true, true}, {"", "a", true, false},
	} {
		if got := MayMatch(c.pattern, c.tag, c.wild); got != c.want {
			t.Errorf("MayMatch(%q, %q, %v) = %v", c.pattern, c.tag, c.wild, got)
		}
	}
}

// Whatever a file holds, reading it ends, and what is found has a place.
func FuzzRead(f *testing.F) {
	f.Add("[FILTER]\n    Name rgcn\n    Match ${A:-x}\n@SET a=b\n", false)
	f.Add("env:\n  a: b\npipeline:\n  filters:\n    - name: rgcn\n      match: ['*']\n", true)
	f.Add("a: &a [*a]\n", true)
	f.Fuzz(func(t *testing.T, text string, yaml bool) {
		r := &reader{config: &Config{Path: "/x/c.conf"}, env: newEnv(environment())}
		read := r.classic
		if yaml {
			read = r.yaml
		}
		if strings.Contains(strings.ToLower(text), "include") || strings.Contains(text, "file://") { // it would read files
			return
		}
		if read("/x/c", []byte(text)) != nil {
			return
		}
		r.replace(r.config.Sections)
		for _, s := range r.config.Sections {
			for _, p := range s.Properties {
				if p.At.Line < 1 || p.At.File == "" {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}

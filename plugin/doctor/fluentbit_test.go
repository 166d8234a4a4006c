package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fluentBit makes a program that says a version and, to all else, ends as the lines of shell say; what it was called
// with is in a file.
func fluentBit(t *testing.T, version, lines string) (program, calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	program = write(t, dir, "fluent-bit", "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'Fluent Bit v"+version+"'; exit 0; fi\necho \"$@\" >>"+calls+"\n"+lines+"\n")
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	return program, calls
}

func TestFluentBit(t *testing.T) {
	ask := func(o Options, program string) *examination {
		o.FluentBit = program
		return examine(t, o, func(e *examination) { e.fluentBit(context.Background(), "/x/flb-filter_rgcn.so", false) })
	}
	fine, calls := fluentBit(t, "5.1.1", "echo 'configuration test is successful' >&2")
	path := conf(t, "")
	ask(Options{Conf: path}, fine).has(t, OK, TopicFluentBit, "takes "+path+" (--dry-run)")
	if b, err := os.ReadFile(calls); err != nil || string(b) != "--dry-run -e /x/flb-filter_rgcn.so -c "+path+"\n" {
		t.Errorf("called with %q, %v", b, err)
	}
	ask(Options{Set: map[string]string{"preset": "zeek"}}, fine).has(t, OK, TopicFluentBit, "takes the filter with its defaults")

	refuses, _ := fluentBit(t, "4.0.3", "echo '[2026/01/02 03:04:05.678] [error] [config] what is wrong'; printf '[error] \\033[2Jmore\\n'; echo other; exit 1")
	e := ask(Options{Conf: path}, refuses)
	e.has(t, Problem, TopicFluentBit, "refuses "+path, "[error] [config] what is wrong", "correct that first, then run: "+refuses+" --dry-run")
	if text := e.text(); strings.Contains(text, "\x1b") || strings.Contains(text, "2026/01/02") || strings.Contains(text, "other") {
		t.Errorf("%q", text)
	}
	ask(Options{Conf: conf(t, "", "Preset none")}, refuses).has(t, Warning, TopicFluentBit, "refuses", "correct the problems above")

	old, _ := fluentBit(t, "2.1.10", "")
	ask(Options{Conf: path}, old).has(t, Problem, TopicFluentBit, "v2.1.10 is too old", "upgrade")
	newer, _ := fluentBit(t, "6.0.0", "")
	ask(Options{Conf: path}, newer).has(t, Warning, TopicFluentBit, "v6.0.0 is newer")
	ask(Options{Conf: path}, filepath.Join(t.TempDir(), "none")).has(t, Warning, TopicFluentBit, "cannot be run: no such file")
	odd, _ := fluentBit(t, "x", "")
	ask(Options{Conf: path}, odd).has(t, Warning, TopicFluentBit, "does not tell its version")
}

// Fluent Bit's check is left out where it would not come back.
func TestFluentBitGoesAway(t *testing.T) {
	program, calls := fluentBit(t, "5.1.1", "")
	ask := func(before string, properties ...string) *examination {
		return examine(t, Options{Conf: conf(t, before, properties...), FluentBit: program}, func(e *examination) { e.fluentBit(context.Background(), "/x/"+fileName, false) })
	}
	ask("[SERVICE]\n    Daemon On\n").has(t, OK, TopicFluentBit, "it would go to the background")
	if _, err := os.Stat(calls); err == nil {
		t.Error("it was called")
	}
	ask("").has(t, OK, TopicFluentBit, "takes ")
}

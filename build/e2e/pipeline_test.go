package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// section is one section of a configuration in the classic form; properties are keys and values by turns.
func section(kind string, properties ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", kind)
	for i := 0; i < len(properties); i += 2 {
		fmt.Fprintf(&b, "    %s %s\n", properties[i], properties[i+1])
	}
	return b.String()
}

// pipeline writes a configuration. Flushing often and little grace make for short runs, and for many small chunks.
func pipeline(t *testing.T, dir string, sections ...string) (path string) {
	t.Helper()
	parsers, err := filepath.Abs("../../conf/parsers.conf")
	if err != nil {
		t.Fatal(err)
	}
	service := section("SERVICE", "Flush", "0.1", "Grace", "1", "Log_Level", "info", "Parsers_File", parsers)
	return write(t, dir, "fluent-bit.conf", service+strings.Join(sections, ""))
}

// tail reads a file from its first line; parser may be "".
func tail(tag, path, parser string, more ...string) string {
	properties := append([]string{"Name", "tail", "Tag", tag, "Path", path, "Read_from_Head", "On"}, more...)
	if parser != "" {
		properties = append(properties, "Parser", parser)
	}
	return section("INPUT", properties...)
}

func filter(tag string, properties ...string) string {
	return section("FILTER", append([]string{"Name", "rgcn", "Match", tag}, properties...)...)
}

// toFile writes one record a line, without time and tag.
func toFile(tag, path string) string {
	return section("OUTPUT", "Name", "file", "Match", tag, "File", path, "Format", "plain")
}

func toMsgpack(tag, path string) string {
	return section("OUTPUT", "Name", "file", "Match", tag, "File", path, "Format", "msgpack")
}

// quick keeps trainings short where their quality does not matter, and puts the first one off until the notebook's
// file, which has 1,490 distinct triplets, is in the graph.
var quick = []string{"Model_Dim", "32", "Train_Steps", "50", "Train_Min_Edges", "1490"}

// learned is a state directory after the notebook's file: its whole graph and a model of it. It is made once, by a run
// of the host. A test works on a copy.
func learned(t *testing.T) (dir string) {
	t.Helper()
	fixture.Do(func() {
		dir := t.TempDir()
		state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
		input := write(t, dir, "ssh.log", sessions(t))
		p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), filter("ssh", append([]string{"State_Dir", state}, quick...)...),
			toFile("ssh", out)))
		p.untilLines(out, samples.Rows)
		p.untilLogged("trained: 1490 edges", 1)
		p.stop()
		fixtureFiles = map[string][]byte{}
		for _, name := range []string{"graph", "graph.prev", "model"} {
			b, err := os.ReadFile(filepath.Join(state, name))
			if err != nil {
				t.Fatal(err)
			}
			fixtureFiles[name] = b
		}
	})
	if fixtureFiles == nil {
		t.Fatal("no state directory: the run that makes it failed")
	}
	dir = t.TempDir()
	for name, content := range fixtureFiles {
		write(t, dir, name, string(content))
	}
	return dir
}

var (
	fixture      sync.Once
	fixtureFiles map[string][]byte
)

package doctor

import (
	"path/filepath"
	"testing"
)

func TestReload(t *testing.T) {
	dir := t.TempDir()
	parsers := write(t, dir, "parsers.conf", "[PARSER]\n    Name json\n    Format json\n")
	service := func(more string) *examination {
		text := "[SERVICE]\n    Flush 1\n" + more + "[INPUT]\n    Name dummy\n[FILTER]\n    Name rgcn\n    Match *\n"
		return examine(t, Options{Conf: write(t, dir, "c.conf", text)}, (*examination).reload)
	}
	e := service("    Hot_Reload On\n    Parsers_File parsers.conf\n")
	e.has(t, Warning, TopicReload, "c.conf:4", "is relative", "write it absolute: "+parsers)
	e = service("    Hot_Reload On\n    Parsers_File " + parsers + "\n")
	e.has(t, OK, TopicReload, "absolute paths")
	e.hasNone(t, TopicReload)
	e = service("    Parsers_File parsers.conf\n")
	e.has(t, OK, TopicReload, "but for -Y")
}

func TestTailRemembersAsLongAsTheFilter(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	with := func(tail, rgcn string) *examination {
		return examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", "[INPUT]\n    Name tail\n    Tag ssh\n    Read_from_Head On\n"+tail+"[FILTER]\n    Name rgcn\n    Match ssh\n"+rgcn)},
			(*examination).tailWithoutMemory)
	}
	with("", "    State_Dir "+state+"\n").has(t, Warning, TopicConfiguration, "c.conf:1", "counts the sessions again", "add DB")
	with("    DB /x/tail.db\n", "").has(t, Warning, TopicConfiguration, "c.conf:1", "forgets at exit", "add State_Dir")
	with("    DB /x/tail.db\n", "    State_Dir "+state+"\n").hasNone(t, TopicConfiguration)
	with("", "").hasNone(t, TopicConfiguration)
	// A processor of the input is the same filter.
	examine(t, Options{Conf: write(t, t.TempDir(), "c.yaml", `
pipeline:
  inputs:
    - name: tail
      tag: ssh
      read_from_head: on
      processors:
        logs:
          - name: rgcn
            state_dir: `+state+"\n")}, (*examination).tailWithoutMemory).has(t, Warning, TopicConfiguration, "c.yaml:4", "counts the sessions again", "add DB")
}

func TestParserThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "parsers.conf", "[PARSER]\n    Name json\n    Format json\n")
	with := func(service, parser string) *examination {
		return examine(t, Options{Conf: write(t, dir, "c.conf", service+"[INPUT]\n    Name tail\n    Tag ssh\n    Parser "+parser+"\n[FILTER]\n    Name rgcn\n    Match ssh\n")},
			(*examination).parsers)
	}
	with("[SERVICE]\n    Parsers_File parsers.conf\n", "json").hasNone(t, TopicConfiguration)
	with("[SERVICE]\n    Parsers_File parsers.conf\n", "jason").has(t, Problem, TopicConfiguration, "c.conf:6", "there is no parser jason", "those that there are: json")
	with("", "json").has(t, Problem, TopicConfiguration, "there is no parser json", "Parsers_File and its absolute path")
}

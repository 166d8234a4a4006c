package doctor

import "testing"

func TestRoutes(t *testing.T) {
	const filter = "[FILTER]\n    Name rgcn\n    "
	for _, c := range []struct {
		text  string
		level Level
		want  string
	}{
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Match ssh\n", OK, "takes the tags ssh (input tail)"},
		{"[INPUT]\n    Name tail\n    Tag ssh.*\n" + filter + "Match ssh.var.log\n", OK, "takes the tags ssh.*"},
		{"[INPUT]\n    Name systemd\n    Tag host.*\n" + filter + "Match host.ssh.service\n", OK, "takes the tags host.*"},
		{"[INPUT]\n    Name tail\n    Tag ssh.<host>\n    Tag_Regex (?<host>a)\n" + filter + "Match ssh.x\n", OK, "takes the tags"},
		{"[INPUT]\n    Name dummy\n[INPUT]\n    Name dummy\n" + filter + "Match dummy.1\n", OK, "takes the tags dummy.1"},
		{"[INPUT]\n    Name forward\n" + filter + "Match anything\n", OK, "by the sender"},
		{"[INPUT]\n    Name tail\n    Tag a\n[FILTER]\n    Name rewrite_tag\n    Match a\n    Rule $log ^x ssh.$TAG[0] false\n" + filter + "Match ssh.*\n", OK, "filter rewrite_tag"},
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Match_Regex ^s+h$\n", OK, "takes the tags ssh"},
		{"[INPUT]\n    Name tail\n    Tag zeek\n" + filter + "Match ssh\n", Problem, "takes none of the tags zeek (input tail)"},
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Match ssh,other\n", Problem, "Match takes one pattern"},
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Match_Regex ^x\n", Problem, "takes none"},
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Match_Regex (?<=a)b\n", Warning, "cannot be told here"},
		{"[INPUT]\n    Name tail\n    Tag ssh\n" + filter + "Preset zeek\n", Problem, "has no Match"},
		{filter + "Match ssh\n", Problem, "there is no input"},
	} {
		e := examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", c.text)}, (*examination).routes)
		e.has(t, c.level, TopicRoute, c.want)
		if c.level == OK {
			e.hasNone(t, TopicRoute)
		}
	}
	e := examine(t, Options{Conf: write(t, t.TempDir(), "c.yaml", "pipeline:\n  inputs:\n    - name: tail\n      processors:\n        logs:\n          - name: rgcn\n")}, (*examination).routes)
	e.has(t, OK, TopicRoute, "has the records of its input tail")
	e = examine(t, Options{Conf: write(t, t.TempDir(), "c.yaml", "pipeline:\n  inputs:\n    - name: tail\n  outputs:\n    - name: http\n      match: '*'\n      processors:\n        logs:\n          - name: rgcn\n")}, (*examination).routes)
	e.has(t, Problem, TopicRoute, "c.yaml:9", "is a processor of the output http", "move it to the processors of the input")
}

// A rewrite_tag behind the filter hands records to it once more where its Match takes the new tag.
func TestRouteTwice(t *testing.T) {
	const input, rgcn = "[INPUT]\n    Name tail\n    Tag ssh\n", "[FILTER]\n    Name rgcn\n    Match "
	rewrite := func(match string) string {
		return "[FILTER]\n    Name rewrite_tag\n    Match " + match + "\n    Rule $al ^yes$ alert.$TAG false\n"
	}
	for _, c := range []struct {
		text  string
		twice bool
	}{
		{input + rgcn + "*\n" + rewrite("ssh"), true},
		{input + rgcn + "*\n" + rewrite("*"), true},
		{input + rgcn + "ssh\n" + rewrite("ssh"), false},
		{input + rewrite("ssh") + rgcn + "*\n", false},
		{input + rgcn + "*\n" + rewrite("dns"), false},
	} {
		e := examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", c.text)}, (*examination).routes)
		if c.twice {
			e.has(t, Warning, TopicRoute, "c.conf:7", "records pass rgcn.0 twice", "the tag alert.*, which Match * takes too", "set Match of rgcn.0")
		} else {
			e.hasNone(t, TopicRoute)
		}
	}
}

// Expressions of the host match texts alone, and the filter's fields are none.
func TestRouteMatchesNever(t *testing.T) {
	const before = "[INPUT]\n    Name tail\n    Tag ssh\n[FILTER]\n    Name rgcn\n    Match ssh\n    Score s\n"
	for _, c := range []struct{ filter, want string }{
		{"Name rewrite_tag\n    Match ssh\n    Rule $low_score ^true$ alert false", "rewrite_tag never matches low_score"},
		{"Name rewrite_tag\n    Match ssh\n    Rule $['source_alert'] ^true$ alert false", "rewrite_tag never matches source_alert"},
		{"Name grep\n    Match ssh\n    Regex low_score true", "grep never matches low_score"},
		{"Name grep\n    Match ssh\n    Exclude $s 1", "grep never matches s"},
		{"Name grep\n    Match ssh\n    Exclude score 1", ""},
		{"Name rewrite_tag\n    Match ssh\n    Rule $alert ^yes$ alert false", ""},
		{"Name modify\n    Match ssh\n    Condition Key_value_matches low_score true\n    Add alert yes", ""},
	} {
		e := examine(t, Options{Conf: write(t, t.TempDir(), "c.conf", before+"[FILTER]\n    "+c.filter+"\n")}, (*examination).routes)
		if c.want == "" {
			e.hasNone(t, TopicRoute)
			continue
		}
		e.has(t, Warning, TopicRoute, "c.conf:11", c.want, "Key_value_matches", "Add alert yes")
	}
}

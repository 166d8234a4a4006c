package doctor

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
)

// session is a line of Zeek's log as JSON, with more behind it.
func session(i int, more string) string {
	return fmt.Sprintf(`{"ts":"2026-03-02T10:%02d:00.0Z","id.orig_h":"198.51.100.%d","client":"SSH-2.0-x","id.resp_h":"192.0.2.1"%s}`, i%60, 1+i%200, more) + "\n"
}

func repeated(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

func sampled(t *testing.T, o Options, text string) *examination {
	t.Helper()
	o.Samples = []string{write(t, t.TempDir(), "sample.log", text)}
	return examine(t, o, func(e *examination) {
		if err := e.samples(); err != nil {
			t.Fatal(err)
		}
	})
}

// A sample that is no text is told as that, with what to do: no setting would help.
func TestSampleThatIsNoText(t *testing.T) {
	utf16 := "\xff\xfe"
	for _, c := range session(1, "") {
		utf16 += string(rune(c)) + "\x00"
	}
	sampled(t, Options{}, utf16).has(t, Problem, TopicSample, "is UTF-16 text, want UTF-8", "convert it (iconv -f UTF-16 -t UTF-8)")
	sampled(t, Options{}, strings.Repeat("\x00\x01\x02\xff", 40)).has(t, Problem, TopicSample, "is no text", "name a log")

	e := sampled(t, Options{Conf: conf(t, "")}, utf16)
	e.has(t, Problem, TopicSample, "is UTF-16 text", "set Unicode.Encoding auto in the input (", "or convert it")
	const input = "[INPUT]\n    Name tail\n    Tag ssh\n    Path /nowhere/*.log\n    Unicode.Encoding auto\n"
	path := write(t, t.TempDir(), "fluent-bit.conf", input+"[FILTER]\n    Name rgcn\n    Match ssh\n")
	e = sampled(t, Options{Conf: path}, utf16)
	e.has(t, Warning, TopicSample, "Fluent Bit converts it (Unicode.Encoding), rgcn does not", "give rgcn doctor a copy in UTF-8")
}

// A sample without a configuration: what is taken as what, the share, and what would help.
func TestSample(t *testing.T) {
	good := func(i int) string { return session(i, "") }
	e := sampled(t, Options{}, repeated(120, good))
	e.has(t, OK, TopicSample, "120 records: 120 have a source and a destination (100 %)", "keys: client, id.orig_h, id.resp_h, ts",
		"source 198.51.100.1, relation SSH-2.0-x, destination 192.0.2.1, time 2026-03-02T10:00:00Z (the record's own)", "source 198.51.100.3,")
	e.hasNone(t, TopicSample)
	if len(e.findings[len(e.findings)-1].More) != 2+shown {
		t.Errorf("want %d records:\n%s", shown, e.text())
	}
	e = sampled(t, Options{}, repeated(10, good))
	e.has(t, OK, TopicSample, "10 distinct triplets of the 50")

	e = sampled(t, Options{}, repeated(120, func(i int) string {
		return fmt.Sprintf(`{"@timestamp":"2026-03-02T10:00:00Z","source":{"ip":"198.51.100.%d"},"destination":{"ip":"192.0.2.1"}}`, i) + "\n"
	}))
	e.has(t, Problem, TopicSample, "120 records: 0 have", "keys: @timestamp, destination, source", "Preset ecs understands it")
	e = sampled(t, Options{}, repeated(120, func(i int) string { return `{"zeek":` + strings.TrimSpace(session(i, "")) + "}\n" }))
	e.has(t, Problem, TopicSample, "set Under zeek")
	e = sampled(t, Options{Set: map[string]string{"under": "zeek"}}, repeated(120, func(i int) string { return `{"zeek":` + strings.TrimSpace(session(i, "")) + "}\n" }))
	e.hasNone(t, TopicSample)
	e = sampled(t, Options{}, repeated(20, func(i int) string {
		if i > 0 {
			return `{"event":"session.end","n":1}` + "\n"
		}
		return `{"event":"session.end"}` + "\n" + `{"event":"session.start","addr.remote":"198.51.100.1:5000","login":"root","server_hostname":"web"}` + "\n"
	}))
	e.has(t, Problem, TopicSample, "set Preset teleport, which understands 1 of them")
	e = sampled(t, Options{Set: map[string]string{"preset": "teleport"}}, repeated(120, good))
	e.has(t, Problem, TopicSample, "Only wants event=session.start", "set Preset zeek, which understands 120 of them")
	e = sampled(t, Options{}, repeated(120, func(i int) string {
		if i%3 > 0 {
			return `{"ts":1}` + "\n"
		}
		return session(i, "")
	}))
	e.has(t, Warning, TopicSample, "40 have a source and a destination (33 %)", "leave them out with Only")
	e = sampled(t, Options{}, repeated(120, good)+"not JSON\n")
	e.has(t, Warning, TopicSample, "1 lines are no records", "sample.log:121")
	e = sampled(t, Options{}, "")
	e.has(t, Problem, TopicSample, "has no record")
	e = sampled(t, Options{}, repeated(120, func(i int) string { return session(i, `,"score":5`) }))
	e.has(t, Warning, TopicSample, "records come with fields of their own (\"score\")", "set Score, Low_Score and Source_Alert")
}

func TestTimesOfASample(t *testing.T) {
	line := func(ts string) func(int) string {
		return func(i int) string {
			return fmt.Sprintf(`{%s"id.orig_h":"198.51.100.%d","id.resp_h":"192.0.2.1","client":"c"}`, ts, i) + "\n"
		}
	}
	sampled(t, Options{}, repeated(5, line(""))).has(t, Warning, TopicSample, "no record has a readable time in ts", "set Time")
	some := repeated(5, line(`"ts":"2026-03-02T10:00:00Z",`)) + line(`"ts":"31.08.2026 10:00:00",`)(5)
	sampled(t, Options{}, some).has(t, Warning, TopicSample, `1 of 6 records has a time in ts that cannot be read, such as "31.08.2026 10:00:00"`, "ISO 8601")
	ahead := time.Now().Add(72 * time.Hour).UTC().Format(time.RFC3339)
	sampled(t, Options{}, repeated(5, line(`"ts":"`+ahead+`",`))).has(t, Warning, TopicSample, "ahead of this machine's clock", "set the clock right")
	sampled(t, Options{}, repeated(5, line(`"ts":"2026-03-02T10:00:00Z",`))).hasNone(t, TopicSample)
}

// A misspelt field of the relation, of which every record has a name all the same, is noticed; so is a part of a source.
func TestAFieldThatNoSessionOfASampleHas(t *testing.T) {
	with := func(key, value string) Options { return Options{Set: map[string]string{key: value}} }
	good := func(i int) string { return session(i, "") }
	for _, records := range []int{5, 120} {
		sampled(t, with("relation", "clent,client"), repeated(records, good)).
			has(t, Warning, TopicSample, `no session has a value in "clent" (Relation), so it tells none from another`, "see whether the field has that name")
		sampled(t, with("source", "id.orig_h,usr else uid"), repeated(records, good)).has(t, Warning, TopicSample, `"usr else uid" (Source)`)
		sampled(t, Options{}, repeated(records, good)).hasNone(t, TopicSample)
	}
}

// What clients call themselves cannot tell the terminal what to do.
func TestNamesOfASampleArePrintable(t *testing.T) {
	e := sampled(t, Options{}, `{"ts":1772445600,"id.orig_h":"198.51.100.1","client":"\u001b[2Jx\n","id.resp_h":"192.0.2.1","\u001b]0;k":1}`+"\n")
	if strings.ContainsAny(e.text(), "\x1b") || !strings.Contains(e.text(), `\x1b[2Jx\n`) {
		t.Errorf("%q", e.text())
	}
}

const parsersText = "[PARSER]\n    Name own\n    Format json\n    Time_Key ts\n    Time_Keep On\n[PARSER]\n    Name rows\n    Format regex\n" +
	"    Regex ^(?<when>\\S+) (?<id_orig_h>\\S+) (?<id_resp_h>\\S+)$\n    Time_Key when\n    Time_Keep Off\n[PARSER]\n    Name ahead\n    Format regex\n    Regex (?<=a)(?<b>.)\n"

// A sample comes along the way that the configuration gives its lines.
func TestWayOfASample(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "parsers.conf", parsersText)
	with := func(input, filters, text string) *examination {
		return sampled(t, Options{Conf: write(t, dir, "c.conf", "[SERVICE]\n    Parsers_File parsers.conf\n[INPUT]\n    Name tail\n    Tag ssh\n"+input+
			filters+"[FILTER]\n    Name rgcn\n    Match ssh\n")}, text)
	}
	asJSON := repeated(120, func(i int) string { return session(i, "") })
	inText := repeated(120, func(i int) string {
		b, err := json.Marshal(map[string]string{"log": strings.TrimSpace(session(i, ""))})
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	})
	asRows := repeated(120, func(i int) string { return fmt.Sprintf("2026-03-02T10:00:00Z 198.51.100.%d 192.0.2.1\n", i) })
	const unpack = "[FILTER]\n    Name parser\n    Match *\n    Key_Name log\n    Parser own\n    Reserve_Data On\n"

	with("    Parser own\n", "", asJSON).hasNone(t, TopicSample)
	with("    Parser own\n", unpack, inText).hasNone(t, TopicSample)
	e := with("    Parser rows\n", "", asRows)
	e.has(t, Warning, TopicSample, "the time that the input sets")
	e.has(t, OK, TopicSample, "keys: id_orig_h, id_resp_h\n", "time 2026-03-02T10:00:00Z (not the record's own: that of the input)")

	e = with("", "", asJSON)
	e.has(t, Problem, TopicSample, "keys: log", "the lines are JSON: set Parser own in the input ("+dir+"/c.conf:3)")
	e = with("    Parser own\n", "", inText)
	e.has(t, Problem, TopicSample, "keys: log", `as JSON in the text of "log"`)
	e = with("    Parser rows\n", "", asJSON)
	e.has(t, Problem, TopicSample, "120 of 120 lines do not fit the parser rows", "name another parser")
	e = with("", "", string(samples.Own(t, samples.OwnZeekTSV))) // rows with their header need no parser
	e.has(t, OK, TopicSample, "16 have a source and a destination (100 %)", "left out (lines of a header")
	e = with("    Parser ahead\n", "", asJSON)
	e.has(t, OK, TopicSample, "not followed: the expression of parser ahead")
	e = with("    Parser own\n", "[FILTER]\n    Name lua\n    Match *\n", asJSON)
	e.has(t, OK, TopicSample, "not followed: filter lua")
	e = with("    Parser own\n", "[FILTER]\n    Name lua\n    Match other\n", asJSON)
	if strings.Contains(e.text(), "lua") {
		t.Errorf("a filter for other tags is said:\n%s", e.text())
	}
}

func TestSampleOfSshd(t *testing.T) {
	lines := samples.Recent(string(samples.Own(t, samples.OwnSshd)))
	sampled(t, Options{}, lines).has(t, Problem, TopicSample, "Preset openssh")
	e := sampled(t, Options{Set: map[string]string{"preset": "openssh"}}, lines)
	e.hasNone(t, TopicSample)
	e.has(t, OK, TopicSample, "(the record's own)")
}

func TestColumnsOfASample(t *testing.T) {
	text := repeated(60, func(i int) string { return fmt.Sprintf("1772445600\t198.51.100.%d\t192.0.2.1\tSSH-2.0-x\n", i) })
	sampled(t, Options{Columns: strings.Split("ts,id.orig_h,id.resp_h,client", ",")}, text).has(t, OK, TopicSample, "60 have", "relation SSH-2.0-x")
	sampled(t, Options{}, text).has(t, Problem, TopicSample, "0 have")
}

// A record of long after the others leaves nothing of them to learn. A log of many months in order is as it should be.
func TestSampleThatIsOlderThanItsBeginning(t *testing.T) {
	line := func(day string) string {
		return fmt.Sprintf(`{"ts":"%sT10:00:00Z","id.orig_h":"198.51.100.1","client":"SSH-2.0-x","id.resp_h":"192.0.2.1"}`, day) + "\n"
	}
	e := sampled(t, Options{}, line("2026-03-02")+repeated(120, func(int) string { return line("2025-03-02") }))
	e.has(t, Warning, TopicSample, "120 of 121 records lie more than Graph_Window (30d) before one that comes earlier, of 2026-03-02T10:00:00Z")
	e = sampled(t, Options{}, repeated(120, func(i int) string { return line(time.Date(2025, 1, 1+3*i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)) }))
	e.hasNone(t, TopicSample)
}

// Of a sample without end, whose lines are no records, the beginning is enough.
func TestSampleOfBadLines(t *testing.T) {
	bad := func(int) string { return "{no record\n" }
	e := sampled(t, Options{}, session(1, "")+repeated(mostRecords+100, bad)+session(2, ""))
	e.has(t, Warning, TopicSample, fmt.Sprintf("of the first %d lines, behind which nothing was read, %d lines are no records: ", mostRecords, mostRecords-1))
	e.has(t, OK, TopicSample, "one record: 1 with a source")
	sampled(t, Options{}, "{}\n"+repeated(10, bad)).has(t, Warning, TopicSample, "10 lines are no records: ")
}

// Standard input is for the first filter whose settings are right, whichever that is.
func TestSampleOnStandardInput(t *testing.T) {
	const section = "[FILTER]\n    Name rgcn\n    Match ssh\n"
	path := write(t, t.TempDir(), "fluent-bit.conf", "[INPUT]\n    Name forward\n    Tag ssh\n"+section+"    Train_Steps nonsense\n"+section+section)
	in, err := os.Open(write(t, t.TempDir(), "in", repeated(120, func(i int) string { return session(i, "") })))
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	e := examine(t, Options{Conf: path, Samples: []string{"-"}}, func(e *examination) {
		if err := e.samples(); err != nil {
			t.Fatal(err)
		}
	})
	e.has(t, OK, TopicSample, "120 records: 120 have a source and a destination", "rgcn.1, records")
	e.has(t, OK, TopicSample, "can be read once: rgcn.1 got the records, rgcn.2 did not")
}

// A parser of JSON keeps integers as they are, which as a float would lose their last digits.
func TestSampleWithLongIntegers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "parsers.conf", "[PARSER]\n    Name j\n    Format json\n")
	path := write(t, dir, "fluent-bit.conf", "[SERVICE]\n    Parsers_File parsers.conf\n[INPUT]\n    Name tail\n    Tag ssh\n    Path /nowhere/*.log\n    Parser j\n"+
		"[FILTER]\n    Name rgcn\n    Match ssh\n    Preset custom\n    Source s\n    Destination d\n    Time ts\n    Only id=9007199254740993\n")
	lines := repeated(120, func(i int) string {
		return fmt.Sprintf(`{"s":"a-%d","d":"b","id":%d,"ts":1772445600}`+"\n", i, 9007199254740993-i%2)
	})
	sampled(t, Options{Conf: path}, lines).has(t, OK, TopicSample, "120 records: 60 have a source and a destination (100 %), 60 left out")
}

// Of records that are too large to be looked into, what was looked for is no remedy.
func TestSampleOfLargeRecords(t *testing.T) {
	large := `{"a":"` + strings.Repeat("x", 70<<10) + `"}` + "\n"
	e := sampled(t, Options{}, repeated(110, func(int) string { return large }))
	e.has(t, Problem, TopicSample, "110 records: 0 have a source and a destination", "set Preset, or Source and Destination to the fields that hold the two hosts")
	if strings.Contains(e.text(), "-> Looked for") {
		t.Error(e.text())
	}
}

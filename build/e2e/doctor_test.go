package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// TestDoctor checks that `rgcn doctor` reports a problem exactly where the host refuses a configuration or leaves
// records without scores, and that it counts records as the host does.
func TestDoctor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asJSON, rows, sshd := samples.OwnPath(t, samples.OwnZeekJSON), samples.OwnPath(t, samples.OwnZeekTSV), samples.OwnPath(t, samples.OwnSshd)
	nested := write(t, dir, "nested.log", nest(string(samples.Own(t, samples.OwnZeekJSON))))
	unpack := section("FILTER", "Name", "parser", "Match", "*", "Key_Name", "log", "Parser", "json", "Reserve_Data", "On")
	for _, c := range []struct {
		name, sample, parser, sections string
	}{
		{"JSON", asJSON, "zeek_json", filter("ssh")},
		{"JSON without a parser", asJSON, "", filter("ssh")},
		{"JSON with a parser of rows", asJSON, "zeek_tsv", filter("ssh")},
		{"JSON with a parser that is not there", asJSON, "zeke_json", filter("ssh")},
		{"JSON in a text", nested, "json", filter("ssh")},
		{"JSON in a text, unpacked", nested, "json", unpack + filter("ssh")},
		{"rows", rows, "", filter("ssh")},
		{"rows with a parser", rows, "zeek_tsv", filter("ssh")},
		{"another preset", asJSON, "zeek_json", filter("ssh", "Preset", "ecs")},
		{"sshd", sshd, "syslog_sshd", filter("ssh", "Preset", "openssh")},
		{"sshd without a parser", sshd, "", filter("ssh", "Preset", "openssh")},
		{"sshd with another preset", sshd, "syslog_sshd", filter("ssh")},
		{"only others", asJSON, "zeek_json", filter("ssh", "Only", "client=none")},
		{"another tag", asJSON, "zeek_json", filter("zeek")},
		{"a tag by a pattern", asJSON, "zeek_json", filter("s*h")},
		{"misspelt", asJSON, "zeek_json", filter("ssh", "Train_Intervall", "5m")},
		{"bad value", asJSON, "zeek_json", filter("ssh", "Train_Interval", "soon")},
		{"twice", asJSON, "zeek_json", filter("ssh", "Preset", "zeek", "Preset", "zeek")},
		{"no match", asJSON, "zeek_json", section("FILTER", "Name", "rgcn")},
		{"a state that cannot be", asJSON, "zeek_json", filter("ssh", "State_Dir", filepath.Join(asJSON, "below"), "State_Required", "On")},
		{"variables", asJSON, "zeek_json", "@SET WHICH=zeek\n" + filter("${NONE:-ssh}", "Preset", "${WHICH}")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			conf := pipeline(t, dir, tail("ssh", c.sample, c.parser, "Exit_On_Eof", "On"), c.sections, toFile("ssh", out))
			p := start(t, "-c", conf)
			starts := p.wait() == 0
			scored := 0
			if starts {
				for _, line := range lines(t, out) {
					var record map[string]any
					if err := json.Unmarshal([]byte(line), &record); err != nil {
						t.Fatal(err)
					}
					if _, ok := record["low_score"]; ok {
						scored++
					}
				}
			}
			status, counted, said := doctor(t, conf, c.sample)
			if want := starts && scored > 0; (status == 0) != want {
				t.Errorf("the host starts: %v, %d records have the fields; doctor ends with %d:\n%s\n%s", starts, scored, status, said, p.log())
			}
			if counted >= 0 && starts && c.name != "another tag" && counted != scored {
				t.Errorf("doctor counts %d, the host %d:\n%s", counted, scored, said)
			}
		})
	}
}

// nest makes each line the text of a key.
func nest(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		text, _ := json.Marshal(map[string]string{"log": strings.TrimSpace(line)})
		b.Write(append(text, '\n'))
	}
	return b.String()
}

// doctor returns the exit status, and how many records of the sample it says to have a source and a destination; -1
// where it does not say.
func doctor(t *testing.T, conf, sample string) (status, counted int, said string) {
	t.Helper()
	cmd := exec.Command(offlineTool, "doctor", "-json", "-fluent-bit", host, "-plugin", sharedObject, "-c", conf, sample)
	b, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	var findings []struct{ Topic, Text string }
	if err := json.Unmarshal(b, &findings); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	counted = -1
	for _, f := range findings {
		_, rest, ok := strings.Cut(f.Text, " records: ")
		number, _, ok2 := strings.Cut(rest, " have a source and a destination")
		if n, err := strconv.Atoi(number); f.Topic == "sample" && ok && ok2 && err == nil {
			counted = n
		}
	}
	return cmd.ProcessState.ExitCode(), counted, string(b)
}

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// TestPresets reads the records of every preset with conf/parsers.conf and no other setting.
func TestPresets(t *testing.T) {
	t.Parallel()
	type input struct {
		name, file, parser, preset string
		records, scored            int
	}
	cases := []input{
		{"json", samples.OwnZeekJSON, "zeek_json", "zeek", 16, 16},
		{"tsv", samples.OwnZeekTSV, "zeek_tsv", "zeek", 25, 16},       // 9 lines of header
		{"sshd", samples.OwnSshd, "syslog_sshd", "openssh", 136, 102}, // 3 lines are cron's, 31 of sshd's name no peer
		{"raw", samples.OwnSshd, "", "openssh", 136, 102},
	}
	content := map[string]string{}
	for _, c := range cases {
		content[c.name] = string(samples.Own(t, c.file))
	}
	// Recorded ones beside them, where they are at hand.
	for _, c := range []input{
		{"real-json", samples.ZeekJSON, "zeek_json", "zeek", 22, 22},
		{"real-tsv", samples.ZeekTSV, "zeek_tsv", "zeek", 31, 22},          // 9 lines of header
		{"real-basic", samples.ZeekTSVNoType, "zeek_tsv", "zeek", 32, 22},  // 10 lines of header
		{"real-sshd", samples.Sshd, "syslog_sshd", "openssh", 10566, 8726}, // 117 lines are cron's, 1,723 of sshd's name no peer
		{"real-raw", samples.Sshd, "", "openssh", 10566, 8726},
	} {
		if _, ok := samples.Find(c.file); ok {
			cases, content[c.name] = append(cases, c), string(samples.Unpacked(t, c.file))
		}
	}
	dir := t.TempDir()
	var sections []string
	for _, c := range cases {
		input := write(t, dir, c.name, content[c.name])
		sections = append(sections,
			tail(c.name, input, c.parser), filter(c.name, "Preset", c.preset, "Alias", c.name, "Train_Interval", "0"), toFile(c.name, input+".out"),
			tail(c.name+"-plain", input, c.parser), toFile(c.name+"-plain", input+".plain"))
	}
	p := start(t, "-c", pipeline(t, dir, sections...))
	for _, c := range cases {
		p.untilLines(filepath.Join(dir, c.name+".out"), c.records)
		p.untilLines(filepath.Join(dir, c.name+".plain"), c.records)
	}
	p.stop()
	for _, c := range cases {
		scores := compare(t, lines(t, filepath.Join(dir, c.name+".plain")), lines(t, filepath.Join(dir, c.name+".out")))
		if n := count(scores, added); len(scores) != c.records || n != c.scored {
			t.Errorf("%s: %d records, %d of them with a score; want %d and %d", c.name, len(scores), n, c.records, c.scored)
		}
		p.wantLogged(fmt.Sprintf("[filter:rgcn:%s] closed: %d records, %d counted,", c.name, c.records, c.scored))
	}
}

// TestConfigurationsAsTheyCome runs the shipped configurations unchanged.
func TestConfigurationsAsTheyCome(t *testing.T) {
	input := samples.OwnPath(t, samples.OwnZeekJSON)
	t.Setenv("SSH_LOG", input)
	for _, conf := range []string{"../../conf/fluent-bit.conf", "../../conf/fluent-bit.yaml"} {
		p := start(t, "-c", conf)
		p.untilLines(p.stdout, 16)
		p.stop()
		for i, record := range lines(t, p.stdout) {
			if _, score, low, _ := split(record); score != "null" || low != "false" {
				t.Errorf("%s: record %d: %s", conf, i, record)
			}
		}
		p.wantLogged("closed: 16 records, 16 counted,")
	}
}

// yaml is a pipeline of tails that have the filter as a processor. It writes tag.out and, in msgpack, tag.raw for every
// tag.
func yaml(t *testing.T, dir, input, filters string, threaded bool, tags ...string) (path string) {
	t.Helper()
	parsers, err := filepath.Abs("../../conf/parsers.conf")
	if err != nil {
		t.Fatal(err)
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "service:\n  flush: 0.1\n  grace: 1\n  parsers_file: %s\npipeline:\n  inputs:\n", parsers)
	for _, tag := range tags {
		fmt.Fprintf(b, "    - {name: tail, tag: %s, path: %s, parser: zeek_tsv_2012, read_from_head: on, threaded: %v, ", tag, input, threaded)
		fmt.Fprintf(b, "processors: {logs: [{name: rgcn, preset: zeek, explain: on, model_dim: 32, train_steps: 50}]}}\n")
	}
	fmt.Fprintf(b, "%s  outputs:\n", filters)
	for _, tag := range tags {
		for _, output := range []struct{ suffix, format string }{{".out", "plain"}, {".raw", "msgpack"}} {
			fmt.Fprintf(b, "    - {name: file, match: %s, file: %s, format: %s}\n", tag, filepath.Join(dir, tag+output.suffix), output.format)
		}
	}
	return write(t, dir, "fluent-bit.yaml", b.String())
}

func TestAsAProcessor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := write(t, dir, "ssh.log", sessions(t))
	p := start(t, "-c", yaml(t, dir, input, "", false, "ssh"))
	p.untilLines(filepath.Join(dir, "ssh.out"), samples.Rows)
	p.stop()
	wantOneScoreEach(t, dir, "ssh")
	p.wantLogged("closed: 7143 records, 7143 counted,")
}

// TestManyThreads has three instances in three threads: a processor on each of two threaded inputs, and the filter
// behind both.
func TestManyThreads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := write(t, dir, "ssh.log", sessions(t))
	main := "  filters:\n    - {name: rgcn, match: '*', explain: on, model_dim: 32, train_steps: 50}\n"
	p := start(t, "-c", yaml(t, dir, input, main, true, "one", "two"))
	for _, tag := range []string{"one", "two"} {
		p.untilLines(filepath.Join(dir, tag+".out"), samples.Rows)
	}
	p.untilLogged("trained:", 3)
	p.stop()
	for _, tag := range []string{"one", "two"} {
		wantOneScoreEach(t, dir, tag)
	}
	p.wantLogged("closed: 14286 records, 14286 counted,")
	if n := strings.Count(p.log(), "closed: 7143 records, 7143 counted,"); n != 2 {
		t.Errorf("%d processors saw a whole file:\n%s", n, p.log())
	}
}

// wantOneScoreEach wants the notebook's file in order, and no field twice however many instances a record went through.
func wantOneScoreEach(t *testing.T, dir, tag string) {
	t.Helper()
	records, rows := lines(t, filepath.Join(dir, tag+".out")), strings.Split(sessions(t), "\n")
	if len(records) != samples.Rows {
		t.Fatalf("%s: %d records", tag, len(records))
	}
	fields := []string{"score", "low_score", "score_reason"}
	for i, record := range records {
		if uid := strings.Split(rows[i], "\t")[1]; !strings.Contains(record, `"uid":"`+uid+`"`) {
			t.Fatalf("%s: record %d is not of %s: %s", tag, i, uid, record)
		}
		for _, field := range fields {
			if !strings.Contains(record, `,"`+field+`":`) {
				t.Fatalf("%s: record %d has no %s: %s", tag, i, field, record)
			}
		}
	}
	for _, field := range fields {
		if n := occurrences(filepath.Join(dir, tag+".raw"), field); n != samples.Rows {
			t.Errorf("%s: %s stands in it %d times", tag, field, n)
		}
	}
}

// TestAsAProcessorOfAnOutput counts and scores nothing, as each retry would do so again, and says what to do.
func TestAsAProcessorOfAnOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	p := start(t, "-c", write(t, dir, "fluent-bit.yaml", fmt.Sprintf(`
service: {flush: 0.1, grace: 1}
pipeline:
  inputs:
    - {name: dummy, tag: ssh, dummy: '{"id.orig_h":"a","id.resp_h":"b","client":"c"}', rate: 50}
  outputs:
    - name: file
      match: ssh
      file: %s
      format: plain
      processors: {logs: [{name: rgcn}]}
`, out)))
	p.untilLines(out, 20)
	p.stop()
	p.wantLogged("this filter is a processor of an output, ", "closed: 0 records, ")
	if n := strings.Count(p.log(), "is a processor of an output"); n != 1 {
		t.Errorf("said %d times:\n%s", n, p.log())
	}
	if text := string(read(out)); strings.Contains(text, "score") {
		t.Errorf("records with a score: %.200s", text)
	}
}

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRecordsAsPeopleSendThem: each kind through the parsers and settings that the documentation names gives
// records that are understood.
func TestRecordsAsPeopleSendThem(t *testing.T) {
	t.Parallel()
	zeekRows := func(fields string, row func(i int) string) string {
		text := "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssh\n#fields\t" + fields + "\n#types\tany\n"
		for i := range 6 {
			text += row(i) + "\n"
		}
		return text + "#close\t2026-11-25-10-00-00\n"
	}
	jsonText := `{"ts":1795600000.5,"id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.1","client":"SSH-2.0-A"}`
	for _, c := range []struct {
		name, parser, input string
		filters             []string
		want                string // counts at the end
	}{
		{"rows with a column more", "zeek_tsv",
			zeekRows("ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tid.ctx.vlan\tclient", func(i int) string {
				return fmt.Sprintf("179560000%d.5\tC%d\t198.51.100.%d\t4000\t192.0.2.1\t22\t100\tSSH-2.0-A", i, i, i)
			}), []string{filter("kind")}, "14 records, 6 counted, 0 scored, 0 with a low score, 0 without source or destination, 8 left out"},
		{"rows with fewer columns", "zeek_tsv",
			zeekRows("ts\tuid\tid.orig_h\tid.resp_h\tclient", func(i int) string {
				return fmt.Sprintf("179560000%d.5\tC%d\t198.51.100.%d\t192.0.2.1\t(empty)", i, i, i)
			}), []string{filter("kind")}, "14 records, 6 counted, 0 scored, 0 with a low score, 0 without source or destination, 8 left out"},
		{"times of syslog", "syslog_sshd_iso", strings.Join([]string{
			"2026-11-25T23:16:10Z web sshd[1]: Accepted password for a from 198.51.100.1 port 1 ssh2",
			"2026-11-25T23:16:10+00:00 web sshd[1]: Accepted password for a from 198.51.100.1 port 1 ssh2",
			"2026-11-25T23:16:10.5Z web sshd[1]: Accepted password for a from 198.51.100.1 port 1 ssh2",
			"2026-11-25T23:16:10,500000+0000 web sshd[1]: Accepted password for a from 198.51.100.1 port 1 ssh2", ""}, "\n"),
			[]string{filter("kind", "Preset", "openssh")}, "4 records, 4 counted,"},
		{"JSON in a text", "json", strings.Repeat(fmt.Sprintf(`{"stream":"stdout","log":%q}`+"\n", jsonText), 4),
			[]string{section("FILTER", "Name", "parser", "Match", "kind", "Key_Name", "log", "Parser", "json", "Reserve_Data", "On"), filter("kind")}, "4 records, 4 counted,"},
		{"under a key", "json", strings.Repeat(`{"stream":"stdout","zeek":`+jsonText+"}\n", 4), []string{filter("kind", "Under", "zeek")}, "4 records, 4 counted,"},
		{"only some", "json", strings.Repeat(jsonText+"\n"+`{"id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.53","query":"x"}`+"\n", 4),
			[]string{filter("kind", "Only", "client!=x, client=SSH-2.0-A")}, "8 records, 4 counted, 0 scored, 0 with a low score, 0 without source or destination, 4 left out"},
		{"Windows' event log", "json", strings.Repeat(`{"ProviderName":"OpenSSH","TimeCreated":"2026-11-25 09:46:40 +0000","Computer":"SRV-01","Message":"sshd: Accepted publickey for a from 198.51.100.1 port 50000 ssh2"}`+"\n", 4),
			[]string{filter("kind", "Preset", "openssh")}, "4 records, 4 counted,"},
		{"hosts and ports", "json", strings.Repeat(`{"event":"session.start","addr.remote":"198.51.100.1:50000","server_hostname":"srv-01","login":"root","time":"2026-11-25T09:46:40Z"}`+"\n"+`{"event":"session.end","sid":"1"}`+"\n", 4),
			[]string{filter("kind", "Preset", "teleport")}, "8 records, 4 counted, 0 scored, 0 with a low score, 0 without source or destination, 4 left out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			parsers, err := filepath.Abs("../../conf/parsers.conf")
			if err != nil {
				t.Fatal(err)
			}
			input, out := write(t, dir, "in.log", c.input), filepath.Join(dir, "out")
			conf := section("SERVICE", "Flush", "0.1", "Grace", "1", "Log_Level", "info", "Parsers_File", parsers) +
				tail("kind", input, c.parser) + strings.Join(c.filters, "") + toFile("kind", out)
			p := start(t, "-c", write(t, dir, "kind.conf", conf))
			p.untilLines(out, strings.Count(c.input, "\n"))
			p.stop()
			p.wantLogged("closed: " + c.want)
			if strings.Contains(p.log(), "cannot parse") {
				t.Errorf("the host's parser complains of each record:\n%s", p.log())
			}
			for _, record := range lines(t, out) {
				if strings.Contains(c.name, "times") && !strings.Contains(record, `"time":"2026-11-25T23:16:10`) {
					t.Errorf("the text of the time is lost: %s", record)
				}
			}
		})
	}
}

// TestMisfitInTheHost: the host's log tells about a stream that the filter does not understand, with the remedy.
func TestMisfitInTheHost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := write(t, dir, "in.log", strings.Repeat(`{"zeek":{"id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.1"}}`+"\n", 150))
	parsers := write(t, dir, "parsers.conf", section("PARSER", "Name", "json", "Format", "json"))
	out := filepath.Join(dir, "out")
	p := start(t, "-c", write(t, dir, "c.conf", section("SERVICE", "Flush", "0.1", "Grace", "1", "Parsers_File", parsers)+
		tail("kind", input, "json")+filter("kind")+toFile("kind", out)))
	p.untilLines(out, 150)
	p.untilLogged(`set Under zeek`, 1)
	p.stop()
	p.wantLogged("[ warn]", "records have a source and a destination", `has the keys "zeek".`)
}

// TestShippedConfigurationSurvivesAReload, started as conf/README.md says.
func TestShippedConfigurationSurvivesAReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf, err := filepath.Abs("../../conf")
	if err != nil {
		t.Fatal(err)
	}
	log := write(t, dir, "ssh.log", `{"ts":1795600000.5,"id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.1","client":"c"}`+"\n")
	if err := lookAtInputs(); err != nil {
		t.Fatal(err)
	}
	p := startCommand(t, "env", "RGCN_CONF="+conf, "SSH_LOG="+log, host, "-e", sharedObject, "-Y", "-c", filepath.Join(conf, "fluent-bit.conf"))
	p.untilLogged("preset=zeek", 1)
	p.process.Signal(syscall.SIGHUP)
	p.untilLogged("preset=zeek", 2)
	p.stop()
	p.wantLogged("successful reload")
}

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAllowList swaps a list of judged sessions while Fluent Bit runs, as Kubernetes swaps files: sessions that it
// calls bad are low at once, an invalid line is logged and changes nothing, and every record comes out.
func TestAllowList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out")
	swaps := 0
	swap := func(list string) {
		t.Helper()
		swaps++
		version := fmt.Sprint("v", swaps)
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version), "allow.csv", "source,destination,verdict\n"+list)
		if err := os.Symlink(version, filepath.Join(dir, "next")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "data")); err != nil {
			t.Fatal(err)
		}
	}
	swap("nobody,nowhere,bad\n")
	if err := os.Symlink("data/allow.csv", filepath.Join(dir, "allow.csv")); err != nil {
		t.Fatal(err)
	}
	written := 0
	low := func(p *process) bool {
		t.Helper()
		extend(t, input, fmt.Sprintf(`{"n":%d,"id.orig_h":"10.1.2.%d","id.resp_h":"Server","client":"c"}`+"\n", written, written%50))
		written++
		p.untilLines(out, written)
		last := lines(t, out)[written-1]
		denied := strings.Contains(last, `"score_reason":"denied"`)
		if denied != strings.Contains(last, `"low_score":true`) {
			t.Errorf("%s", last)
		}
		return denied
	}
	// The list lies beside the configuration, where relative paths begin.
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"), toFile("ssh", out),
		filter("ssh", "Allow", "allow.csv", "Explain", "On", "State_Dir", filepath.Join(dir, "state"))))
	p.untilLogged("/allow.csv: 1 lines, 0 of them expired", 1)
	if low(p) {
		t.Error("low before any line calls it bad")
	}
	swap("nobody,nowhere,bad\n10.1.0.0/16,server,bad\n")
	p.untilLogged("/allow.csv: 2 lines, 0 of them expired", 1)
	if !low(p) {
		t.Error("not low by the new list")
	}
	swap("10.1.0.0/99,server,bad\n")
	p.untilLogged(`/allow.csv:2: source = "10.1.0.0/99": no network, want an address and a length such as 10.1.2.0/24 or 2001:db8::/32; the list stays as it is`, 1)
	if !low(p) {
		t.Error("a bad line took the list away")
	}
	p.stop()
	p.wantLogged("3 records, 3 counted, 0 scored, 2 with a low score, 0 without source or destination, 2 with an alert about their source, 0 allowed, 2 denied")
}

// TestAlertsByTag runs the sections of conf/README.md that give a copy of an alert a tag of its own, for low_score, which
// a list sets without a model.
func TestAlertsByTag(t *testing.T) {
	t.Parallel()
	text := string(read("../../conf/README.md"))
	from := strings.Index(text, "[FILTER]\n    Name       modify\n")
	sections, _, ok := strings.Cut(text[max(from, 0):], "```")
	if from < 0 || !ok {
		t.Fatal("the sections are not there")
	}
	dir := t.TempDir()
	input := write(t, dir, "ssh.log", `{"id.orig_h":"a","id.resp_h":"bad","client":"c"}`+"\n"+`{"id.orig_h":"a","id.resp_h":"b","client":"c"}`+"\n")
	out, alerts := filepath.Join(dir, "out"), filepath.Join(dir, "alerts")
	write(t, dir, "allow.csv", "source,destination,verdict\n*,bad,bad\n")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"), filter("ssh", "Allow", "allow.csv"),
		strings.Replace(sections, "source_alert", "low_score", 1), toFile("ssh", out), toFile("alert.ssh", alerts)))
	p.untilLines(out, 2)
	p.untilLines(alerts, 1)
	p.stop()
	if got := lines(t, alerts); len(got) != 1 || !strings.Contains(got[0], `"id.resp_h":"bad"`) {
		t.Errorf("alerts: %q", got)
	}
	p.wantLogged("closed: 2 records, 2 counted, ")
}

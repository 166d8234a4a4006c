package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// TestBesideAnotherGoPlugin runs two Go runtimes in one process: ours, which trains, and an output plugin's.
func TestBesideAnotherGoPlugin(t *testing.T) {
	t.Parallel()
	const first = 6000
	dir := t.TempDir()
	rows := strings.SplitAfter(sessions(t), "\n")
	input, out := write(t, dir, "ssh.log", strings.Join(rows[:first], "")), filepath.Join(dir, "out")
	p := start(t, "-e", goOutput, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"),
		filter("ssh", "Train_Interval", "1s", "Train_Steps", "50", "Model_Dim", "32"),
		section("OUTPUT", "Name", "goout", "Match", "ssh", "Path", out)))
	p.untilLines(out, first)
	p.untilLogged("trained:", 1)
	for at := first; at < samples.Rows; at += 100 { // in many chunks, so that both are entered often
		extend(t, input, strings.Join(rows[at:min(at+100, samples.Rows)], ""))
		p.untilLines(out, min(at+100, samples.Rows))
	}
	p.stop()
	records := lines(t, out)
	if len(records) != samples.Rows {
		t.Errorf("%d records", len(records))
	}
	for i, record := range records {
		uid, score, _ := strings.Cut(record, " ")
		if uid != strings.Split(rows[i], "\t")[1] || i >= first && score != "float64" || i < first && score != "float64" && score != "<nil>" {
			t.Fatalf("record %d: %s", i, record)
		}
	}
	p.wantLogged("closed: 7143 records, 7143 counted,")
}

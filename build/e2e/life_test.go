package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/build/samples"
)

// TestDamagedState starts one instance for each kind of damage. All records pass, whatever is left of the state.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	cut := func(b []byte) []byte { return b[:len(b)/2] }
	flip := func(b []byte) []byte { b[len(b)-9] ^= 4; return b }
	empty := func([]byte) []byte { return nil }
	cases := []struct {
		name   string
		damage func([]byte) []byte
		files  []string
		scores bool // the model is whole, and an older graph serves
	}{
		{"cut-graph", cut, []string{"graph"}, true},
		{"flipped-graph", flip, []string{"graph"}, true},
		{"both-graphs", flip, []string{"graph", "graph.prev"}, true},
		{"cut-model", cut, []string{"model"}, false},
		{"flipped-model", flip, []string{"model"}, false},
		{"emptied", empty, []string{"graph", "graph.prev", "model"}, false},
	}
	dir := t.TempDir()
	input := write(t, dir, "ssh.log", sessions(t))
	sections := []string{tail("plain", input, "zeek_tsv_2012"), toFile("plain", filepath.Join(dir, "plain"))}
	for _, c := range cases {
		state := learned(t)
		for _, file := range c.files {
			b, err := os.ReadFile(filepath.Join(state, file))
			if err != nil {
				t.Fatal(err)
			}
			write(t, state, file, string(c.damage(b)))
		}
		sections = append(sections, tail(c.name, input, "zeek_tsv_2012"), toFile(c.name, filepath.Join(dir, c.name)),
			filter(c.name, append([]string{"Alias", c.name, "State_Dir", state, "Train_Interval", "0"}, quick...)...))
	}
	p := start(t, "-c", pipeline(t, dir, sections...))
	p.untilLines(filepath.Join(dir, "plain"), samples.Rows)
	for _, c := range cases {
		p.untilLines(filepath.Join(dir, c.name), samples.Rows)
	}
	p.stop()
	plain := lines(t, filepath.Join(dir, "plain"))
	for _, c := range cases {
		scores := compare(t, plain, lines(t, filepath.Join(dir, c.name)))
		if n := count(scores, added); n != samples.Rows {
			t.Errorf("%s: %d records with a score", c.name, n)
		}
		if n := count(scores, numeric); n > 0 != c.scores {
			t.Errorf("%s: %d numeric scores", c.name, n)
		}
		warnings := 0
		for line := range strings.Lines(p.log()) {
			if strings.Contains(line, "[ warn] [filter:rgcn:"+c.name+"] state: ") && strings.Contains(line, ": damaged: ") {
				warnings++
			}
		}
		if warnings != len(c.files) {
			t.Errorf("%s: %d warnings, want one for each of %v", c.name, warnings, c.files)
		}
	}
	if t.Failed() {
		t.Log(p.log())
	}
}

// TestDaemon has the host fork between loading the filter and starting it.
func TestDaemon(t *testing.T) {
	adoptOrphans(t)
	state, dir := filepath.Join(t.TempDir(), "state"), t.TempDir()
	input, out, log := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out"), filepath.Join(dir, "log")
	conf := pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", append([]string{"State_Dir", state, "Train_Interval", "1h"}, quick...)...))
	d := start(t, "-d", "-l", log, "-c", conf).daemon(log, conf)
	d.untilLines(out, samples.Rows)
	d.untilLogged("trained: 1490 edges", 1)
	extend(t, input, sessions(t))
	d.untilLines(out, 2*samples.Rows)
	d.stop()
	records := lines(t, out)
	if len(records) != 2*samples.Rows {
		t.Errorf("%d records", len(records))
	}
	for i, record := range records[samples.Rows:] {
		if _, score, _, _ := split(record); !numeric(score) {
			t.Fatalf("record %d after the training: %s", i, record)
		}
	}
	d.wantLogged("closed: 14286 records, 14286 counted,")
	if _, err := os.Stat(filepath.Join(state, "model")); err != nil {
		t.Error(err)
	}
}

// TestDaemonWithRelativePaths: a daemon changes to / before it starts its filters. Their relative paths begin in the
// directory of the configuration all the same, and a relative path of that where the host was started.
func TestDaemonWithRelativePaths(t *testing.T) {
	adoptOrphans(t)
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	input, out, log := write(t, sub, "ssh.log", sessions(t)), filepath.Join(dir, "out"), filepath.Join(dir, "log")
	write(t, sub, "my.toml", "[state]\ndir = \"state\"\n")
	pipeline(t, sub, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", "Config_File", "my.toml", "Train_Interval", "1h"))
	const conf = "sub/fluent-bit.conf"
	d := startFrom(t, dir, "-d", "-l", log, "-c", conf).daemon(log, conf)
	d.untilLines(out, samples.Rows)
	d.stop()
	d.wantLogged("closed: 7143 records, 7143 counted,")
	if _, err := os.Stat(filepath.Join(sub, "state", "graph")); err != nil {
		t.Error(err)
	}
}

// TestReload reloads the configuration while records keep coming in. RGCN_RELOADS=20 reloads more often.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out")
	p := start(t, "-Y", "-c", pipeline(t, dir,
		tail("ssh", input, "zeek_json", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out),
		filter("ssh", "State_Dir", filepath.Join(dir, "state"), "Model_Dim", "16", "Train_Steps", "20", "Train_Interval", "1s")))
	written := 0
	flow := func() {
		var b strings.Builder
		for range 20 {
			fmt.Fprintf(&b, `{"n":%d,"id.orig_h":"host-%d","id.resp_h":"server-%d","client":"c"}`+"\n", written, written%50, written%31)
			written++
		}
		extend(t, input, b.String())
	}
	logged := func(text string, n int) bool { flow(); return strings.Count(p.log(), text) >= n }
	p.until("the first training", func() bool { return logged("trained:", 1) })
	reloads := 5
	if n, err := strconv.Atoi(os.Getenv("RGCN_RELOADS")); err == nil {
		reloads = n
	}
	for n := 1; n <= reloads; n++ {
		p.signal(unix.SIGHUP)
		p.until("reloaded", func() bool { return logged("successful reload done", n) })
		// Records pass the new instance before the next one comes.
		seen := written
		p.until("records after the reload", func() bool { flow(); return strings.Count(string(read(out)), "\n") > seen })
	}
	p.untilLines(out, written)
	p.stop()
	records := lines(t, out)
	if len(records) != written {
		t.Fatalf("%d records of %d", len(records), written)
	}
	for i, record := range records {
		_, score, _, ok := split(record)
		if !strings.HasPrefix(record, `{"n":`+strconv.Itoa(i)+",") || !ok {
			t.Fatalf("record %d: %s", i, record)
		}
		if i == written-1 && !numeric(score) {
			t.Errorf("the model did not live through the reloads: %s", record)
		}
	}
	if n := strings.Count(p.log(), "closed: "); n != reloads+1 {
		t.Errorf("%d instances were closed, want %d", n, reloads+1)
	}
}

// TestStopInATraining stops the host in a training that would take hours.
func TestStopInATraining(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out, state := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	run := func(interval string) *process {
		return start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
			filter("ssh", "State_Dir", state, "Train_Interval", interval, "Train_Min_Edges", "1490", "Train_Steps", "100000", "Model_Dim", "256")))
	}
	p := run("1h")
	p.untilLines(out, samples.Rows)
	p.until("a thread of the lowest priority at work", func() bool { return backgroundTicks(p.process.Pid) > 20 })
	p.stop()
	p.wantLogged("training stopped", "closed: 7143 records, 7143 counted,")
	if strings.Contains(p.log(), "trained:") {
		t.Errorf("the training came to its end:\n%s", p.log())
	}
	p = run("0")
	p.untilLines(out, 2*samples.Rows)
	p.stop()
	p.wantLogged("state: 1490 edges, no model yet")
}

// backgroundTicks is the processor time that threads of the lowest priority have had, in user mode, in ticks of the
// clock.
func backgroundTicks(pid int) (ticks int) {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range stats {
		// The second field, the name, may hold anything; the third is the first behind it.
		_, after, _ := strings.Cut(string(read(path)), ") ")
		if fields := strings.Fields(after); len(fields) > 16 && fields[16] == "19" {
			n, _ := strconv.Atoi(fields[11])
			ticks += n
		}
	}
	return ticks
}

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// fakeCard makes the processes that the test starts load a driver without a card.
func fakeCard(t *testing.T) {
	t.Helper()
	dir := os.Getenv("RGCN_FAKECUDA")
	if dir == "" {
		t.Skip("RGCN_FAKECUDA names no folder with a libcuda.so.1; make test makes one")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LD_LIBRARY_PATH", dir+":"+os.Getenv("LD_LIBRARY_PATH"))
}

// TestOnACard trains inside the host on a card, in the foreground and, where the driver must
// not have been opened before the fork, in the background.
func TestOnACard(t *testing.T) {
	fakeCard(t)
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	card := append([]string{"Train_Device", "cuda:0", "Train_Interval", "1s"}, quick...)
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out), filter("ssh", card...)))
	p.untilLogged("trained:", 1)
	rows := strings.SplitAfter(sessions(t), "\n")
	extend(t, input, strings.Join(rows[:100], ""))
	p.untilLines(out, samples.Rows+100)
	p.stop()
	p.wantLogged(" on cuda:0 host build of the kernels;", "closed: 7243 records, 7243 counted,")
	records := lines(t, out)
	for _, record := range records[samples.Rows:] {
		if _, score, _, ok := split(record); !ok || !numeric(score) {
			t.Fatalf("after the training: %s", record)
		}
	}

	adoptOrphans(t)
	log, conf := filepath.Join(dir, "log"), ""
	conf = pipeline(t, t.TempDir(), tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out+"2"), filter("ssh", card...))
	d := start(t, "-d", "-l", log, "-c", conf).daemon(log, conf)
	d.untilLogged("trained:", 1)
	d.stop()
	d.wantLogged(" on cuda:0 host build of the kernels;")
}

// TestTheReferenceOnACard trains the notebook's algorithm on a card.
func TestTheReferenceOnACard(t *testing.T) {
	fakeCard(t)
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", "Train_Device", "cuda", "Model_Objective", "reference", "Train_Steps", "50", "Train_Interval", "1s")))
	p.untilLines(out, samples.Rows)
	p.untilLogged("trained:", 1)
	p.stop()
	p.wantLogged("50 steps in ", " on cuda:0 host build of the kernels;", "closed: 7143 records, 7143 counted,")
}

// TestTwoInstancesOnACard train side by side, again and again, until the host is stopped.
func TestTwoInstancesOnACard(t *testing.T) {
	fakeCard(t)
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	one := filter("ssh", append([]string{"Train_Device", "cuda", "Train_Interval", "1s", "Train_Min_New_Edges", "0"}, quick...)...)
	two := filter("ssh", "Train_Device", "cuda", "Train_Interval", "1s", "Train_Min_New_Edges", "0", "Model_Dim", "64")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out), one, two))
	p.untilLines(out, samples.Rows)
	p.until("three trainings of each", func() bool {
		log := p.log()
		for _, instance := range []string{"rgcn.0", "rgcn.1"} {
			if strings.Count(log, "[filter:rgcn:"+instance+"] trained:") < 3 {
				return false
			}
		}
		return true
	})
	p.stop()
	for line := range strings.Lines(p.log()) {
		if strings.Contains(line, "trained:") && !strings.Contains(line, " on cuda:0 host build of the kernels;") || strings.Contains(line, "training failed") {
			t.Error(line)
		}
	}
}

// TestACardThatIsNotThere keeps the host from starting, with one line.
func TestACardThatIsNotThere(t *testing.T) {
	fakeCard(t)
	p := start(t, "-c", pipeline(t, t.TempDir(), filter("ssh", "Train_Device", "cuda:1"),
		section("INPUT", "Name", "dummy", "Tag", "ssh"), section("OUTPUT", "Name", "null", "Match", "*")))
	if code := p.wait(); code <= 0 {
		t.Errorf("exit %d", code)
	}
	p.wantLogged(`train.device = "cuda:1": cuda: device 1 of 1: there is none of that number; allowed are auto and cpu`)
}

// TestACardIsLost stops the host in the middle of a training, then loses the card in the middle of one.
func TestACardIsLost(t *testing.T) {
	fakeCard(t)
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	run := func(out string) *process {
		return start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
			filter("ssh", "Train_Device", "cuda", "Train_Interval", "1s", "Train_Steps", "100000")))
	}
	p := run(out)
	p.until("a thread of the lowest priority at work", func() bool { return backgroundTicks(p.process.Pid) > 20 })
	p.stop()
	p.wantLogged("training stopped", "closed: 7143 records, 7143 counted,")

	t.Setenv("FAKECUDA_LAUNCHES", "500")
	p = run(out + "2")
	p.untilLogged("training failed, the scores go on as before: the device failed: cuda: ", 2)
	p.untilLines(out+"2", samples.Rows)
	p.stop()
}

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup makes a memory cgroup with a limit, and skips the test where that is not allowed. In version 1 it is a child
// of this process's own; in version 2 a sibling, since a cgroup with processes cannot delegate controllers.
func cgroup(t *testing.T, mib int) (dir string) {
	t.Helper()
	skip := func(why any) { t.Skipf("skipped: a memory cgroup cannot be made here: %v", why) }
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		skip(err)
	}
	limit := ""
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(fields) != 3:
		case fields[1] == "memory":
			dir, limit = path.Join("/sys/fs/cgroup/memory", fields[2]), "memory.limit_in_bytes"
		case fields[1] == "" && dir == "":
			dir, limit = path.Join("/sys/fs/cgroup", path.Dir(fields[2])), "memory.max"
		}
	}
	if dir == "" {
		skip("this process is in none")
	}
	dir = path.Join(dir, fmt.Sprintf("rgcn-test-%d-%d", os.Getpid(), mib))
	if err := os.Mkdir(dir, 0o755); err != nil {
		skip(err)
	}
	t.Cleanup(func() {
		for range 100 { // a process that has ended leaves its cgroup a moment later
			if err = os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("the cgroup stays: %v", err)
	})
	if err := os.WriteFile(path.Join(dir, limit), []byte(strconv.Itoa(mib<<20)), 0o644); err != nil {
		skip(err) // the memory controller is not delegated
	}
	return dir
}

// startIn runs Fluent Bit in a cgroup.
func startIn(t *testing.T, cgroup string, args ...string) *process {
	t.Helper()
	if err := lookAtInputs(); err != nil {
		t.Fatal(err)
	}
	enter := `echo $$ >"$0/cgroup.procs" && exec "$@"`
	return startCommand(t, append([]string{"sh", "-c", enter, cgroup, host, "-e", sharedObject}, args...)...)
}

// killed is how many processes of a cgroup were killed for its limit.
func killed(t *testing.T, cgroup string) string {
	t.Helper()
	for _, file := range []string{"memory.oom_control", "memory.events"} {
		for line := range strings.Lines(string(read(path.Join(cgroup, file)))) {
			if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
				return strings.TrimSpace(n)
			}
		}
	}
	t.Fatal("the cgroup does not say how often it killed")
	return ""
}

// triplets returns n records of distinct triplets between n/10 hosts.
func triplets(n int) string {
	var b strings.Builder
	hosts := n / 10
	for i := range n {
		s, k := i%hosts, i/hosts
		d := s/40*40 + (s+7*k)%40
		fmt.Fprintf(&b, `{"n":%d,"ts":%d.5,"id.orig_h":"10.%d.%d.%d","id.resp_h":"10.%d.%d.%d","client":"SSH-2.0-%d"}`+"\n",
			i, 1_700_000_000+i, s>>16, s>>8&255, s&255, d>>16, d>>8&255, d&255, (s+k)%60)
	}
	return b.String()
}

// TestMemoryLimits runs under a container's limit that is too low for the graph, for a training, or for a training with
// the usual dimension. The host is not killed, every record comes out, and the log tells what is not done.
func TestMemoryLimits(t *testing.T) {
	const records = 300_000
	dir := t.TempDir()
	text := triplets(records)
	for _, mib := range []int{64, 100, 160, 250} {
		t.Run(fmt.Sprint(mib), func(t *testing.T) {
			cgroup := cgroup(t, mib)
			input, out := write(t, dir, fmt.Sprintf("ssh-%d.log", mib), text), filepath.Join(dir, fmt.Sprintf("out-%d", mib))
			defer os.Remove(input)
			defer os.Remove(out)
			// The first training comes in the middle of the flood, as it does with the default settings.
			p := startIn(t, cgroup, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"), toFile("ssh", out),
				filter("ssh", "State_Dir", filepath.Join(dir, fmt.Sprintf("state-%d", mib)), "Train_Interval", "1s", "Train_Steps", "32", "State_Interval", "1s")))
			decided := func() int {
				return strings.Count(p.log(), "trained: ") + strings.Count(p.log(), "training put off: ")
			}
			p.untilLines(out, records)
			before := decided()
			extend(t, input, `{"n":300000,"id.orig_h":"another","id.resp_h":"server"}`+"\n") // for a training of all to be due
			p.untilLines(out, records+1)
			// That trainings are put off is logged at growing intervals: it holds until the log says that there is memory again.
			putOff := func() bool {
				return strings.LastIndex(p.log(), "training put off: ") > strings.LastIndex(p.log(), "memory is enough for trainings again")
			}
			p.until("a training, or that it is put off", func() bool { return decided() > before || putOff() })
			if mib == 64 { // the graph alone would be larger
				p.untilLogged("memory is short: the graph stays at ", 1)
				p.untilLogged("training put off: ", 1)
			}
			p.stop()
			if n := killed(t, cgroup); n != "0" {
				t.Errorf("%s processes were killed", n)
			}
			all := lines(t, out)
			if len(all) != records+1 {
				t.Errorf("%d records of %d", len(all), records+1)
			}
			for i, record := range all {
				if _, _, _, ok := split(record); !ok || !strings.HasPrefix(record, `{"n":`+strconv.Itoa(i)+",") {
					t.Fatalf("record %d: %s", i, record)
				}
			}
			for line := range strings.Lines(p.log()) {
				if _, why, ok := strings.Cut(line, "training put off: "); ok {
					if !strings.Contains(why, cgroup+"/memory.") || !strings.Contains(why, fmt.Sprintf(" of %d MiB, ", mib)) || !strings.Contains(why, "; raise that limit") {
						t.Errorf("the line does not say who limits and what to do: %s", line)
					}
				}
			}
			if t.Failed() {
				t.Log(p.log())
			}
		})
	}
}

// TestStartInLessMemory starts with a model that took more memory to train than is available now.
func TestStartInLessMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cgroup := cgroup(t, 60)
	const records = 20_000
	input, out, state := write(t, dir, "ssh.log", triplets(records)), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	conf := func(interval string) string {
		return pipeline(t, dir, tail("ssh", input, "zeek_json", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out),
			filter("ssh", "State_Dir", state, "Train_Interval", interval, "Train_Min_Edges", "20000", "Train_Steps", "4", "Model_Dim", "1024"))
	}
	p := start(t, "-c", conf("1h"))
	p.untilLines(out, records)
	p.untilLogged("trained: 20000 edges", 1)
	p.stop()
	p = startIn(t, cgroup, "-c", conf("1h"))
	p.untilLogged("is not used: to score 20000 edges between 2000 nodes by it would take about ", 1)
	extend(t, input, `{"n":1,"id.orig_h":"another","id.resp_h":"server"}`+"\n")
	p.untilLines(out, records+1)
	p.untilLogged("training put off: 20", 1)
	p.stop()
	if n := killed(t, cgroup); n != "0" {
		t.Errorf("%s processes were killed", n)
	}
}

// TestKilledBeforeATraining kills the host before its first training: the next start finds what the timer saved.
func TestKilledBeforeATraining(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out, state := write(t, dir, "ssh.log", triplets(5000)), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	conf := pipeline(t, dir, tail("ssh", input, "zeek_json", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out),
		filter("ssh", "State_Dir", state, "Train_Interval", "0", "State_Interval", "1s"))
	p := start(t, "-c", conf)
	p.untilLines(out, 5000)
	changed := func() time.Time {
		info, err := os.Stat(filepath.Join(state, "graph"))
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	p.until("the graph is saved", func() bool { return !changed().IsZero() })
	// What is saved in the middle of the flood is followed by what has all; then nothing is written any more.
	saved := time.Time{}
	p.until("nothing is written any more", func() bool {
		was := saved
		saved = changed()
		if was.Equal(saved) && time.Since(saved) > 3*time.Second {
			return true
		}
		return false
	})
	p.signal(unix.SIGKILL)
	p.wait()
	p = start(t, "-c", conf)
	p.untilLogged("state: 5000 edges, no model yet", 1)
	p.stop()
}

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lastResort is the time after which a process that hangs is killed. No test depends on it otherwise.
const lastResort = 2 * time.Minute

// process is one Fluent Bit.
type process struct {
	t       *testing.T
	process *os.Process
	stdout  string        // a file
	stderr  string        // a file, with the log unless the configuration says otherwise
	done    chan struct{} // closed when the process has ended
	state   *os.ProcessState
}

// start runs Fluent Bit with the shared object and whatever the arguments say.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startFrom(t, "", args...)
}

// startFrom is start with a working directory; "" is that of the tests.
func startFrom(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	if err := lookAtInputs(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(host, append([]string{"-e", sharedObject}, args...)...)
	cmd.Dir = dir
	return startCmd(t, cmd)
}

// startCommand runs a command that becomes Fluent Bit.
func startCommand(t *testing.T, command ...string) *process {
	t.Helper()
	return startCmd(t, exec.Command(command[0], command[1:]...))
}

func startCmd(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{t: t, stdout: filepath.Join(dir, "stdout"), stderr: filepath.Join(dir, "stderr")}
	for file, stream := range map[string]*io.Writer{p.stdout: &cmd.Stdout, p.stderr: &cmd.Stderr} {
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		*stream = f
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.process = cmd.Process
	p.watch()
	return p
}

// watch waits for the process in the background and kills it when the test ends.
func (p *process) watch() {
	p.done = make(chan struct{})
	timer := time.AfterFunc(lastResort, func() { p.process.Kill() })
	go func() {
		defer close(p.done)
		p.state, _ = p.process.Wait()
		timer.Stop()
	}()
	p.t.Cleanup(func() {
		p.process.Kill() // of a process that has ended: refused
		<-p.done
	})
}

// daemon returns the background process that a host started with -d leaves behind. This process becomes its parent and
// learns how it ends.
func (p *process) daemon(log, conf string) *process {
	p.t.Helper()
	if code := p.wait(); code != 0 {
		p.t.Fatalf("exit %d instead of going to the background:\n%s", code, p.log())
	}
	// The starting process may end before it writes the daemon's number, so look among this process's new children.
	pid := 0
	p.until("the daemon among the children", func() bool {
		pid = childWith(p.t, conf)
		return pid != 0
	})
	child, err := os.FindProcess(pid)
	if err != nil {
		p.t.Fatal(err)
	}
	d := &process{t: p.t, process: child, stdout: os.DevNull, stderr: log}
	d.watch()
	return d
}

// childWith returns the child of this process that has the argument, 0 when there is none.
func childWith(t *testing.T, argument string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		command, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(command), "\x00"), argument) {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil {
			continue
		}
		var pid, parent int
		var state string
		name, rest, _ := strings.Cut(string(stat), ") ")
		fmt.Sscan(name, &pid)
		if _, err := fmt.Sscan(rest, &state, &parent); err == nil && parent == os.Getpid() && state != "Z" {
			return pid
		}
	}
	return 0
}

// adoptOrphans makes this process the parent of those whose own parent has ended.
func adoptOrphans(t *testing.T) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}

func (p *process) log() string { return string(read(p.stderr)) }

// wait returns the exit code; -1 is a signal.
func (p *process) wait() int {
	<-p.done
	return p.state.ExitCode()
}

// stop ends the process by SIGTERM, and fails the test unless it exits with 0.
func (p *process) stop() {
	p.t.Helper()
	p.signal(unix.SIGTERM)
	if code := p.wait(); code != 0 {
		p.t.Fatalf("%v after SIGTERM:\n%s", p.state, p.log())
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.process.Signal(s); err != nil {
		p.t.Fatalf("%v: %v\n%s", s, err, p.log())
	}
}

// until waits for a condition, as long as the process lives.
func (p *process) until(what string, holds func() bool) {
	p.t.Helper()
	for !holds() {
		select {
		case <-p.done:
			if !holds() {
				p.t.Fatalf("%v before %s:\n%s", p.state, what, p.log())
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// untilLogged waits until a text stands in the log n times.
func (p *process) untilLogged(text string, n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("the log has %q %d times", text, n), func() bool { return strings.Count(p.log(), text) >= n })
}

// untilLines waits until a file that only grows has n lines.
func (p *process) untilLines(path string, n int) {
	p.t.Helper()
	var file *os.File
	defer func() { file.Close() }() // no-op for nil
	lines, buffer := 0, make([]byte, 1<<16)
	p.until(fmt.Sprintf("%d lines in %s", n, filepath.Base(path)), func() bool {
		if file == nil {
			file, _ = os.Open(path)
		}
		for file != nil {
			k, err := file.Read(buffer)
			lines += bytes.Count(buffer[:k], []byte{'\n'})
			if err != nil {
				break
			}
		}
		return lines >= n
	})
}

// wantLogged fails the test unless the log has the texts by now.
func (p *process) wantLogged(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.log(), text) {
			p.t.Errorf("the log has no %q:\n%s", text, p.log())
		}
	}
}

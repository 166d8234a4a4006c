package elastic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fleetAgent is a Fluent Bit that scores by published states. Its records are on disk from the moment at which they are
// read until both outputs have them.
type fleetAgent struct {
	t     *testing.T
	dir   string
	cmd   *exec.Cmd
	port  string // of metrics
	twice int    // records that came out again after a kill
}

func (a *fleetAgent) path(name string) string { return filepath.Join(a.dir, name) }

func (a *fleetAgent) configure(s *server, index, place, key string) {
	a.port = freePort(a.t)
	write(a.t, a.path("ssh.log"), "")
	write(a.t, a.path("log"), "")
	write(a.t, a.path("fluent-bit.conf"), fmt.Sprintf(`[SERVICE]
    Flush           0.2
    Grace           1
    Scheduler.Cap   3
    Scheduler.Base  1
    Parsers_File    %s
    storage.path    %s
    storage.sync    normal
[INPUT]
    Name            tail
    Tag             ssh
    Path            %s
    Parser          zeek_json
    Read_from_Head  On
    DB              %s
    storage.type    filesystem
[FILTER]
    Name            rgcn
    Match           ssh
    State_From      %s
    State_Key       %s
    State_Poll      1s
    State_Dir       %s
    Metrics_Listen  127.0.0.1:%s
[OUTPUT]
    Name            file
    Match           ssh
    Format          plain
    Path            %s
    File            out
[OUTPUT]
    Name                opensearch
    Match               ssh
    Host                127.0.0.1
    Port                %s
    Index               %s
    Write_Operation     create
    Suppress_Type_Name  On
    Pipeline            logs-ssh.rgcn
    Generate_ID         On
    Retry_Limit         no_limits
    Buffer_Size         false
`, abs(a.t, conf+"/parsers.conf"), a.path("chunks"), a.path("ssh.log"), a.path("tail.db"), place, key, a.path("state"), a.port, a.dir, s.port, index))
}

func (a *fleetAgent) start() {
	a.t.Helper()
	log, err := os.OpenFile(a.path("log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		a.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("fluent-bit", "-e", environment(a.t, "RGCN_SO"), "-c", a.path("fluent-bit.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.cmd = cmd
	a.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// kill ends the process as a crash would.
func (a *fleetAgent) kill() {
	a.cmd.Process.Kill()
	a.cmd.Wait()
}

// send writes lines to the log that the agent reads.
func (a *fleetAgent) send(lines []string) {
	a.t.Helper()
	f, err := os.OpenFile(a.path("ssh.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, ""))
		f.Close()
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// sessions are those that came out, each once.
func (a *fleetAgent) sessions() (all []session) {
	a.t.Helper()
	if _, err := os.Stat(a.path("out")); err != nil {
		return nil
	}
	a.twice = 0
	seen := map[string]bool{}
	for line := range strings.Lines(read(a.t, a.path("out"))) {
		if !strings.HasSuffix(line, "}\n") {
			continue // it is being written
		}
		// A line that was being written when the process was killed comes again, behind the piece.
		line = line[max(strings.LastIndex(line, `{"ts":`), 0):]
		v := parse(a.t, line)
		if seen[v.UID] {
			a.twice++
			continue
		}
		seen[v.UID] = true
		all = append(all, v)
	}
	return all
}

func (a *fleetAgent) untilOut(what string, n int) {
	a.t.Helper()
	until(a.t, fmt.Sprintf("%s, %d", what, n), func() bool { return len(a.sessions()) >= n }, a.said)
}

// refused is how many looks of the running process found a state that it refused.
func (a *fleetAgent) refused() int {
	r, err := http.Get("http://127.0.0.1:" + a.port + "/healthz")
	if err != nil {
		return 0
	}
	defer r.Body.Close()
	var health struct {
		Published struct {
			Refused int `json:"refused"`
		} `json:"published_state"`
	}
	if json.NewDecoder(r.Body).Decode(&health) != nil {
		return 0
	}
	return health.Published.Refused
}

func (a *fleetAgent) said() string { return read(a.t, a.path("log")) }

func (a *fleetAgent) untilSaid(text string, times int) {
	a.t.Helper()
	until(a.t, fmt.Sprintf("%q is said %d times", text, times), func() bool { return strings.Count(a.said(), text) >= times }, a.said)
}

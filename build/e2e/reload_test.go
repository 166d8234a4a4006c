package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReloadOfWrongSettings: a host that is told to load wrong settings goes on with those it has.
func TestReloadOfWrongSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out, state := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	written := 0
	conf := ""
	configure := func(properties ...string) {
		if len(properties) == 0 || properties[0] != "State_Dir" { // the host wants each once
			properties = append(properties, "State_Dir", state)
		}
		file := pipeline(t, dir, tail("ssh", input, "zeek_json", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out), filter("ssh", properties...))
		conf = file // always the same
	}
	flow := func(p *process) {
		t.Helper()
		extend(t, input, fmt.Sprintf(`{"n":%d,"id.orig_h":"host-%d","id.resp_h":"server","client":"c"}`+"\n", written, written%50))
		written++
		p.untilLines(out, written)
	}
	// After a refused reload the host ignores others for up to a second, and logs that.
	refused := 0
	reload := func(p *process, want string) {
		t.Helper()
		p.signal(unix.SIGHUP)
		p.until(want, func() bool {
			if n := strings.Count(p.log(), "reloading in progress, aborting"); n > refused {
				refused = n
				p.signal(unix.SIGHUP)
			}
			return strings.Contains(p.log(), want)
		})
	}
	configure()
	p := start(t, "-Y", "-c", conf)
	flow(p)
	for _, wrong := range []struct{ property, value, want string }{
		{"Train_Interval", "soon", `property train_interval = "soon": want a duration`},
		{"Config_File", filepath.Join(dir, "none.toml"), "none.toml\": no such file or directory"},
		{"Model_Features", filepath.Join(dir, "none.csv"), "none.csv: no such file or directory"},
		{"Train_Device", "cuda:63", `train.device = "cuda:63": `},
		{"State_Dir", filepath.Join(input, "below") + "\n    State_Required On", "state: directory " + filepath.Join(input, "below") + ": "},
	} {
		configure(wrong.property, wrong.value)
		reload(p, wrong.want)
		flow(p)
	}
	configure("Threshold_K", "3")
	reload(p, "successful reload done")
	flow(p)
	p.stop()
	if records := lines(t, out); len(records) != written {
		t.Errorf("%d records of %d", len(records), written)
	}
	p.wantLogged("[error] [filter:rgcn:rgcn.0] ", "Reloading is halted", "threshold_k=3")
	if strings.Count(p.log(), "closed: ") != 2 {
		t.Errorf("want two instances closed:\n%s", p.log())
	}
}

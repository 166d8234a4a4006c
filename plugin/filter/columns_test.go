package filter

import (
	"testing"
	"time"
)

// tail goes on behind a header that it has passed on, so the columns have to outlast a host that is killed in a quiet
// time.
func TestColumnsAreSavedAtOnce(t *testing.T) {
	for _, interval := range []string{"5m", "0"} {
		dir := t.TempDir()
		tag := []byte("ssh.new")
		f := offline(t, host("state_dir", dir, "state_interval", interval))
		f.Process(nil, join(sessions(200)))
		f.store.saveChanges()
		row := func(f *Instance, want bool, line string) {
			t.Helper()
			if _, modified := f.ProcessTagged(nil, appendEvent(nil, "log", line), tag); modified != want {
				t.Errorf("State_Interval %s, %q: %v, want %v", interval, line, modified, want)
			}
		}
		row(f, false, "#fields\tts\tid.orig_h\tid.resp_h\tclient")
		f.store.saveOnTimer(time.Now())
		f.store.dir.Close() // nothing more is saved
		g := offline(t, host("state_dir", dir))
		row(g, true, "1600000000.5\thost-1\tserver-1-1\tclient-1")
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

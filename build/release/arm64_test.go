package release

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// command of a file for a target: as it is on a machine of the architecture, else in the emulator that RGCN_EMULATOR
// names with its arguments.
func (target target) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if target.goarch != runtime.GOARCH {
		emulator := strings.Fields(os.Getenv("RGCN_EMULATOR"))
		if len(emulator) == 0 {
			t.Skipf("skipped: %s, RGCN_EMULATOR names no emulator (make deps-release)", target.goarch)
		}
		args = append(emulator, args...)
	}
	return exec.Command(args[0], args[1:]...)
}

// A state directory goes from one architecture to the other: what one has trained, the other scores alike, whether its
// kernels are vector code or plain.
func TestStateOfTheOtherArchitecture(t *testing.T) {
	dir := t.TempDir()
	log, state := filepath.Join(dir, "ssh.log"), filepath.Join(dir, "state")
	run := func(target target, args ...string) []byte {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := target.command(t, append([]string{target.file("rgcn")}, args...)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v: %v\n%s", target.goarch, args, err, stderr.String())
		}
		return stdout.Bytes()
	}
	if targets[0].goarch != runtime.GOARCH {
		t.Skipf("skipped: what %s has trained on %s", targets[0].goarch, runtime.GOARCH)
	}
	run(targets[0], "simulate", "-q", "-days", "9", "-hosts", "200", "-sessions", "800", "-o", log)
	run(targets[0], "train", "-q", "-state", state, log)
	want := scores(t, run(targets[0], "score", "-q", "-state", state, log))
	got := scores(t, run(targets[1], "score", "-q", "-state", state, log))
	if len(want) < 500 || len(got) != len(want) {
		t.Fatalf("%d scores and %d", len(got), len(want))
	}
	lowest, highest := 1.0, 0.0
	for i := range want {
		// Products are rounded before they are added up, or not: the last places of a score are the processor's.
		if d := math.Abs(got[i].Score - want[i].Score); !(d < 1e-4) {
			t.Fatalf("record %d has the score %v on %s and %v on %s", i, want[i].Score, targets[0].goarch, got[i].Score, targets[1].goarch)
		}
		lowest, highest = min(lowest, want[i].Score), max(highest, want[i].Score)
	}
	if highest-lowest < 0.5 {
		t.Errorf("scores lie between %v and %v: a model that tells nothing apart proves little", lowest, highest)
	}
}

type scored struct {
	Score float64 `json:"score"`
}

func scores(t *testing.T, lines []byte) (all []scored) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		s := scored{Score: math.NaN()}
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, s)
	}
	return all
}

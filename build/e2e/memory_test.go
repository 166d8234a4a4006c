package e2e

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestMemoryIsBounded sends a new banner with every connection, from ever new addresses: ten thousand banners and a
// hundred thousand sources, more than the graph may keep. Once the graph is full, more of them need no more memory.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json"), toFile("ssh", out), filter("ssh",
		"Graph_Max_Nodes", "5000", "Graph_Max_Relations", "100", "Graph_Max_Edges", "20000",
		"Model_Dim", "8", "Train_Steps", "5", "Train_Interval", "1s")))
	written := 0
	// flow returns the resident memory after n records in all and a training that had them; it sends them in portions,
	// as a network would, or the host's own queue would be what is measured.
	flow := func(n int) (kib int) {
		for written < n {
			var b strings.Builder
			for range 5000 {
				fmt.Fprintf(&b, `{"id.orig_h":"10.%d.%d.%d","id.resp_h":"server-%d","client":"SSH-2.0-%d"}`+"\n",
					written%100000>>16, written%100000>>8&255, written%100000&255, written%53, written%10007%10000)
				written++
			}
			extend(t, input, b.String())
			p.untilLines(out, written)
		}
		trainings := strings.Count(p.log(), "trained:")
		extend(t, input, `{"id.orig_h":"last-`+strconv.Itoa(n)+`","id.resp_h":"server-0"}`+"\n") // an edge for the schedule to be due
		written++
		p.untilLines(out, written)
		p.untilLogged("trained:", trainings+1)
		return residentKiB(t, p)
	}
	before := flow(50_000)
	after := flow(150_000)
	t.Logf("resident: %d KiB after 50,000 records, %d KiB after 150,000", before, after)
	if after > before+before/5+10<<10 {
		t.Errorf("resident memory grew from %d to %d KiB", before, after)
	}
	p.stop()
	records := lines(t, out)
	if len(records) != written {
		t.Errorf("%d records of %d", len(records), written)
	}
	p.wantLogged(fmt.Sprintf("closed: %d records, %d counted,", written, written))
}

func residentKiB(t *testing.T, p *process) (kib int) {
	t.Helper()
	_, line, _ := strings.Cut(string(read(fmt.Sprintf("/proc/%d/status", p.process.Pid))), "VmRSS:")
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatalf("resident memory: %v", err)
	}
	return kib
}

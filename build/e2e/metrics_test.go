package e2e

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/build/samples"
)

// freeAddress is an address of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return free.Addr().String()
}

// httpGet returns the body of an answer, "" where nobody answers.
func httpGet(url string) string {
	r, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

// TestMetrics asks a running filter for its metrics, also after a reload of the host's configuration.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	input, out, state := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out"), filepath.Join(dir, "state")
	p := start(t, "-Y", "-c", pipeline(t, dir,
		tail("ssh", input, "zeek_tsv_2012", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out),
		filter("ssh", "State_Dir", state, "Train_Min_Edges", "1490", "Model_Dim", "16", "Train_Steps", "20", "Metrics_Listen", address)))
	get := func(path string) string { return httpGet("http://" + address + path) }
	p.untilLines(out, samples.Rows)
	p.until("a training in the metrics", func() bool {
		return strings.Contains(get("/metrics"), `rgcn_trainings_total{device="cpu",result="new"} 1`)
	})
	text := get("/metrics")
	for _, want := range []string{"rgcn_records_total 7143\n", "rgcn_records_counted_total 7143\n", "rgcn_graph_edges 1490\n", "rgcn_model_age_seconds "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if page := get("/"); !strings.Contains(page, `"live":true`) || !strings.Contains(page, strings.Split(sessions(t), "\t")[4]) {
		t.Error("no picture of the graph")
	}
	p.signal(unix.SIGHUP)
	p.until("reloaded", func() bool { return strings.Contains(p.log(), "successful reload done") })
	p.until("the new instance's metrics", func() bool { return strings.Contains(get("/metrics"), "rgcn_records_total 0\n") })
	if !strings.Contains(get("/healthz"), `"edges":1490`) {
		t.Errorf("health: %s", get("/healthz"))
	}
	p.stop()
	if get("/healthz") != "" {
		t.Error("answers after its end")
	}
	if strings.Contains(p.log(), "address already in use") {
		t.Errorf("the reload found the port taken:\n%s", p.log())
	}
	status, err := exec.Command(offlineTool, "status", "-state", state).CombinedOutput()
	if err != nil || !strings.Contains(string(status), "1490 distinct triplets") {
		t.Errorf("%v: %s", err, status)
	}
}

// TestNoRecordReachesTheFilter has a Match that fits no tag, which the host takes.
func TestNoRecordReachesTheFilter(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	input, out := write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), filter("sssh", "Metrics_Listen", address), toFile("ssh", out)))
	p.untilLines(out, samples.Rows)
	p.untilLogged("metrics: serves", 1) // after the host's own ports
	if health := httpGet("http://" + address + "/healthz"); !strings.Contains(health, `"problem":"no record has come since the start at `) {
		t.Error(health)
	}
	p.stop()
	p.wantLogged("metrics: serves the page (/), /metrics and /healthz on http://"+address,
		"closed: 0 records, 0 counted, 0 scored, 0 with a low score, 0 without source or destination, 0 malformed; no record came: see that Match fits")
}

// TestTheHostsOwnPort names an address that the host's own server takes: the host starts, and the filter waits.
func TestTheHostsOwnPort(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	p := start(t, "-H", "-P", port, "-c", pipeline(t, dir, tail("ssh", write(t, dir, "ssh.log", ""), "zeek_tsv_2012"), filter("ssh", "Metrics_Listen", address)))
	p.untilLogged("metrics: listen tcp "+address+": bind: address already in use; records are scored all the same", 1)
	if text := httpGet("http://" + address + "/"); !strings.Contains(text, `"fluent-bit":`) {
		t.Errorf("the host answers %q", text)
	}
	p.stop()
}

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// TestGraphSource has a new agent learn from an index, and go on while the server of the index hangs: every record
// comes out, with a score, and the filter ends as it should.
func TestGraphSource(t *testing.T) {
	t.Parallel()
	rows := strings.SplitAfter(sessions(t), "\n")
	const known = 5000 // sessions that are in the index alone
	server := &elastictest.Server{Index: "logs", User: "elastic", Password: "geheim", Types: map[string]string{"id.orig_h": "ip", "id.resp_h": "ip"}}
	for i, row := range rows[:known] {
		column := strings.Split(row, "\t")
		server.Add(elastictest.Document{Time: time.Now().Add(time.Duration(i-known) * time.Minute), Fields: map[string]any{
			"id.orig_h": column[2], "id.resp_h": column[4], "client": column[len(column)-1]}})
	}
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	metrics := func() string {
		r, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			return ""
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return string(b)
	}
	input, out := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out")
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", "Model_Dim", "16", "Train_Steps", "20", "Train_Interval", "2s", "Metrics_Listen", address,
			"Graph_Source", server.Start(t), "Graph_Source_Credentials", write(t, dir, "credentials", "elastic:geheim\n"))))
	p.untilLogged("trained: ", 1)
	p.untilLogged("metrics: serves", 1) // after the host's own ports
	p.wantLogged(fmt.Sprintf("%d documents in", known))

	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		<-r.Context().Done()
		return true
	})
	extend(t, input, strings.Join(rows[known:], ""))
	p.untilLines(out, samples.Rows-known)
	for _, record := range lines(t, out) {
		if _, score, _, ok := split(record); !ok || !numeric(score) {
			t.Fatalf("no score: %s", record)
		}
	}
	text := metrics()
	for _, want := range []string{"rgcn_source_pulls_total ", "rgcn_source_failing 0\n", "rgcn_source_last_pull_timestamp_seconds ", `rgcn_source_errors_total{kind="unreachable"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	p.stop()
	p.wantLogged("closed: ")
	if strings.Contains(p.log(), "geheim") {
		t.Error("the password is in the log")
	}
}

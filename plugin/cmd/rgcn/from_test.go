package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// index has the sessions of a log of JSON lines, as the shipped configuration ships them.
func index(t testing.TB, log string) *elastictest.Server {
	t.Helper()
	s := &elastictest.Server{Index: "logs-ssh.rgcn-default", User: "elastic", Password: "geheim", Types: map[string]string{
		"id.orig_h": "ip", "id.resp_h": "ip", "id_orig_h": "ip", "id_resp_h": "ip", "ts": "keyword"}}
	for line := range strings.Lines(log) {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(int64(math.Floor(fields["ts"].(float64) * 1e3)))
		delete(fields, "ts")
		s.Add(elastictest.Document{Time: at, Fields: fields})
	}
	return s
}

// scores are those of a log's sessions by a state.
func scores(t testing.TB, state, log string) (all []float64) {
	t.Helper()
	out, _ := mustRun(t, "score", "-q", "-state", state, log)
	for line := range strings.Lines(out) {
		score, ok := decode(t, line)["score"].(float64)
		if !ok {
			t.Fatalf("no score: %s", line)
		}
		all = append(all, score)
	}
	return all
}

// TestTrainFromAServerIsTrainOnTheLog compares a training on what a server counted with one on the records themselves.
func TestTrainFromAServerIsTrainOnTheLog(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "ssh.log")
	mustRun(t, "simulate", "-q", "-hosts", "100", "-days", "5", "-seed", "3", "-o", log)
	server := index(t, read(t, log))
	address := server.Start(t)
	credentials := write(t, "credentials", "elastic:geheim\n")
	fromLog, fromServer := filepath.Join(dir, "log"), filepath.Join(dir, "server")
	mustRun(t, withSmall("train", "-q", "-state", fromLog, log)...)
	_, stderr := mustRun(t, withSmall("train", "-state", fromServer, "-from", address, "-credentials", credentials)...)
	has(t, stderr, "graph: http://127.0.0.1:", "/logs-ssh.rgcn-default; ", "events new to the graph", "trained: ")

	var sizes [2]map[string]any
	for i, state := range []string{fromLog, fromServer} {
		out, _ := mustRun(t, "status", "-json", "-state", state)
		sizes[i] = decode(t, out)["graph"].(map[string]any)
	}
	for _, what := range []string{"nodes", "relations", "edges"} {
		if sizes[0][what] != sizes[1][what] || sizes[0][what] == 0.0 {
			t.Errorf("%v %s, want %v", sizes[1][what], what, sizes[0][what])
		}
	}
	want, got := scores(t, fromLog, log), scores(t, fromServer, log)
	var sum float64
	for i := range want {
		sum += math.Abs(want[i] - got[i])
	}
	// Documents have whole milliseconds, and sessions of one may change places.
	if mean := sum / float64(len(want)); mean > 0.01 {
		t.Errorf("scores differ by %.4f on average", mean)
	}

	_, stderr = mustRun(t, withSmall("train", "-state", fromServer, "-from", address, "-credentials", credentials)...)
	has(t, stderr, " 0 events new to the graph")
	for _, body := range server.Requests() {
		if strings.Contains(body, "geheim") {
			t.Errorf("a request has the password: %s", body)
		}
	}
}

func TestTrainFromRefuses(t *testing.T) {
	server := index(t, "")
	address := server.Start(t)
	state := filepath.Join(t.TempDir(), "state")
	withUser := strings.Replace(address, "://", "://elastic:falsch@", 1)
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-from", address, "ssh.log"}, exitUsage, `unexpected "ssh.log": want no FILE with -from`},
		{[]string{"-index", "logs", "ssh.log"}, exitUsage, "-index goes with -from URL"},
		{[]string{"-from", "http://127.0.0.1:1/logs", "-columns", "a,b"}, exitUsage, "-columns is for FILE, and does not go with -from"},
		{[]string{"-from", "http://127.0.0.1:1/logs", "-strict"}, exitUsage, "-strict is for FILE, and does not go with -from"},
		{[]string{"-from", strings.TrimSuffix(address, "/"+server.Index)}, exitUsage, "graph_source = "},
		{[]string{"-from", address, "-query", "{"}, exitUsage, "graph_source_query = "},
		{[]string{"-from", address, "-ca", "/no/such/file"}, exitFailed, "the file of authorities /no/such/file: no such file"},
		{[]string{"-from", address, "-preset", "openssh"}, exitFailed, "the preset openssh takes sessions from sshd's messages"},
		{[]string{"-from", address, "-credentials", write(t, "credentials", "elastic:falsch")}, exitFailed, "accepts no such credentials (401): the password or the API key is wrong"},
		{[]string{"-from", withUser}, exitUsage, "it holds a user or a password, which would be logged: put them into the file that graph.source_credentials names"},
		{[]string{"-from", withUser + "x?y", "-preset", "zeek"}, exitUsage, "://...@127.0.0.1"},
	} {
		_, stderr, status := rgcn(append([]string{"train", "-state", state}, c.args...)...)
		if status != c.status || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "falsch") {
			t.Errorf("%q: status %d, %s", c.args, status, stderr)
		}
	}
}

// A query is read to its bound, and from a pipe, as shells make them of <(...).
func TestReadQuery(t *testing.T) {
	const query = `{"match_all":{}}`
	long := write(t, "query", strings.Repeat(" ", maxQuery-len(query))+query)
	if q, err := readQuery(long); err != nil || strings.TrimSpace(q) != query {
		t.Errorf("%d bytes, %v", len(q), err)
	}
	if err := os.Truncate(long, maxQuery+1); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := rgcn("train", "-from", "http://127.0.0.1:1/x", "-query", "@"+long)
	if want := "-query: read " + long + ": has more than 1048576 bytes"; status != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("status %d, %s, want %s", status, stderr, want)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString(query); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if q, err := readQuery(fmt.Sprint("/dev/fd/", r.Fd())); err != nil || q != query {
		t.Errorf("%q, %v", q, err)
	}
}

// Package elastic runs the shipped configuration for Elasticsearch and OpenSearch against real
// servers: sessions of a simulated log on their way through Fluent Bit and the filter into a data
// stream, and what the shipped alerts find there. `make e2e` runs it.
package elastic

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const conf = "../../conf"

// TestMain prints one line about what is missing, if anything is.
func TestMain(m *testing.M) {
	if os.Getenv("RGCN_E2E") == "" {
		fmt.Println("make e2e runs the scenarios with real search servers; make test only compiles them")
		os.Exit(0)
	}
	if !haveFluentBit() {
		fmt.Println("fluent-bit is not on the PATH: rgcn replay and bulk requests take its place")
	}
	for _, program := range []string{"java", "mvn", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			fmt.Printf("%s is not on the PATH: the scenarios with real search servers are skipped\n", program)
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// sessions are what passed, as the file beside the server got them: the truth to compare with.
type session struct {
	UID    string      `json:"uid"`
	Source string      `json:"id.orig_h"`
	Dest   string      `json:"id.resp_h"`
	Client string      `json:"client"`
	TS     json.Number `json:"ts"` // or a string that holds one
	Score  float64     `json:"score"`
	Low    bool        `json:"low_score"`
	Alert  bool        `json:"source_alert"`
	Reason string      `json:"score_reason"`
	Label  string      `json:"label"`

	NoScore bool `json:"-"` // score is null, or not there
}

func (s *session) time() time.Time {
	seconds, _ := s.TS.Float64()
	return time.UnixMicro(int64(seconds * 1e6)).UTC()
}

// pipeline is the shipped configuration with a trained state, a second output to a file, and retries
// that do not wait for minutes.
type pipeline struct {
	t        *testing.T
	dir, log string
	out      string
	cmd      *exec.Cmd
	offline  *offline // in cmd's place
	rest     []string // lines that have not passed yet
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func environment(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: make e2e sets it", name)
	}
	return v
}

func newPipeline(t *testing.T, s *server, kind, index string) *pipeline {
	t.Helper()
	rgcn, so, dir := environment(t, "RGCN_BIN"), environment(t, "RGCN_SO"), t.TempDir()
	// Twelve days that end today, so that alerts on the last day have something to find.
	whole, past := filepath.Join(dir, "whole"), filepath.Join(dir, "past")
	run(t, rgcn, "simulate", "-q", "-start", time.Now().UTC().AddDate(0, 0, -11).Format(time.DateOnly), "-o", whole)
	lines := slices.Collect(strings.Lines(read(t, whole)))
	cut := len(lines) * 3 / 4
	write(t, past, strings.Join(lines[:cut], ""))
	state := filepath.Join(dir, "state")
	run(t, rgcn, "train", "-q", "-state", state, past)

	if !haveFluentBit() {
		p := &pipeline{t: t, dir: dir, out: filepath.Join(dir, "out"), rest: lines[cut:]}
		p.offline = newOffline(t, rgcn, state, dir, p.out, s, index)
		return p
	}
	text, parsers := read(t, filepath.Join(conf, kind, "fluent-bit.conf")), read(t, filepath.Join(conf, "parsers.conf"))
	if s.kind == "elasticsearch8" { // without an ingest pipeline the time of a session has to come from the parser
		text = strings.Replace(text, "    Pipeline            logs-ssh.rgcn\n", "", 1)
		parsers = strings.ReplaceAll(parsers, "%Y-%m-%dT%H:%M:%S.%L%z", "%s.%L")
		for i := range lines {
			lines[i] = regexp.MustCompile(`"ts":([0-9.]+)`).ReplaceAllString(lines[i], `"ts":"$1"`)
		}
	}
	write(t, filepath.Join(dir, "parsers.conf"), parsers)
	for old, new := range map[string]string{
		"${RGCN_CONF:-..}/parsers.conf":                  filepath.Join(dir, "parsers.conf"),
		"    # State_Dir     /var/lib/flb-filter-rgcn\n": "    State_Dir " + state + "\n    Train_Interval 0\n",
		"    Flush         1\n":                          "    Flush         1\n    Scheduler.Cap 3\n    Scheduler.Base 1\n",
		"logs-ssh.rgcn-default":                          index,
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("conf/%s/fluent-bit.conf has no %q", kind, old)
		}
		text = strings.Replace(text, old, new, 1)
	}
	p := &pipeline{t: t, dir: dir, log: filepath.Join(dir, "ssh.log"), out: filepath.Join(dir, "out"), rest: lines[cut:]}
	text += fmt.Sprintf("\n[OUTPUT]\n    Name file\n    Match ssh\n    Format plain\n    Path %s\n    File out\n", dir)
	write(t, filepath.Join(dir, "fluent-bit.conf"), text)
	write(t, p.log, "")
	p.cmd = exec.Command("fluent-bit", "-e", so, "-c", filepath.Join(dir, "fluent-bit.conf"))
	p.cmd.Env = append(os.Environ(), "SSH_LOG="+p.log, "ES_HOST=127.0.0.1", "ES_PORT="+s.port)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Signal(os.Interrupt); p.cmd.Wait() })
	return p
}

// pass sends the next lines through, without waiting for them.
func (p *pipeline) pass(n int) {
	p.t.Helper()
	lines := p.rest[:n]
	p.rest = p.rest[n:]
	if p.offline != nil {
		p.offline.pass(lines)
		return
	}
	f, err := os.OpenFile(p.log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, ""))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	f.Close()
}

func (p *pipeline) sessions() (all []session) {
	p.t.Helper()
	for line := range strings.Lines(read(p.t, p.out)) {
		var s session
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			p.t.Fatalf("%v: %s", err, line)
		}
		all = append(all, s)
	}
	return all
}

func (s *server) count(index string) int {
	a, err := s.try("GET", index+"/_count", "")
	if err != nil {
		return -1
	}
	n, _ := at(a, "count").(float64)
	return int(n)
}

func TestOpenSearch(t *testing.T) {
	s := newServer(t, "opensearch")
	for range 2 { // twice, since a second run must change nothing
		out := run(t, abs(t, conf+"/elasticsearch/setup.sh"), s.url())
		if strings.Count(out, ": done") != 2 {
			t.Fatalf("setup: %s", out)
		}
	}
	const index = "logs-ssh.rgcn-default"
	scenario(t, s, "opensearch", index)
	stream := at(s.call("GET", "_data_stream/"+index, ""), "data_streams", 0)
	if at(stream, "template") != "logs-ssh.rgcn" {
		t.Errorf("no data stream of the template: %v", stream)
	}
	elastalert(t, s)
	t.Run("graph", func(t *testing.T) { graph(t, s) })
	t.Run("fleet", func(t *testing.T) { fleet(t, s) })
}

// TestElasticsearch has the newest server that is published with its modules. It is older than data
// streams are in its free part, and than index lifecycles: the same mapping serves a plain index.
func TestElasticsearch(t *testing.T) {
	s := newServer(t, "elasticsearch")
	s.call("PUT", "_ingest/pipeline/logs-ssh.rgcn", read(t, conf+"/elasticsearch/pipeline.json"))
	plainIndex(t, s)
	scenario(t, s, "elasticsearch", "logs-ssh.rgcn-plain")
	t.Run("graph", func(t *testing.T) { graph(t, s) })
	t.Run("fleet", func(t *testing.T) { fleet(t, s) })
}

// TestElasticsearch8 has a server of release 8. Of its modules HTTP alone is published: no ingest
// processors, no data streams, no lifecycles.
func TestElasticsearch8(t *testing.T) {
	s := newServer(t, "elasticsearch8")
	plainIndex(t, s, "index.default_pipeline")
	scenario(t, s, "elasticsearch", "logs-ssh.rgcn-plain")
	t.Run("graph", func(t *testing.T) { graph(t, s) })
}

// plainIndex installs the shipped template less what the server does not know.
func plainIndex(t *testing.T, s *server, less ...string) {
	t.Helper()
	var template map[string]any
	if err := json.Unmarshal([]byte(read(t, conf+"/elasticsearch/index-template.json")), &template); err != nil {
		t.Fatal(err)
	}
	delete(template, "data_stream")
	for _, setting := range append(less, "index.lifecycle.name") {
		delete(at(template, "template", "settings").(map[string]any), setting)
	}
	b, _ := json.Marshal(template)
	s.call("PUT", "_index_template/logs-ssh.rgcn", string(b))
}

// scenario sends sessions, stops the server in the middle, and checks what arrived.
func scenario(t *testing.T, s *server, kind, index string) {
	p := newPipeline(t, s, kind, index)
	n := len(p.rest)
	failed := func() string { return read(t, filepath.Join(p.dir, "log")) }
	p.pass(n / 2)
	until(t, fmt.Sprintf("half of %d sessions", n), func() bool { return s.count(index) == n/2 }, failed)
	s.stop()
	p.pass(n - n/2)
	until(t, "a try without a server", func() bool {
		return strings.Contains(failed(), "no upstream connections") || strings.Contains(failed(), "failed to flush chunk")
	}, failed)
	s.start()
	until(t, fmt.Sprintf("all of %d sessions", n), func() bool { return s.count(index) == n }, func() string { return fmt.Sprint(s.count(index), failed()) })
	all := p.sessions()
	if len(all) != n {
		t.Fatalf("%d sessions passed, %d lines were written", len(all), n)
	}
	s.call("POST", index+"/_refresh", "")

	t.Run("mapping", func(t *testing.T) { mapping(t, s, index) })
	t.Run("documents", func(t *testing.T) { documents(t, s, index, all) })
	t.Run("evidence", func(t *testing.T) { evidence(t, s, index) })
	t.Run("alerts", func(t *testing.T) { alerts(t, s, all) })
	t.Run("dashboard", func(t *testing.T) { dashboard(t, s, all) })
}

func mapping(t *testing.T, s *server, index string) {
	for _, m := range s.call("GET", index+"/_mapping", "") {
		for path, want := range map[string]string{
			"@timestamp": "date", "score": "float", "low_score": "boolean", "source_alert": "boolean", "score_source_risk": "float", "score_source_triplets": "integer", "score_reason": "keyword", "score_model": "date",
			"id.orig_h": "ip", "id.resp_h": "ip", "id.orig_p": "integer", "client": "keyword", "label": "keyword",
			"score_lower_per_day": "float", "score_pair_days": "integer", "score_source_destinations": "integer", "score_destination_sources": "integer", "score_source_sources": "integer",
			"score_group": "keyword", "score_group_sources": "integer", "score_group_to_destination": "integer",
			"score_pair_first_seen": "date", "score_pair_last_seen": "date", "score_source_relations": "keyword", "score_source_reached_by": "keyword", "score_peers": "keyword",
		} {
			v := at(m, "mappings")
			for _, key := range strings.Split(path, ".") {
				v = at(v, "properties", key)
			}
			if at(v, "type") != want {
				t.Errorf("%s is %v, want %s", path, v, want)
			}
		}
	}
}

// evidence queries the evidence as a person would: exactly the sessions with a low score or an alert have some, and a
// query by it finds them.
func evidence(t *testing.T, s *server, index string) {
	count := func(query string) int {
		t.Helper()
		n, _ := at(s.call("GET", index+"/_count", `{"query":`+query+`}`), "count").(float64)
		return int(n)
	}
	low, told := `{"bool":{"should":[{"term":{"low_score":true}},{"term":{"source_alert":true}}]}}`, `{"exists":{"field":"score_destination_sources"}}`
	both := count(`{"bool":{"filter":[` + low + `,` + told + `]}}`)
	if n := count(low); n == 0 || both != n || count(told) != n {
		t.Errorf("%d sessions with a low score or an alert, %d of them with evidence, %d with evidence in all", n, both, count(told))
	}
	met := count(`{"range":{"score_pair_first_seen":{"lt":"now"}}}`)
	if days := count(`{"range":{"score_pair_days":{"gt":1}}}`); met == 0 || days == 0 || days > met || met >= both {
		t.Errorf("of %d pairs %d met before, %d of them on another day", both, met, days)
	}
}

// documents compares what the server holds of each session with a low score to what passed.
func documents(t *testing.T, s *server, index string, all []session) {
	a := s.call("GET", index+"/_search", `{"size":10000,"query":{"term":{"low_score":true}},"fields":["@timestamp"],"sort":[{"@timestamp":"asc"}]}`)
	key := func(source, dest string, at time.Time) string {
		return source + " " + dest + " " + at.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
	}
	var got, want []string
	hits, _ := at(a, "hits", "hits").([]any)
	for _, h := range hits {
		stamp, err := time.Parse(time.RFC3339, fmt.Sprint(at(h, "_source", "@timestamp")))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, key(fmt.Sprint(at(h, "_source", "id.orig_h")), fmt.Sprint(at(h, "_source", "id.resp_h")), stamp))
	}
	for _, v := range all {
		if v.Low {
			want = append(want, key(v.Source, v.Dest, v.time()))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) == 0 || !slices.Equal(got, want) {
		lacks := func(of, in []string) []string {
			return slices.DeleteFunc(slices.Clone(of), func(k string) bool { return slices.Contains(in, k) })
		}
		t.Errorf("%d documents with a low score, %d sessions; only documents: %v; only sessions: %v", len(got), len(want), lacks(got, want), lacks(want, got))
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	a, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

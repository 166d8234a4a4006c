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
	"slices"
	"strings"
	"testing"
	"time"
)

const conf = "../../conf"

// TestMain says in one line what is missing, if anything is.
func TestMain(m *testing.M) {
	if os.Getenv("RGCN_E2E") == "" {
		fmt.Println("make e2e runs the scenarios with real search servers; make test only compiles them")
		os.Exit(0)
	}
	for _, program := range []string{"java", "mvn", "fluent-bit", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			fmt.Printf("%s is not on the PATH: the scenarios with real search servers are skipped\n", program)
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// sessions are what passed, as the file beside the server got them: the truth to compare with.
type session struct {
	Source string  `json:"id.orig_h"`
	Dest   string  `json:"id.resp_h"`
	TS     float64 `json:"ts"`
	Score  float64 `json:"score"`
	Low    bool    `json:"low_score"`
	Reason string  `json:"score_reason"`
	Label  string  `json:"label"`
}

func (s *session) time() time.Time { return time.UnixMicro(int64(s.TS * 1e6)).UTC() }

// pipeline is the shipped configuration with a trained state, a second output to a file, and retries
// that do not wait for minutes.
type pipeline struct {
	t        *testing.T
	dir, log string
	out      string
	cmd      *exec.Cmd
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

	text := read(t, filepath.Join(conf, kind, "fluent-bit.conf"))
	for old, new := range map[string]string{
		"../parsers.conf": abs(t, filepath.Join(conf, "parsers.conf")),
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
	f, err := os.OpenFile(p.log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Join(p.rest[:n], ""))
		p.rest = p.rest[n:]
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
	for range 2 { // as somebody does who is not sure
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
}

// TestElasticsearch has the newest server that Maven Central has whole. It is older than data
// streams are in its free part, and than index lifecycles: the same mapping serves a plain index.
func TestElasticsearch(t *testing.T) {
	s := newServer(t, "elasticsearch")
	s.call("PUT", "_ingest/pipeline/logs-ssh.rgcn", read(t, conf+"/elasticsearch/pipeline.json"))
	var template map[string]any
	if err := json.Unmarshal([]byte(read(t, conf+"/elasticsearch/index-template.json")), &template); err != nil {
		t.Fatal(err)
	}
	delete(template, "data_stream")
	delete(at(template, "template", "settings").(map[string]any), "index.lifecycle.name")
	b, _ := json.Marshal(template)
	s.call("PUT", "_index_template/logs-ssh.rgcn", string(b))
	scenario(t, s, "elasticsearch", "logs-ssh.rgcn-plain")
}

// scenario sends sessions, takes the server away in the middle, and looks at what came.
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
	t.Run("alerts", func(t *testing.T) { alerts(t, s, all) })
	t.Run("dashboard", func(t *testing.T) { dashboard(t, s, all) })
}

func mapping(t *testing.T, s *server, index string) {
	for _, m := range s.call("GET", index+"/_mapping", "") {
		for path, want := range map[string]string{
			"@timestamp": "date", "score": "float", "low_score": "boolean", "score_reason": "keyword", "score_model": "date",
			"id.orig_h": "ip", "id.resp_h": "ip", "id.orig_p": "integer", "client": "keyword", "label": "keyword",
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
		t.Errorf("%d documents with a low score, %d sessions; first %v and %v", len(got), len(want), got[:min(1, len(got))], want[:min(1, len(want))])
	}
}

// low are the sources with a low score by day, from a moment on, as the sessions have them.
func low(all []session, from time.Time) (keys []string) {
	for _, s := range all {
		if s.Low && !s.time().Before(from) {
			keys = append(keys, s.time().Format(time.DateOnly)+" "+s.Source)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// alerts runs what the shipped alerts ask: each must find the sources that had a low score.
func alerts(t *testing.T, s *server, all []session) {
	now := time.Now()
	day := func(ms any) string { return time.UnixMilli(int64(ms.(float64))).UTC().Format(time.DateOnly) }
	check := func(what string, got []string) {
		t.Helper()
		slices.Sort(got)
		want := low(all, now.Add(-24*time.Hour))
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", what, got, want)
		}
	}

	var got []string
	a := s.call("GET", "logs-ssh.rgcn-*/_search", read(t, conf+"/elasticsearch/alert-query.json"))
	days, _ := at(a, "aggregations", "day", "buckets").([]any)
	for _, d := range days {
		sources, _ := at(d, "source", "buckets").([]any)
		for _, b := range sources {
			got = append(got, day(at(d, "key"))+" "+at(b, "key").(string))
		}
	}
	check("the plain query", got)

	// The attacks among the last day's sessions that were flagged are among what it finds.
	attacks := 0
	for _, v := range all {
		if v.Label != "" && v.Label != "benign" && v.Low && v.time().After(now.Add(-24*time.Hour)) {
			attacks++
			if !slices.Contains(got, v.time().Format(time.DateOnly)+" "+v.Source) {
				t.Errorf("the attack of %s is not found", v.Source)
			}
		}
	}
	if attacks == 0 {
		t.Error("no planted attack was flagged")
	}

	monitor := read(t, conf+"/opensearch/monitor.json")
	var m any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(monitor, "{{period_end}}", fmt.Sprint(now.AddDate(0, 0, 2).UnixMilli()))), &m); err != nil {
		t.Fatal(err)
	}
	query := at(m, "inputs", 0, "search", "query").(map[string]any)
	// Simulated sessions of today may lie ahead of the clock: the window ends later here, and begins as it does in an hour's run.
	at(query, "query", "bool", "filter", 1, "range", "@timestamp").(map[string]any)["gte"] = now.Add(-24 * time.Hour).UnixMilli()
	got = nil
	buckets, _ := at(s.search(t, query), "aggregations", "by_source_and_day", "buckets").([]any)
	for _, b := range buckets {
		got = append(got, day(at(b, "key", "day"))+" "+at(b, "key", "source").(string))
	}
	check("the OpenSearch monitor's query", got)

	// What a Kibana rule of this type asks: its query, grouped by its term.
	var rule any
	if err := json.Unmarshal([]byte(read(t, conf+"/kibana/rule.json")), &rule); err != nil {
		t.Fatal(err)
	}
	var q map[string]any
	if err := json.Unmarshal([]byte(at(rule, "params", "esQuery").(string)), &q); err != nil {
		t.Fatal(err)
	}
	q["size"] = 0
	q["aggs"] = map[string]any{"group": map[string]any{"terms": map[string]any{"field": at(rule, "params", "termField"), "size": at(rule, "params", "termSize")}}}
	q["query"] = map[string]any{"bool": map[string]any{"filter": []any{q["query"],
		map[string]any{"range": map[string]any{at(rule, "params", "timeField").(string): map[string]any{"gte": now.Add(-24 * time.Hour).UnixMilli(), "format": "epoch_millis"}}}}}}
	sources := map[string]bool{}
	groups, _ := at(s.search(t, q), "aggregations", "group", "buckets").([]any)
	for _, b := range groups {
		sources[at(b, "key").(string)] = true
	}
	want := map[string]bool{}
	for _, k := range low(all, now.Add(-24*time.Hour)) {
		want[strings.Fields(k)[1]] = true
	}
	if len(sources) != len(want) {
		t.Errorf("the Kibana rule's query finds %d sources, want %d", len(sources), len(want))
	}
}

func (s *server) search(t *testing.T, query map[string]any) map[string]any {
	t.Helper()
	b, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	return s.call("GET", "logs-ssh.rgcn-*/_search", string(b))
}

// dashboard runs the aggregations of each visualisation, as Kibana would ask them.
func dashboard(t *testing.T, s *server, all []session) {
	seen := 0
	for line := range strings.Lines(read(t, conf+"/kibana/dashboard.ndjson")) {
		var o any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		if at(o, "type") != "visualization" {
			continue
		}
		seen++
		title := at(o, "attributes", "title")
		var vis, source any
		if err := json.Unmarshal([]byte(at(o, "attributes", "visState").(string)), &vis); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(at(o, "attributes", "kibanaSavedObjectMeta", "searchSourceJSON").(string)), &source); err != nil {
			t.Fatal(err)
		}
		query := map[string]any{"size": 0, "track_total_hits": true, "query": map[string]any{"query_string": map[string]any{
			"query": strings.ReplaceAll(at(source, "query", "query").(string), " or ", " OR ")}}}
		level := query
		aggs, _ := at(vis, "aggs").([]any)
		for _, a := range aggs {
			field := at(a, "params", "field")
			var body map[string]any
			switch at(a, "type") {
			case "count":
				continue
			case "min":
				level["aggs"] = map[string]any{"metric": map[string]any{"min": map[string]any{"field": field}}}
				continue
			case "date_histogram":
				body = map[string]any{"date_histogram": map[string]any{"field": field, "fixed_interval": "3h"}}
			case "terms":
				body = map[string]any{"terms": map[string]any{"field": field, "size": at(a, "params", "size")}}
			default:
				t.Fatalf("%s: an aggregation of type %v", title, at(a, "type"))
			}
			if level["aggs"] == nil {
				level["aggs"] = map[string]any{}
			}
			level["aggs"].(map[string]any)["bucket"] = body
			level = body
		}
		answer := s.search(t, query)
		if b, _ := at(answer, "aggregations", "bucket", "buckets").([]any); len(b) == 0 {
			t.Errorf("%s is empty: %v", title, answer)
		}
	}
	if seen != 4 {
		t.Errorf("%d visualisations, want 4", seen)
	}
}

// elastalert runs ElastAlert 2 over the last day with the shipped rule, its index of its own included.
func elastalert(t *testing.T, s *server) {
	t.Run("elastalert", func(t *testing.T) {
		bin, err := filepath.Abs("../out/elastic/venv/bin")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(bin, "elastalert")); err != nil {
			if out, err := exec.Command("sh", "-c", `python3 -m venv "$1" && "$1/bin/pip" install -q elastalert2==2.19.0 pytz`, "sh", filepath.Dir(bin)).CombinedOutput(); err != nil {
				t.Skipf("ElastAlert 2 cannot be installed: %s", firstLine(out))
			}
		}
		dir := t.TempDir()
		rule := filepath.Join(dir, "low_score.yaml")
		write(t, rule, read(t, conf+"/elastalert/low_score.yaml"))
		config := filepath.Join(dir, "config.yaml")
		write(t, config, fmt.Sprintf("rules_folder: %s\nrun_every: {minutes: 1}\nbuffer_time: {minutes: 15}\nes_host: 127.0.0.1\nes_port: %s\nwriteback_index: elastalert_status\n", dir, s.port))
		run(t, filepath.Join(bin, "elastalert-create-index"), "--config", config, "--index", "elastalert_status", "--old-index", "")
		// A day that is over: what the rule says of it does not depend on when this runs.
		from := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
		out := run(t, filepath.Join(bin, "elastalert-test-rule"), "--config", config, "--alert",
			"--start", from.Format("2006-01-02T15:04:05Z"), "--end", from.Add(24*time.Hour-time.Second).Format("2006-01-02T15:04:05Z"), rule)
		got := map[string]bool{}
		alerts := 0
		for line := range strings.Lines(out) {
			if _, after, ok := strings.Cut(line, " -> "); ok && strings.Contains(line, ", score ") {
				fields := strings.Fields(line[:len(line)-len(after)])
				got[fields[len(fields)-2]] = true
				alerts++
			}
		}
		want := sources(t, s, from)
		if len(want) == 0 || len(got) != len(want) || alerts != len(want) {
			t.Errorf("%d alerts for %d sources, %d sources had a low score\n%s", alerts, len(got), len(want), out)
		}
	})
}

// sources with a low score on a day, as the server counts them.
func sources(t *testing.T, s *server, day time.Time) []any {
	t.Helper()
	a := s.search(t, map[string]any{"size": 0,
		"query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"low_score": true}},
			map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": day.UnixMilli(), "lt": day.Add(24 * time.Hour).UnixMilli(), "format": "epoch_millis"}}}}}},
		"aggs": map[string]any{"source": map[string]any{"terms": map[string]any{"field": "id.orig_h", "size": 1000}}}})
	b, _ := at(a, "aggregations", "source", "buckets").([]any)
	return b
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

func TestPrometheusRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on the PATH: the alerts on the filter's metrics are not tried")
	}
	run(t, promtool, "check", "rules", conf+"/prometheus/rgcn.yml")
	run(t, promtool, "test", "rules", conf+"/prometheus/rgcn_test.yml")
}

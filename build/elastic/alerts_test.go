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

// reported are the sources with an alert by day, from a moment on, as the sessions have them.
func reported(all []session, from time.Time) (keys []string) {
	for _, s := range all {
		if s.Alert && !s.time().Before(from) {
			keys = append(keys, s.time().Format(time.DateOnly)+" "+s.Source)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// alerts runs the queries of the shipped alerts: each must find the sources that the filter reported.
func alerts(t *testing.T, s *server, all []session) {
	now := time.Now()
	day := func(ms any) string { return time.UnixMilli(int64(ms.(float64))).UTC().Format(time.DateOnly) }
	check := func(what string, got []string) {
		t.Helper()
		slices.Sort(got)
		want := reported(all, now.Add(-24*time.Hour))
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

	// The attacks among the last day's sessions at which a source was reported are among what it finds.
	attacks := 0
	for _, v := range all {
		if v.Label != "" && v.Label != "benign" && v.Alert && v.time().After(now.Add(-24*time.Hour)) {
			attacks++
			if !slices.Contains(got, v.time().Format(time.DateOnly)+" "+v.Source) {
				t.Errorf("the attack of %s is not found", v.Source)
			}
		}
	}
	if attacks == 0 {
		t.Error("no source of a planted attack was reported")
	}

	monitor := read(t, conf+"/opensearch/monitor.json")
	var m any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(monitor, "{{period_end}}", fmt.Sprint(now.AddDate(0, 0, 2).UnixMilli()))), &m); err != nil {
		t.Fatal(err)
	}
	query := at(m, "inputs", 0, "search", "query").(map[string]any)
	// Simulated sessions of today may lie ahead of the clock: the window ends later here, and begins as it does in an
	// hour's run.
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
	for _, k := range reported(all, now.Add(-24*time.Hour)) {
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
		level, metrics := query, map[string]any{} // at the innermost level, as Kibana asks for them
		aggs, _ := at(vis, "aggs").([]any)
		for _, a := range aggs {
			field := at(a, "params", "field")
			var body map[string]any
			switch at(a, "type") {
			case "count":
				continue
			case "min":
				metrics["of "+field.(string)] = map[string]any{"min": map[string]any{"field": field}}
				continue
			case "date_histogram":
				body = map[string]any{"date_histogram": map[string]any{"field": field, "fixed_interval": "3h"}}
			case "terms":
				terms := map[string]any{"field": field, "size": at(a, "params", "size")}
				if at(a, "params", "missingBucket") == true {
					terms["missing"] = at(a, "params", "missingBucketLabel")
				}
				body = map[string]any{"terms": terms}
			default:
				t.Fatalf("%s: an aggregation of type %v", title, at(a, "type"))
			}
			if level["aggs"] == nil {
				level["aggs"] = map[string]any{}
			}
			level["aggs"].(map[string]any)["bucket"] = body
			level = body
		}
		if len(metrics) > 0 {
			level["aggs"] = metrics
		}
		answer := s.search(t, query)
		for name := range metrics {
			if !hasValue(answer, name) {
				t.Errorf("%s: nothing has a minimum %s: %v", title, name, answer)
			}
		}
		if b, _ := at(answer, "aggregations", "bucket", "buckets").([]any); len(b) == 0 {
			t.Errorf("%s is empty: %v", title, answer)
		}
	}
	if seen != 5 {
		t.Errorf("%d visualisations, want 5", seen)
	}
}

// hasValue tells whether an aggregation of that name has a value anywhere in an answer.
func hasValue(answer any, name string) bool {
	switch a := answer.(type) {
	case map[string]any:
		if at(a, name, "value") != nil {
			return true
		}
		for _, v := range a {
			if hasValue(v, name) {
				return true
			}
		}
	case []any:
		for _, v := range a {
			if hasValue(v, name) {
				return true
			}
		}
	}
	return false
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
		rule := filepath.Join(dir, "source_alert.yaml")
		write(t, rule, read(t, conf+"/elastalert/source_alert.yaml"))
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
			t.Errorf("%d alerts for %d sources, %d sources were reported\n%s", alerts, len(got), len(want), out)
		}
	})
}

// sources that were reported on a day, as the server counts them.
func sources(t *testing.T, s *server, day time.Time) []any {
	t.Helper()
	a := s.search(t, map[string]any{"size": 0,
		"query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"source_alert": true}},
			map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": day.UnixMilli(), "lt": day.Add(24 * time.Hour).UnixMilli(), "format": "epoch_millis"}}}}}},
		"aggs": map[string]any{"source": map[string]any{"terms": map[string]any{"field": "id.orig_h", "size": 1000}}}})
	b, _ := at(a, "aggregations", "source", "buckets").([]any)
	return b
}

func TestPrometheusRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on the PATH: the alerts on the filter's metrics are not tried")
	}
	run(t, promtool, "check", "rules", conf+"/prometheus/rgcn.yml")
	run(t, promtool, "test", "rules", conf+"/prometheus/rgcn_test.yml")
}

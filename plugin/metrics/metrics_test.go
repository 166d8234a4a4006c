package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
	"flb-filter-rgcn/plugin/version"
)

type host struct {
	properties map[string]string
	mu         sync.Mutex
	lines      []string
}

func (h *host) Property(key string) (string, bool) { v, ok := h.properties[key]; return v, ok }

func (h *host) Log(level filter.Level, message string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, message)
}

func (h *host) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.lines, "\n")
}

// session is an event with the fields of the zeek preset.
func session(i int, source, destination string) []byte {
	b := msgp.AppendArrayHeader(nil, 2)
	b = msgp.AppendArrayHeader(b, 2)
	b = append(b, 0xd7, 0, 0x60, 0, 0, 0, 0, 0, 0, 0)
	b = msgp.AppendMapHeader(b, 0)
	b = msgp.AppendMapHeader(b, 4)
	for _, v := range []string{"ts", fmt.Sprint(1_600_000_000 + i*60), "id.orig_h", source, "id.resp_h", destination, "client", "SSH-2.0-x"} {
		b = msgp.AppendString(b, v)
	}
	return b
}

// trained is an instance that knows thirty hosts, and has seen one go astray.
func trained(t *testing.T) *filter.Instance {
	t.Helper()
	f, err := filter.NewOffline(&host{properties: map[string]string{
		"metrics_listen": "127.0.0.1:2023", "model_dim": "16", "train_steps": "200", "explain": "on",
		"threshold_method": "sigma", // its threshold stands still
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		h := (i * 7919) % 30
		f.Process(nil, session(i, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4)))
	}
	if err := f.Train(context.Background(), time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		h := (i * 7919) % 30
		f.Process(nil, session(3000+i, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4)))
	}
	for i := range 30 {
		f.Process(nil, session(3100+i, "host-1", fmt.Sprint("host-", i)))
	}
	f.Process(nil, []byte{0xc0}) // no record
	return f
}

// quiet is for tests in which nothing is logged, or nobody cares.
func quiet(filter.Level, string) {}

func get(t *testing.T, h http.Handler, method, path, host string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A time that cannot be read is counted wherever the other counts are.
func TestTimesThatCannotBeRead(t *testing.T) {
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}})
	if err != nil {
		t.Fatal(err)
	}
	good := session(0, "a", "b")
	bad := bytes.Replace(good, []byte("1600000000"), []byte("31.08.2026"), 1)
	f.Process(nil, bytes.Join([][]byte{good, bad, bad}, nil))
	h := handler(f, false, quiet)
	for path, want := range map[string]string{"/metrics": "rgcn_records_unreadable_time_total 2\n", "/healthz": `"unreadable_time":2`} {
		if text := body(t, get(t, h, "GET", path, "127.0.0.1")); !strings.Contains(strings.ReplaceAll(text, `": `, `":`), want) {
			t.Errorf("%s has no %s: %s", path, want, text)
		}
	}
}

func TestMetricsAreWhatTheStatusSays(t *testing.T) {
	f := trained(t)
	s := f.Status()
	if s.Records.Total != 3130 || s.Records.LowScore == 0 || s.Records.Malformed != 1 || s.Model == nil || s.Training == nil {
		t.Fatalf("%+v", s)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{f})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	text := body(t, get(t, handler(f, false, quiet), "GET", "/metrics", "localhost:2023"))
	for _, want := range []string{
		"rgcn_records_total 3130\n",
		"rgcn_records_counted_total 3130\n", "rgcn_records_scored_total 130\n",
		fmt.Sprintf("rgcn_records_low_score_total %d\n", s.Records.LowScore),
		fmt.Sprintf("rgcn_source_alerts_total %d\n", s.Records.Reported),
		"rgcn_records_missing_fields_total 0\n",
		"rgcn_records_malformed_total 1\n",
		"rgcn_records_wrong_time_total 0\n",
		"rgcn_records_unreadable_time_total 0\n",
		fmt.Sprintf("rgcn_graph_nodes %d\n", s.Graph.Nodes),
		fmt.Sprintf("rgcn_graph_edges %d\n", s.Graph.Edges),
		"rgcn_trainings_total{device=\"cpu\",result=\"new\"} 1\n",
		fmt.Sprintf("rgcn_model_threshold %v\n", s.Model.Threshold),
		fmt.Sprintf("rgcn_model_held_out_auc %v\n", s.Model.Quality),
		"rgcn_filter_duration_seconds_count 3131\n",
		"rgcn_filter_duration_seconds_bucket{le=\"+Inf\"} 3131\n",
		fmt.Sprintf("rgcn_build_info{goversion=%q,version=%q} 1\n", version.Go(), version.String()),
		"go_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// TestMetricsOfAList: a line of the list of judged sessions is a series, with what the operator wrote into the file.
func TestMetricsOfAList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow.csv")
	if err := os.WriteFile(path, []byte("source,destination,from,until,verdict\na,b,,2020-01-01,bad\na,b,2020-09-01,,bad\nx,*,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023", "allow": path}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		f.Process(nil, session(i, "a", "b"))
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{f})
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	text := body(t, get(t, handler(f, false, quiet), "GET", "/metrics", "localhost:2023"))
	for _, want := range []string{
		"rgcn_records_allowed_total 0\n", "rgcn_records_denied_total 3\n", "rgcn_source_alerts_missed_total 0\n", "rgcn_records_low_score_total 3\n", "rgcn_allow_problem 0\n",
		"rgcn_allow_lines{state=\"used\"} 1\n", "rgcn_allow_lines{state=\"never_used\"} 2\n", "rgcn_allow_lines{state=\"expired\"} 1\n",
		"rgcn_allow_hits_total{destination=\"b\",relation=\"*\",source=\"a\",verdict=\"bad\"} 3\n",
		"rgcn_allow_hits_total{destination=\"*\",relation=\"*\",source=\"x\",verdict=\"allow\"} 0\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestBeforeTheFirstTraining(t *testing.T) {
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}})
	if err != nil {
		t.Fatal(err)
	}
	h := handler(f, false, quiet)
	if text := body(t, get(t, h, "GET", "/metrics", "127.0.0.1")); strings.Contains(text, "rgcn_model") || !strings.Contains(text, "rgcn_records_total 0\n") {
		t.Error(text)
	}
	var d report.Data
	if err := json.Unmarshal([]byte(body(t, get(t, h, "GET", "/graph.json", "127.0.0.1"))), &d); err != nil || !d.Live || d.Threshold != nil || len(d.Edges) != 0 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestPictureOfALiveFilter(t *testing.T) {
	f := trained(t)
	h := handler(f, false, quiet)
	var d report.Data
	if err := json.Unmarshal([]byte(body(t, get(t, h, "GET", "/graph.json", "[::1]:2023"))), &d); err != nil {
		t.Fatal(err)
	}
	s := f.Status()
	if d.Records != 3130 || d.Scored != 130 || d.Low != s.Records.LowScore || *d.Threshold != s.Model.Threshold || len(d.Edges) != s.Graph.Edges || d.Omitted != 0 {
		t.Errorf("%d records, %d scored, %d low, threshold %v, %d edges; %+v", d.Records, d.Scored, d.Low, *d.Threshold, len(d.Edges), s)
	}
	low, hours := uint64(0), uint64(0)
	for i, e := range d.Edges {
		if e[5] == 1.0 {
			low++
			if e[3] != 1.0 || d.Reasons[int(e[6].(float64))] == "" || !strings.HasPrefix(d.Evidence[low-1], "never met before; source: ") || e[4].(float64) >= *d.Threshold || i != d.Lowest[low-1] {
				t.Errorf("edge %v", e)
			}
		}
	}
	for _, n := range d.Timeline.Low {
		hours += n
	}
	if low != d.Low || hours != d.Low {
		t.Errorf("%d low edges, %d in the hours, %d in all", low, hours, d.Low)
	}
	if s.Records.Reported == 0 || d.Reported != s.Records.Reported || len(d.Alerts) != int(d.Reported) {
		t.Errorf("%d sources reported, %d of them listed, want %d", d.Reported, len(d.Alerts), s.Records.Reported)
	}
	for _, a := range d.Alerts {
		if e := d.Edges[int(a[0].(float64))]; d.Nodes[int(e[0].(float64))] != "host-1" || a[4].(float64) <= 0 || a[5].(float64) < 1 {
			t.Errorf("alert %v of %v", a, e)
		}
	}
	if len(d.Lows) != int(d.Low) { // each once, also those with which a source was reported
		t.Errorf("%d sessions with a low score are listed, want %d", len(d.Lows), d.Low)
	}
	page := get(t, h, "GET", "/", "localhost")
	if p := page.Header.Get("Content-Security-Policy"); p != report.Policy(true) || !strings.Contains(body(t, page), `"live":true`) {
		t.Errorf("policy %q", p)
	}
}

func TestWhoIsServed(t *testing.T) {
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		remote             bool
		method, path, host string
		want               int
	}{
		{false, "GET", "/healthz", "127.0.0.1:2023", 200},
		{false, "HEAD", "/healthz", "LOCALHOST", 200},
		{false, "GET", "/metrics", "evil.example:2023", 403},
		{false, "GET", "/metrics", "127.0.0.1.evil.example", 403},
		{false, "GET", "/metrics", "", 403},
		{true, "GET", "/metrics", "collector.example:2023", 200},
		{false, "POST", "/metrics", "localhost", 405},
		{false, "GET", "/debug/pprof/", "localhost", 404},
		{false, "GET", "/x", "localhost", 404},
	} {
		if r := get(t, handler(f, c.remote, quiet), c.method, c.path, c.host); r.StatusCode != c.want || r.Header.Get("X-Frame-Options") == "" && c.want != 403 {
			t.Errorf("%+v: %d", c, r.StatusCode)
		}
	}
}

// clock lets a server's waits end when a test says so.
type clock struct {
	waits chan time.Duration // those that begin
	ends  chan time.Time
}

func newClock() *clock {
	return &clock{waits: make(chan time.Duration, 1), ends: make(chan time.Time)}
}

func (c *clock) after(d time.Duration) <-chan time.Time {
	c.waits <- d
	return c.ends
}

func TestStartAndClose(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	h := &host{properties: map[string]string{"metrics_listen": address}}
	f, err := filter.NewOffline(h)
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	s := start(f, f.Config().Metrics, h, c.after)
	if wait := <-c.waits; wait != firstListen {
		t.Errorf("waits for %v, want %v", wait, firstListen)
	}
	taken, err := net.Listen("tcp", address) // the host, which starts its outputs and its own server after the filters
	if err != nil {
		t.Fatalf("the filter listens before the host has started: %v", err)
	}
	c.ends <- time.Time{}
	if wait := <-c.waits; wait != retryInterval {
		t.Errorf("waits for %v, want %v", wait, retryInterval)
	}
	if want := "metrics: listen tcp " + address + ": bind: address already in use; records are scored all the same"; strings.Count(h.log(), want) != 1 {
		t.Errorf("%q, want %q", h.log(), want)
	}
	c.ends <- time.Time{}
	<-c.waits
	if strings.Count(h.log(), "address already in use") != 1 {
		t.Errorf("said again: %q", h.log())
	}
	s.Close() // while it waits for its next try
	taken.Close()

	s = start(f, f.Config().Metrics, h, c.after)
	<-c.waits
	c.ends <- time.Time{}
	for !strings.Contains(h.log(), "metrics: serves") {
		time.Sleep(time.Millisecond)
	}
	r, err := http.Get("http://" + address + "/healthz")
	if err != nil || !strings.Contains(body(t, r), `"status":"ok"`) {
		t.Fatalf("%v", err)
	}
	s.Close()
	if _, err := http.Get("http://" + address + "/healthz"); err == nil {
		t.Error("answers after Close")
	}
	s = start(f, f.Config().Metrics, h, c.after)
	<-c.waits
	s.Close() // before it listens
	if Start(f, config.Metrics{}, h) != nil {
		t.Error("serves without being asked to")
	}
}

// A number that JSON does not have leaves no answer empty: who looks after the filter reads it as one that runs.
func TestHealthWithANumberThatIsNone(t *testing.T) {
	w := httptest.NewRecorder()
	health(w, filter.Status{State: filter.StateScoring, Model: &filter.ModelStatus{Quality: math.NaN()}})
	var got map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got["status"] != "ok" || got["state"] != filter.StateScoring || !strings.Contains(got["problem"], "NaN") {
		t.Errorf("%d %q, %v", w.Code, w.Body, err)
	}
}

// A stream that is not understood is no healthy one, and says what would help.
func TestHealthOfAMisfit(t *testing.T) {
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}})
	if err != nil {
		t.Fatal(err)
	}
	event := msgp.AppendMapHeader(append([]byte{0x92, 0x92}, 0, 0x80), 1)
	event = msgp.AppendInt(msgp.AppendString(event, "foreign"), 1)
	f.Process(nil, bytes.Repeat(event, 200))
	w := httptest.NewRecorder()
	health(w, f.Status())
	if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, `"status":"degraded"`) || !strings.Contains(text, `has the keys \"foreign\".`) {
		t.Errorf("%d %s", w.Code, text)
	}
}

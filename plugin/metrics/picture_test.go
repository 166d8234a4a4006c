package metrics

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

// stuck is a reader who asked and reads nothing.
type stuck struct {
	header  http.Header
	writing func() // called when the answer is to be written
	release chan struct{}
}

func (s *stuck) Header() http.Header { return s.header }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Write(b []byte) (int, error) {
	s.writing()
	<-s.release
	return len(b), nil
}

func TestSlowReadersKeepNobodyWaiting(t *testing.T) {
	h := handler(trained(t), false, quiet)
	release := make(chan struct{})
	var writing, done sync.WaitGroup
	for range 8 {
		for _, path := range []string{"/", "/graph.json", "/metrics", "/healthz"} {
			writing.Add(1)
			done.Go(func() {
				r := httptest.NewRequest("GET", path, nil)
				r.Host = "localhost"
				h.ServeHTTP(&stuck{http.Header{}, sync.OnceFunc(writing.Done), release}, r)
			})
		}
	}
	writing.Wait() // all of them made, none of them read
	for path, want := range map[string]string{"/": `"live":true`, "/graph.json": `"live":true`, "/metrics": "rgcn_records_total 3130\n", "/healthz": `"status":"ok"`} {
		if r := get(t, h, "GET", path, "localhost"); r.StatusCode != 200 || !strings.Contains(body(t, r), want) {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	close(release)
	done.Wait()
}

func TestOneDrawingForAll(t *testing.T) {
	var drawn atomic.Int32
	p := &picture{draw: func() *report.Data {
		return &report.Data{Live: true, Records: uint64(drawn.Add(1))}
	}}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			b, err := p.of(i%2 == 0)
			if err != nil || !strings.Contains(string(b), `"records":1,`) {
				t.Errorf("%v %s", err, b)
			}
		})
	}
	wg.Wait()
	page, _ := p.of(true)
	if again, _ := p.of(true); drawn.Load() != 1 || &page[0] != &again[0] {
		t.Errorf("%d drawings", drawn.Load())
	}
	p.until = time.Now()
	if b, _ := p.of(false); drawn.Load() != 2 || !strings.Contains(string(b), `"records":2,`) {
		t.Errorf("%d drawings after the first was too old: %s", drawn.Load(), b)
	}
}

// The picture of a large graph shows the low scores and the busiest, wherever in the graph they are, and its whole
// size.
func TestPictureOfALargeGraph(t *testing.T) {
	f, err := filter.NewOffline(&host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}})
	if err != nil {
		t.Fatal(err)
	}
	const edges = report.MaxEdges + 5000
	var chunk []byte
	for i := range edges {
		chunk = append(chunk, session(0, fmt.Sprint("h", i%500), fmt.Sprint("s", i/500))...)
	}
	for range 3 {
		chunk = append(chunk, session(9, "late", "busy")...)
	}
	f.Process(nil, chunk)
	d := draw(f)
	busiest := uint64(0)
	for _, e := range d.Edges {
		busiest = max(busiest, e[3].(uint64))
	}
	if len(d.Edges) != report.MaxEdges || d.Omitted != 5001 || busiest != 3 || d.From != 1_600_000_000_000 || d.To != 1_600_000_540_000 {
		t.Errorf("%d edges, %d omitted, the busiest with %d sessions, from %d to %d", len(d.Edges), d.Omitted, busiest, d.From, d.To)
	}
	if s := f.Status(); d.State != filter.StateWaiting || d.Problem != s.Problem || d.Problem == "" || d.Since != s.Since.UnixMilli() {
		t.Errorf("%q, %q, %d", d.State, d.Problem, d.Since)
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Describe(chan<- *prometheus.Desc) {}
func (failing) Collect(chan<- prometheus.Metric) { panic("no \"reason\"") }

func TestAPanicIsAnErrorOfOneAnswer(t *testing.T) {
	h := &host{}
	limited := &limitedLog{to: h.Log}
	registry := prometheus.NewRegistry()
	registry.MustRegister(guarded{failing{}, limited})
	answer := oneByOne(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	for range 3 {
		if r := get(t, answer, "GET", "/metrics", "localhost"); r.StatusCode != 500 || !strings.Contains(body(t, r), `metrics: panic: no "reason"`) {
			t.Errorf("%d", r.StatusCode)
		}
	}
	if n := strings.Count(h.log(), `metrics: panic: no "reason"`); n != 1 {
		t.Errorf("said %d times:\n%s", n, h.log())
	}
	// A handler's panic is said too, and closes the connection.
	func() {
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("%v", v)
			}
		}()
		h := &host{}
		defer func() {
			if !strings.Contains(h.log(), "metrics: /healthz: panic: ") {
				t.Error(h.log())
			}
		}()
		get(t, handler(nil, false, h.Log), "GET", "/healthz", "localhost")
	}()
}

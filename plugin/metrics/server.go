// Package metrics serves what a filter instance tells about itself: /metrics for Prometheus,
// /healthz, and / with a live picture of the graph.
//
// It owns the HTTP server and the names of the metrics. It never touches the path of a record.
package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

// retryInterval is how often a server tries for an address that something else holds.
const retryInterval = 5 * time.Second

// Server serves one instance until Close.
type Server struct {
	server *http.Server
	cancel context.CancelFunc
	done   chan struct{}
}

// Start serves f as c says; nil where c.Listen is "". An address that cannot be had is logged
// and tried again: records do not wait for whoever watches them.
func Start(f *filter.Instance, c config.Metrics, host filter.Host) *Server {
	if c.Listen == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		server: &http.Server{
			Handler:           handler(f, c.AllowRemote),
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: time.Minute, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10,
			ErrorLog:       log.New(io.Discard, "", 0), // what strangers send is no news
		},
		cancel: cancel,
		done:   make(chan struct{}),
	}
	l, err := net.Listen("tcp", c.Listen)
	go func() {
		defer close(s.done)
		for l == nil {
			host.Log(filter.LevelError, fmt.Sprintf("metrics: %v; records are scored all the same, the next try is in %v", err, retryInterval))
			for l == nil {
				select {
				case <-ctx.Done():
					return
				case <-time.After(retryInterval):
				}
				l, _ = net.Listen("tcp", c.Listen)
			}
		}
		host.Log(filter.LevelInfo, fmt.Sprintf("metrics: http://%s/ has the picture, /metrics and /healthz", l.Addr()))
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			host.Log(filter.LevelError, fmt.Sprintf("metrics: %v", err))
		}
	}()
	return s
}

// Close ends the server; whoever is being served has a second to be done.
func (s *Server) Close() {
	if s == nil {
		return
	}
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	<-s.done
}

// maxAtOnce bounds the requests that are answered at the same time.
const maxAtOnce = 4

func handler(f *filter.Instance, allowRemote bool) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{f}, collectors.NewGoCollector())
	p := &picture{f: f}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, f.Status()) })
	mux.HandleFunc("GET /graph.json", p.serveData)
	mux.HandleFunc("GET /{$}", p.servePage)
	limit := make(chan struct{}, maxAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page of elsewhere may call its own name 127.0.0.1 and have a browser here ask us.
		if !allowRemote && !config.IsLoopback(r.Host) {
			http.Error(w, "this is served to localhost only", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		select {
		case limit <- struct{}{}:
			defer func() { <-limit }()
			mux.ServeHTTP(w, r)
		default:
			h.Set("Retry-After", "1")
			http.Error(w, "busy", http.StatusServiceUnavailable)
		}
	})
}

// health answers ok as long as it is there to answer: the filter forwards records whatever
// becomes of a training, and nobody shall restart a pipeline for one.
func health(w http.ResponseWriter, s filter.Status) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(struct {
		Health string `json:"status"`
		filter.Status
	}{"ok", s})
}

// picture makes the page of the graph as it is now.
type picture struct {
	f    *filter.Instance
	mu   sync.Mutex
	made time.Time
	data *report.Data
}

// freshFor is how long a picture serves: to make one copies the graph.
const freshFor = 10 * time.Second

func (p *picture) now() *report.Data {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.data == nil || time.Since(p.made) > freshFor {
		p.data, p.made = draw(p.f), time.Now()
	}
	return p.data
}

// draw shows the graph's triplets, and scores of those that lately had a low one.
func draw(f *filter.Instance) *report.Data {
	b := report.NewBuilder()
	watched, status := f.Watched(), f.Status()
	var from, to int64
	for i := range watched.Recent {
		r := &watched.Recent[i]
		b.Connect(&report.Session{
			Source: []byte(r.Source), Relation: []byte(r.Relation), Destination: []byte(r.Destination),
			Reason: []byte(r.Reason), Score: r.Score, Low: true, Time: r.Time,
		}, 0)
	}
	snapshot := f.Snapshot()
	for i := range snapshot.Edges {
		e := &snapshot.Edges[i]
		if from == 0 || e.First < from {
			from = e.First
		}
		to = max(to, e.Last)
		b.Connect(&report.Session{
			Source: []byte(snapshot.Nodes[e.Source].Name), Relation: []byte(snapshot.Relations[e.Relation].Name),
			Destination: []byte(snapshot.Nodes[e.Destination].Name), Score: report.NoScore, Time: e.Last,
		}, uint64(e.Count))
	}
	d := b.Data()
	d.Live = true
	d.Records, d.Scored, d.Low = status.Records.Total, 0, status.Records.LowScore
	d.From, d.To = from/1e6, to/1e6
	d.Threshold = nil
	if status.Model != nil {
		d.Threshold = &status.Model.Threshold
	}
	d.Histogram = report.Histogram{Low: watched.Low[:], Other: watched.Other[:]}
	for i := range watched.Low {
		d.Scored += watched.Low[i] + watched.Other[i]
	}
	if n := len(watched.Hours); n > 0 {
		const hour = int64(time.Hour / time.Millisecond)
		first, last := watched.Hours[0].Hour, watched.Hours[n-1].Hour
		d.Timeline = report.Timeline{Start: first * hour, Step: hour, Low: make([]uint64, last-first+1), All: make([]uint64, last-first+1)}
		for _, h := range watched.Hours {
			d.Timeline.Low[h.Hour-first], d.Timeline.All[h.Hour-first] = h.LowScore, h.Scored
		}
	}
	return d
}

func (p *picture) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", report.Policy(true))
	h.Set("Cache-Control", "no-store")
	report.WritePage(w, p.now()) // an error is a reader who left
}

func (p *picture) serveData(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(p.now())
}

// Package metrics serves what a filter instance tells about itself: /metrics for Prometheus,
// /healthz, and / with a live picture of the graph.
//
// It owns the HTTP server and the names of the metrics. It never touches the path of a record.
package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime/debug"
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
		server: newServer(handler(f, c.AllowRemote, host.Log)),
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
		limited := &limitedLog{to: host.Log}
		bounded := limit(l, func() {
			limited.log(filter.LevelWarn, fmt.Sprintf("metrics: more than %d connections at a time, so the one that was idle for the longest is closed; "+
				"find out who opens so many", maxConnections), nil)
		})
		if err := s.server.Serve(bounded); !errors.Is(err, http.ErrServerClosed) {
			host.Log(filter.LevelError, fmt.Sprintf("metrics: %v", err))
		}
	}()
	return s
}

// newServer bounds what one request may take; limit bounds the connections.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       log.New(io.Discard, "", 0), // what strangers send is no news
	}
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

// handler answers requests. Nothing slow is done while others wait, but for making what is asked for: that is done once
// for all who ask for the same, and handed out as fast as each reads it.
func handler(f *filter.Instance, allowRemote bool, log func(level filter.Level, message string)) http.Handler {
	limited := &limitedLog{to: log}
	registry := prometheus.NewRegistry()
	registry.MustRegister(guarded{collector{f}, limited}, guarded{collectors.NewGoCollector(), limited})
	p := &picture{draw: func() *report.Data { return draw(f) }}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", oneByOne(promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, f.Status()) })
	mux.HandleFunc("GET /graph.json", p.serveData)
	mux.HandleFunc("GET /{$}", p.servePage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				limited.log(filter.LevelError, fmt.Sprintf("metrics: %s: panic: %v", r.URL.Path, v), debug.Stack())
				panic(http.ErrAbortHandler) // the server closes the connection
			}
		}()
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
		mux.ServeHTTP(w, r)
	})
}

// oneByOne makes one answer of h at a time. To wait until it is read keeps nobody else waiting.
func oneByOne(h http.Handler) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answer{header: w.Header(), code: http.StatusOK}
		func() {
			mu.Lock()
			defer mu.Unlock()
			h.ServeHTTP(&a, r)
		}()
		w.WriteHeader(a.code)
		w.Write(a.body.Bytes()) // an error is a reader who left
	})
}

// answer is a response that is not sent yet.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// health answers ok as long as it is there to answer: the filter forwards records whatever
// becomes of a training, and nobody shall restart a pipeline for one. It says degraded where
// hardly any record is understood, with the same code: a restart would not help.
func health(w http.ResponseWriter, s filter.Status) {
	status := "ok"
	if s.State == filter.StateDegraded {
		status = s.State
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(struct {
		Health string `json:"status"`
		filter.Status
	}{status, s})
}

// Package metrics serves the state of a filter instance: /metrics for Prometheus, /healthz, and / with a live picture
// of the graph.
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
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/report"
)

const (
	// firstListen is when the first attempt to listen comes, after the start. The host starts its filters before its
	// outputs and its own server, and ends if one of those finds its port taken: they come first.
	firstListen = 2 * time.Second
	// retryInterval is the time between attempts to listen on an address that is in use.
	retryInterval = 5 * time.Second
)

// Server serves one instance until Close.
type Server struct {
	server *http.Server
	cancel context.CancelFunc
	done   chan struct{}
}

// Start serves f as c says, some seconds later; nil where c.Listen is "". If it cannot listen on the address, it logs that
// and tries again later: records do not wait for the metrics.
func Start(f *filter.Instance, c config.Metrics, host filter.Host) *Server {
	return start(f, c, host, time.After)
}

// start is Start with the clock by which it waits.
func start(f *filter.Instance, c config.Metrics, host filter.Host, after func(time.Duration) <-chan time.Time) *Server {
	if c.Listen == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		server: newServer(handler(f, c.AllowRemote, host.Log)),
		cancel: cancel,
		done:   make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		var l net.Listener
		for wait, failed := firstListen, false; l == nil; wait = retryInterval {
			select {
			case <-ctx.Done():
				return
			case <-after(wait):
			}
			var err error
			if l, err = net.Listen("tcp", c.Listen); err != nil && !failed {
				failed = true
				host.Log(filter.LevelError, fmt.Sprintf("metrics: %v; records are scored all the same, the next try is in %v", err, retryInterval))
			}
		}
		host.Log(filter.LevelInfo, fmt.Sprintf("metrics: serves the page (/), /metrics and /healthz on http://%s", l.Addr()))
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
		WriteTimeout: answerTime, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       log.New(io.Discard, "", 0), // malformed requests are not worth a line
	}
}

// Close ends the server. Requests under way have a second to finish.
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

// handler answers requests. Each answer is made once for all clients that ask for it at the same time, and a client
// that reads slowly holds up no other.
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
		// DNS rebinding: a foreign page may resolve its own name to 127.0.0.1 and let a browser here ask this server.
		if !allowRemote && !hostname.IsLoopback(r.Host) {
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

// oneByOne makes one answer of h at a time. A slow reader of one answer does not delay the next.
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
		w.Write(a.body.Bytes()) // an error means that the client is gone
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

// health answers 200 as long as the filter runs: it forwards records even if trainings fail, which is no reason to
// restart a pipeline. Where hardly any record is understood it says degraded, with the same code: a restart would not
// help.
func health(w http.ResponseWriter, s filter.Status) {
	status := "ok"
	if s.State == filter.StateDegraded {
		status = s.State
	}
	var body bytes.Buffer // whole, or not at all
	err := json.NewEncoder(&body).Encode(struct {
		Health string `json:"status"`
		filter.Status
	}{status, s})
	if err != nil { // a number that JSON does not have: the filter runs all the same
		body.Reset()
		json.NewEncoder(&body).Encode(struct {
			Health  string `json:"status"`
			State   string `json:"state"`
			Problem string `json:"problem"`
		}{status, s.State, fmt.Sprintf("the rest of the status cannot be told: %v", err)})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body.Bytes()) // an error means that the client is gone
}

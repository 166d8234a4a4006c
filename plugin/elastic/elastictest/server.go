// Package elastictest is a search server for tests: over documents in memory it answers what package elastic asks, as
// Elasticsearch and OpenSearch do, and refuses everything else. It never does more than those requests need, and a test
// against the real servers (build/elastic) holds it to them.
package elastictest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Document is what an index holds: values by the dotted names of fields, texts, float64s or bools. Time is that of the
// field @timestamp.
type Document struct {
	Time   time.Time
	Fields map[string]any
}

// Server is an index.
type Server struct {
	Index          string
	User, Password string            // wanted; "": none
	Key            string            // an API key that is wanted; "": none
	Types          map[string]string // of fields; others are keyword
	Shards         int               // 0: 1

	mu        sync.Mutex // guards all below
	before    func(w http.ResponseWriter, r *http.Request, n int) bool
	documents []Document
	requests  int
	bodies    []string
}

// TB is what of testing.TB this package uses.
type TB interface {
	Helper()
	Cleanup(func())
}

// Start starts a server on loopback and returns its address, with the index.
func (s *Server) Start(t TB) string {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h.URL + "/" + s.Index
}

// Add adds documents.
func (s *Server) Add(documents ...Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents = append(s.documents, documents...)
}

// Before has a function see each request first and tell whether it answered; nil: nobody does. n counts requests from 1
// on.
func (s *Server) Before(f func(w http.ResponseWriter, r *http.Request, n int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Requests returns the bodies of all requests so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

// refusal is an answer with another status than 200.
type refusal struct {
	status       int
	kind, reason string
}

func refuse(format string, args ...any) {
	panic(refusal{http.StatusBadRequest, "parsing_exception", fmt.Sprintf(format, args...)})
}

// Fail answers as a server does that has an error.
func Fail(w http.ResponseWriter, status int, kind, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"status": status, "error": map[string]any{
		"type": kind, "reason": reason, "root_cause": []any{map[string]any{"type": kind, "reason": reason}}}})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.bodies = append(s.bodies, r.URL.String()+" "+string(body))
	documents := slices.Clone(s.documents)
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w, r, n) {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			refused, ok := v.(refusal)
			if !ok {
				refused = refusal{http.StatusInternalServerError, "test", fmt.Sprint(v)}
			}
			Fail(w, refused.status, refused.kind, refused.reason)
		}
	}()
	user, password, _ := r.BasicAuth()
	if s.User != "" && (user != s.User || password != s.Password) || s.Key != "" && r.Header.Get("Authorization") != "ApiKey "+s.Key {
		panic(refusal{http.StatusUnauthorized, "security_exception", "unable to authenticate user [" + user + "]"})
	}
	index, operation, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if index != s.Index {
		panic(refusal{http.StatusNotFound, "index_not_found_exception", "no such index [" + index + "]"})
	}
	var answer any
	switch operation {
	case "_field_caps":
		answer = s.capabilities(documents, strings.Split(r.URL.Query().Get("fields"), ","))
	case "_search":
		if r.URL.Query().Get("allow_partial_search_results") != "false" {
			refuse("partial results are not wanted")
		}
		answer = s.search(documents, body)
	default:
		refuse("no handler for %s", operation)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

// typeOf is the type of a field, "" where no document has it.
func (s *Server) typeOf(documents []Document, name string) string {
	if name == "@timestamp" {
		return "date"
	}
	if t := s.Types[name]; t != "" {
		return t
	}
	for _, d := range documents {
		switch d.Fields[name].(type) {
		case string:
			return "keyword"
		case float64:
			return "long"
		case bool:
			return "boolean"
		}
	}
	return ""
}

func (s *Server) capabilities(documents []Document, names []string) any {
	fields := map[string]any{}
	for _, name := range names {
		if t := s.typeOf(documents, name); t != "" {
			fields[name] = map[string]any{t: map[string]any{"type": t, "searchable": true, "aggregatable": t != "text"}}
		}
	}
	return map[string]any{"indices": []string{s.Index}, "fields": fields}
}

package elastic

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// FuzzAnswer has a server answer anything where a page is asked for. A pull ends, with an error or without, and the
// graph goes on.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"timed_out":false,"_shards":{"total":1,"failed":0},"aggregations":{"triplets":{"buckets":[` +
			`{"key":{"t":1772435580000,"0":"10.0.0.1","1":"10.1.0.1","2":null},"doc_count":3,"a":{"value":1772435580000},"z":{"value":1772435590000}}]}}}`,
		`{"timed_out":false,"_shards":{"total":1,"failed":0},"aggregations":{"triplets":{"after_key":{},"buckets":[{"key":{"0":true,"1":7},"doc_count":1e3,"a":{"value":-1e18},"z":{"value":1e300}}]}}}`,
		`{"_shards":{"total":1},"aggregations":{"triplets":{"buckets":[{}]}}}`, `[]`, `{`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		server := &elastictest.Server{Index: "logs"}
		add(server, sessions(1, 5, time.Hour))
		asked := 0
		server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n < 4 {
				return false
			}
			if asked++; asked > 20 {
				w.WriteHeader(http.StatusBadRequest)
				return true
			}
			w.Write([]byte(answer))
			return true
		})
		s := source(t, Config{URL: server.Start(t), Live: true})
		g := newGraph(t)
		_, err := s.Pull(context.Background(), g, Options{Now: start.Add(2 * time.Hour).UnixNano()})
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q", err)
		}
		g.Observe([]event{session{start.Add(time.Hour), "a", "b", "c"}.event()}, make([]ref, 1))
		g.Snapshot()
	})
}

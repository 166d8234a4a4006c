package elastic

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// TestFailures has a server fail in every way, for good and for a while. Where it may help to ask again, a pull
// succeeds if the server recovers; the error tells what is wrong, its kind, and nothing of credentials.
func TestFailures(t *testing.T) {
	all := sessions(6, 600, 2*24*time.Hour)
	partial := `{"timed_out":false,"_shards":{"total":3,"successful":2,"failed":1},"hits":{"total":{"value":5,"relation":"eq"}},"aggregations":{}}`
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		kind   Kind
		want   string
		again  bool
	}{
		{"no such user", func(w http.ResponseWriter) {
			elastictest.Fail(w, 401, "security_exception", "unable to authenticate user [elastic]")
		}, Refused, "accepts no such credentials (401): the password or the API key is wrong, or has expired", false},
		{"a user without rights", func(w http.ResponseWriter) { elastictest.Fail(w, 403, "security_exception", "") }, Refused, "lets the user not read logs (403): want the privilege read for it", false},
		{"no index", func(w http.ResponseWriter) {
			elastictest.Fail(w, 404, "index_not_found_exception", "no such index [logs]")
		}, NoIndex, "has no index, alias or data stream logs", false},
		{"a pattern that fits none", func(w http.ResponseWriter) { fmt.Fprint(w, `{"indices":[],"fields":{}}`) }, NoIndex, "has no index", false},
		{"a request it does not take", func(w http.ResponseWriter) { elastictest.Fail(w, 400, "parsing_exception", "why\nnot") }, Other, "answers with 400: why not", false},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://192.0.2.1/?key=geheim")
			w.WriteHeader(302)
		}, Other, "answers with 302: it redirects to http://192.0.2.1, which is not followed", false},
		{"too much to do", func(w http.ResponseWriter) {
			elastictest.Fail(w, 429, "es_rejected_execution_exception", "rejected execution")
		}, Busy, "answers with 429: rejected execution", true},
		{"down", func(w http.ResponseWriter) { w.WriteHeader(503) }, Unreachable, "answers with 503", true},
		{"all shards failed", func(w http.ResponseWriter) {
			elastictest.Fail(w, 503, "search_phase_execution_exception", "all shards failed")
		}, Partial, "has not all shards of logs (503): all shards failed", true},
		// As OpenSearch 2.19.1 answered when a node with one of three shards was killed.
		{"a shard is missing", func(w http.ResponseWriter) {
			w.WriteHeader(503)
			fmt.Fprint(w, `{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"","phase":"query","grouped":true,"failed_shards":[],"caused_by":{"type":"search_phase_execution_exception",`+
				`"reason":"Search rejected due to missing shards [[logs][1]]. Consider using `+"`allow_partial_search_results`"+` setting to bypass this error.","phase":"query"}},"status":503}`)
		}, Partial, "has not all shards of logs (503): Search rejected due to missing shards [[logs][1]]", true},
		{"no shard is left", func(w http.ResponseWriter) {
			elastictest.Fail(w, 503, "no_shard_available_action_exception", "No shard available for [logs][0]")
		}, Partial, "has not all shards of logs (503): No shard available", true},
		{"an index that is blocked", func(w http.ResponseWriter) {
			elastictest.Fail(w, 403, "cluster_block_exception", "index [logs] blocked by: [FORBIDDEN/8/index read]")
		}, Refused, "lets the user not read logs (403): want the privilege read for it: index [logs] blocked by", false},
		{"a shard failed", func(w http.ResponseWriter) { fmt.Fprint(w, partial) }, Partial, "1 of 3 shards failed", true},
		{"a remote cluster is away", func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"timed_out":false,"_shards":{"total":3,"failed":0},"_clusters":{"total":2,"successful":1,"skipped":1}}`)
		}, Partial, "without some of its remote clusters", true},
		{"no time", func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"timed_out":true,"_shards":{"total":3,"failed":0}}`)
		}, Slow, "stops an aggregation that takes longer than", true},
		{"no JSON", func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }, Other, `does not answer as a search server does: what it sends begins with "<html>"; want the address`, true},
		{"nothing", func(w http.ResponseWriter) {}, Other, "what it sends is empty", true},
		{"a list", func(w http.ResponseWriter) { fmt.Fprint(w, "[1,\n2]") }, Other, `begins with "[1, 2]"`, true},
		{"an answer that breaks off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"timed_out":false,`)
		}, Unreachable, "does not answer: unexpected EOF", true},
		{"a connection that breaks off", func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }, Unreachable, "does not answer: EOF", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := 2
			var asked atomic.Int64
			server := &elastictest.Server{Index: "logs", User: "elastic", Password: "geheim"}
			add(server, all)
			if c.kind == Refused || c.kind == NoIndex {
				first = 1
			}
			server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n < first {
					return false
				}
				asked.Add(1)
				c.answer(w)
				return true
			})
			address := server.Start(t)
			t.Setenv(EnvUser, "elastic:geheim")
			s := source(t, Config{URL: address})
			g := newGraph(t)
			_, err := s.Pull(context.Background(), g, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || KindOf(err) != c.kind {
				t.Errorf("got %q of the kind %s, want %q of the kind %s", err, KindOf(err), c.want, c.kind)
			}
			if text := fmt.Sprintf("%v %s %+v", err, s, s.server.Credentials); strings.Contains(text, "geheim") || strings.Contains(text, "elastic:") || strings.Contains(text, "\n") {
				t.Errorf("%q", text)
			}
			want := map[bool]int64{false: 1, true: tries}[c.again]
			if c.name == "a pattern that fits none" {
				want = 2 // and whether shards are missing
			}
			if asked.Load() != want {
				t.Errorf("asked %d times, want %d", asked.Load(), want)
			}
			server.Before(nil)
			pull(t, s, g, time.Time{})
			compareGraphs(t, g, graphOf(t, all))

			if !c.again {
				return
			}
			server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n%3 != 0 || !strings.Contains(r.URL.Path, "_search") {
					return false
				}
				c.answer(w)
				return true
			})
			g = newGraph(t)
			pull(t, s, g, time.Time{})
			compareGraphs(t, g, graphOf(t, all))
		})
	}
}

func TestServerThatDoesNotAnswer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	s := source(t, Config{URL: server.URL + "/logs"})
	s.server.Patience = 10 * time.Millisecond
	s.server.client.Timeout = s.server.Patience
	if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != Slow || !strings.Contains(fmt.Sprint(err), "does not answer within 10ms") {
		t.Errorf("%v", err)
	}
	s = source(t, Config{URL: "http://127.0.0.1:1/logs"})
	if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != Unreachable || !strings.Contains(fmt.Sprint(err), "connection refused") {
		t.Errorf("%v", err)
	}
}

// TestAnswerThatIsTooLarge has a server that sends without end: as much is read as a page may have, once.
func TestAnswerThatIsTooLarge(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		for block := make([]byte, 64<<10); r.Context().Err() == nil; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	s := source(t, Config{URL: server.URL + "/logs", PageSize: 1024})
	if _, err := s.Pull(context.Background(), newGraph(t), Options{}); !strings.HasSuffix(fmt.Sprint(err), s.server.Host()+": an answer is larger than 2 MiB") || asked.Load() != 1 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
	for buckets, want := range map[int]int64{100: 100<<10 + 1<<20, pageSize: pageSize<<10 + 1<<20, 65_535: 16 << 20} {
		if got := answerBytes(buckets); got != want {
			t.Errorf("%d bytes for %d buckets, want %d", got, buckets, want)
		}
	}
}

func TestPasswordInTheAddress(t *testing.T) {
	if _, err := New(Config{URL: "http://elastic:geheim@127.0.0.1:9200/logs", Fields: settings(t)}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v", err)
	}
}

// TestPageThatIsTooLarge has pages that are larger than is read: smaller ones are asked for.
func TestPageThatIsTooLarge(t *testing.T) {
	all := sessions(9, 600, 2*24*time.Hour)
	index := &elastictest.Server{Index: "logs"}
	add(index, all)
	s := source(t, Config{URL: index.Start(t)})
	s.pageSize = 400
	whole := pull(t, s, newGraph(t), time.Time{})
	s.server.MostBytes = 16 << 10 // some 100 buckets
	g := newGraph(t)
	if r := pull(t, s, g, time.Time{}); r.Requests <= whole.Requests || r.Buckets != whole.Buckets {
		t.Errorf("%d buckets by %d requests, before %d by %d", r.Buckets, r.Requests, whole.Buckets, whole.Requests)
	}
	compareGraphs(t, g, graphOf(t, all))
}

// TestTLS has a server whose certificate the system does not know.
func TestTLS(t *testing.T) {
	all := sessions(7, 50, time.Hour)
	index := &elastictest.Server{Index: "logs", Key: "a2V5"}
	add(index, all)
	server := httptest.NewUnstartedServer(index)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	key := filepath.Join(t.TempDir(), "key")
	for path, text := range map[string][]byte{
		ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), key: []byte("ApiKey a2V5\n"),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := source(t, Config{URL: server.URL + "/logs", Credentials: key})
	if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != Unreachable || !strings.Contains(fmt.Sprint(err), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	g := newGraph(t)
	pull(t, source(t, Config{URL: server.URL + "/logs", Credentials: key, Authorities: ca}), g, time.Time{})
	compareGraphs(t, g, graphOf(t, all))
	if err := os.WriteFile(ca, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{URL: server.URL + "/logs", Authorities: ca, Fields: settings(t)}); err == nil || !strings.Contains(err.Error(), "holds no certificate in the format PEM") {
		t.Errorf("%v", err)
	}
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text string
		want Credentials
		err  string
	}{
		{"elastic:ge:heim\n", Credentials{User: "elastic", Password: "ge:heim"}, ""},
		{"ApiKey a2V5==\n", Credentials{Key: "a2V5=="}, ""},
		{"apikey a2V5", Credentials{Key: "a2V5"}, ""},
		{"geheim", Credentials{}, "want one line: user:password, or ApiKey"},
		{"", Credentials{}, "want one line"},
		{"a:b\nc:d", Credentials{}, "want one line"},
	} {
		path := filepath.Join(dir, "credentials")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadCredentials(path)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "geheim")) {
			t.Errorf("%q: %v, %v", c.text, got == c.want, err)
		}
	}
	if _, err := LoadCredentials(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory: %v", err)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("elastic:geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCredentials(open); err == nil || !strings.HasSuffix(err.Error(), "/open: has the mode -rw-r--r--, so that others may read it: chmod 600") {
		t.Errorf("a file that others may read: %v", err)
	}
	t.Setenv(EnvUser, "a:b")
	if c, err := LoadCredentials(""); err != nil || c.User != "a" || c.Password != "b" {
		t.Errorf("the environment: %v", err)
	}
	t.Setenv(EnvKey, "k")
	if c, err := LoadCredentials(""); err != nil || c.Key != "k" {
		t.Errorf("the environment: %v", err)
	}
	// Secrets that were made from a file end with a line's end.
	t.Setenv(EnvKey, "k\r\n")
	if c, err := LoadCredentials(""); err != nil || c.Key != "k" {
		t.Errorf("the environment: %v", err)
	}
	t.Setenv(EnvKey, "a\ngeheim")
	if _, err := LoadCredentials(""); err == nil || err.Error() != "ES_API_KEY in the environment is no key: want a key in base64" {
		t.Errorf("the environment: %v", err)
	}
	t.Setenv(EnvKey, "")
	t.Setenv(EnvUser, "a:b \n")
	if c, err := LoadCredentials(""); err != nil || c.User != "a" || c.Password != "b " {
		t.Errorf("the environment: %v", err)
	}
	for address, want := range map[string]string{
		"https://u:p@h:9200/i": "https://...@h:9200/i", "https://h:9200/i": "https://h:9200/i", "https://u:p%zz@h/i": "https://...@h/i", "u:p@h": "...@h",
	} {
		if got := Redact(address); got != want {
			t.Errorf("%s is shown as %s", address, got)
		}
	}
}

// TestFieldsWhileShardsAreMissing has a server that tells of no index, or of no field, since the shards are missing that have
// them: what is said is that shards are missing.
func TestFieldsWhileShardsAreMissing(t *testing.T) {
	for _, fields := range []string{`{"indices":[],"fields":{}}`, `{"indices":["logs-2"],"fields":{"@timestamp":{"date":{"type":"date","aggregatable":true}}}}`} {
		missing := true
		server := &elastictest.Server{Index: "logs"}
		server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
			switch {
			case strings.Contains(r.URL.Path, "_field_caps"):
				fmt.Fprint(w, fields)
			case missing:
				elastictest.Fail(w, 503, "search_phase_execution_exception", "Search rejected due to missing shards [[logs-1][0]]")
			default:
				return false
			}
			return true
		})
		s := source(t, Config{URL: server.Start(t)})
		if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != Partial || !strings.Contains(err.Error(), "missing shards [[logs-1][0]]") {
			t.Errorf("%s: %v of the kind %s", fields, err, KindOf(err))
		}
		missing = false
		if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != NoIndex && KindOf(err) != Mapping {
			t.Errorf("%s and all shards are there: %v of the kind %s", fields, err, KindOf(err))
		}
	}
}

func TestNoCredentials(t *testing.T) {
	server := &elastictest.Server{Index: "logs", User: "elastic", Password: "geheim"}
	s := source(t, Config{URL: server.Start(t)})
	if _, err := s.Pull(context.Background(), newGraph(t), Options{}); KindOf(err) != Refused || !strings.Contains(err.Error(), "wants credentials (401), and none are given") {
		t.Errorf("%v of the kind %s", err, KindOf(err))
	}
}

// A password that is changed on both sides is read again.
func TestCredentialsThatAreChanged(t *testing.T) {
	server := &elastictest.Server{Index: "logs", User: "elastic", Password: "new"}
	path := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("elastic:old\n")
	server.Add(elastictest.Document{Time: time.Now(), Fields: map[string]any{"id.orig_h": "a", "id.resp_h": "b", "client": "c"}})
	s := source(t, Config{URL: server.Start(t), Credentials: path})
	pull := func() error {
		_, err := s.Pull(context.Background(), newGraph(t), Options{})
		return err
	}
	if err := pull(); KindOf(err) != Refused {
		t.Errorf("%v", err)
	}
	write("nothing of the kind")
	if err := pull(); err == nil || !strings.Contains(err.Error(), "want one line: user:password") {
		t.Errorf("%v", err)
	}
	write("elastic:new\n")
	if err := pull(); err != nil {
		t.Error(err)
	}
}

// TestPagesWithoutEnd has a server whose full pages never end, for all that their keys say: the pull fails, and takes
// little of them into the graph.
func TestPagesWithoutEnd(t *testing.T) {
	const size = 50
	all := sessions(10, 300, 5*time.Hour)
	for name, c := range map[string]struct {
		key  func(page int) string
		want string
	}{
		"the key stays":    {func(int) string { return `{"t":1772435580000,"0":"a"}` }, "its pages do not advance"},
		"the time grows":   {func(page int) string { return fmt.Sprintf(`{"t":%d,"0":"a"}`, 1772435580000+page) }, "its pages do not advance"},
		"there is no time": {func(page int) string { return fmt.Sprintf(`{"0":"%d"}`, page) }, "its pages do not advance"},
		"the names change": {func(page int) string { return fmt.Sprintf(`{"t":1772435580000,"0":"%d"}`, page) }, "of a time in which it counts 240"},
		"as do the times":  {func(page int) string { return fmt.Sprintf(`{"t":%d,"0":"a"}`, 1772435580000-page) }, "of a time in which it counts 240"},
	} {
		t.Run(name, func(t *testing.T) {
			server := &elastictest.Server{Index: "logs"}
			add(server, all)
			ctx, cancel := context.WithCancel(context.Background())
			pages := 0
			server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
				if !strings.Contains(server.Requests()[n-1], `"composite"`) {
					return false
				}
				if pages++; pages > 1000 {
					cancel()
				}
				at := start.Add(time.Hour).UnixMilli()
				bucket := fmt.Sprintf(`{"key":{"0":"h%d","1":"d","2":"ssh"},"doc_count":10,"a":{"value":%d},"z":{"value":%d}}`, pages, at, at)
				fmt.Fprintf(w, `{"_shards":{"total":1},"aggregations":{"triplets":{"after_key":%s,"buckets":[%s%s]}}}`, c.key(pages), bucket, strings.Repeat(","+bucket, size-1))
				return true
			})
			s := source(t, Config{URL: server.Start(t)})
			s.pageSize = size
			_, err := s.Pull(ctx, newGraph(t), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || KindOf(err) != Other {
				t.Errorf("after %d pages: %v, want one that contains %q", pages, err, c.want)
			}
		})
	}
}

// TestIndexGrowsWhileItIsRead has far more documents come between the count and the pages than were counted.
func TestIndexGrowsWhileItIsRead(t *testing.T) {
	all := sessions(11, 8000, 20*time.Minute)
	server := &elastictest.Server{Index: "logs"}
	add(server, all[:5])
	counts := 0
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if strings.Contains(server.Requests()[n-1], `"track_total_hits":true`) {
			if counts++; counts == 3 { // of three pieces; this answer is without them
				add(server, all[5:])
			}
		}
		return false
	})
	s := source(t, Config{URL: server.Start(t), Live: true})
	g := newGraph(t)
	if r := pull(t, s, g, all[len(all)-1].at); r.Documents != uint64(len(all)) {
		t.Errorf("%d of %d documents were read", r.Documents, len(all))
	}
	if counts != 4 {
		t.Errorf("documents were counted %d times, want once more", counts)
	}
	compareGraphs(t, g, graphOf(t, all))
}

// A server says in seconds or by a time of its own clock when it wants to be asked again.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"-1", "", 0},
		{"3600", "", longestPause},
		{"9300000000", "", longestPause}, // whose nanoseconds do not fit into 64 bits
		{"Fri, 01 Jan 2027 12:00:09 GMT", "", 9 * time.Second},
		{"Fri, 01 Jan 2027 11:59:59 GMT", "", 0},
		{"Fri, 01 Jan 2027 10:00:09 GMT", "Fri, 01 Jan 2027 10:00:00 GMT", 9 * time.Second}, // by a clock that is behind
		{"Sat, 02 Jan 2027 12:00:09 GMT", "", longestPause},
		{"soon", "", 0},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.after)
		if c.date != "" {
			h.Set("Date", c.date)
		}
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%q at %q: %v, want %v", c.after, c.date, got, c.want)
		}
	}
}

// The pause that a server asks for by a time is kept.
func TestAPauseThatAServerAsksForByATime(t *testing.T) {
	server := &elastictest.Server{Index: "logs"}
	add(server, sessions(12, 50, time.Hour))
	var refused, next time.Time
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case refused.IsZero():
			refused = time.Now()
			w.Header().Set("Date", "Fri, 01 Jan 2027 12:00:00 GMT")
			w.Header().Set("Retry-After", "Fri, 01 Jan 2027 12:00:01 GMT")
			elastictest.Fail(w, 429, "es_rejected_execution_exception", "rejected execution")
			return true
		case next.IsZero():
			next = time.Now()
		}
		return false
	})
	pull(t, source(t, Config{URL: server.Start(t), Pause: time.Millisecond}), newGraph(t), time.Time{})
	if pause := next.Sub(refused); pause < time.Second {
		t.Errorf("asked again after %v, want a second", pause)
	}
}

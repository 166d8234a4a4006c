package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// refusingServer answers bulk requests as a search server does that has too much to do: of the documents of a request it
// takes the first alone. What it has already it refuses as a conflict.
type refusingServer struct {
	sync.Mutex
	documents map[string]bool // by their identifiers
	requests  int
	conflicts int // requests of which it had everything
	faults    []string
}

func (s *refusingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	s.requests++
	type item struct {
		Index  string `json:"_index"`
		ID     string `json:"_id"`
		Status int    `json:"status"`
	}
	var items []map[string]item
	taken, conflicts := 0, 0
	for lines := json.NewDecoder(r.Body); lines.More(); {
		var action map[string]item
		var document map[string]any
		if err := lines.Decode(&action); err != nil {
			s.faults = append(s.faults, err.Error())
			break
		}
		if err := lines.Decode(&document); err != nil {
			s.faults = append(s.faults, err.Error())
			break
		}
		v, ok := action["create"]
		if !ok || v.Index != "logs-ssh.rgcn-default" || v.ID == "" || document["low_score"] == nil {
			s.faults = append(s.faults, fmt.Sprint(action, document))
		}
		switch {
		case s.documents[v.ID]:
			v.Status = http.StatusConflict
			conflicts++
		case taken > 0:
			v.Status = http.StatusTooManyRequests
		default:
			v.Status = http.StatusCreated
			s.documents[v.ID] = true
			taken++
		}
		items = append(items, map[string]item{"create": v})
	}
	if conflicts == len(items) {
		s.conflicts++
	}
	json.NewEncoder(w).Encode(map[string]any{"took": 1, "errors": taken < len(items), "items": items})
}

// TestRefusedDocuments runs the shipped outputs to search servers beside one that takes a document of each request: the
// others are sent again until all are there, and then no more.
func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	conf, err := filepath.Abs("../../conf")
	if err != nil {
		t.Fatal(err)
	}
	const n = 2
	var log strings.Builder
	for i := range n {
		fmt.Fprintf(&log, `{"ts":%d.5,"id.orig_h":"host-%d","id.resp_h":"server","client":"c"}`+"\n", 1_795_000_000+i, i)
	}
	for _, file := range []string{"elasticsearch/fluent-bit.conf", "elasticsearch/fluent-bit.yaml", "opensearch/fluent-bit.conf", "opensearch/fluent-bit.yaml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			input := write(t, dir, "ssh.log", log.String())
			if err := lookAtInputs(); err != nil {
				t.Fatal(err)
			}
			s := &refusingServer{documents: map[string]bool{}}
			server := httptest.NewServer(s)
			defer server.Close()
			address, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
			text := string(read(filepath.Join(conf, file)))
			for old, quick := range map[string]string{ // in place of retries after half a minute
				"    Flush         1\n": "    Flush         1\n    Scheduler.Base 1\n    Scheduler.Cap 2\n",
				"  flush: 1\n":          "  flush: 1\n  scheduler.base: 1\n  scheduler.cap: 2\n",
			} {
				text = strings.Replace(text, old, quick, 1)
			}
			if !strings.Contains(strings.ToLower(text), "scheduler.cap") {
				t.Fatalf("no line with Flush: %s", text)
			}
			p := startCommand(t, "env", "RGCN_CONF="+conf, "SSH_LOG="+input, "ES_HOST="+address, "ES_PORT="+port,
				host, "-e", sharedObject, "-c", write(t, dir, filepath.Base(file), text))
			state := func() (documents, conflicts, requests int) {
				s.Lock()
				defer s.Unlock()
				return len(s.documents), s.conflicts, s.requests
			}
			p.until("all documents are there", func() bool { d, _, _ := state(); return d == n })
			p.until("the last request is answered", func() bool { _, c, _ := state(); return c > 0 })
			_, _, before := state()
			// What comes later is served, and nothing of before with it.
			extend(t, input, strings.ReplaceAll(log.String(), "host-", "guest-"))
			p.until("later documents are there", func() bool { d, _, _ := state(); return d == 2*n })
			p.stop()
			server.Close() // nothing is written to s any more
			if after := s.requests; len(s.faults) > 0 || after > before+n+1 {
				t.Errorf("%d requests at first, then %d more, want at most %d; what is wrong in them: %v\n%s", before, after-before, n+1, s.faults, p.log())
			}
		})
	}
}

package filter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// TestSourceThatHangs has the server answer so many requests of the first pull and hang at the next: the filter says so
// once, and trains on its own records after a while.
func TestSourceThatHangs(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer int
		want   string
	}{
		{"no answer", 0, "graph.source: no answer yet from http://127.0.0.1:"},
		{"no page", 4, "graph.source: 0 of 100 documents are read from http://127.0.0.1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, hangs, ctx := &elastictest.Server{}, make(chan struct{}, 1), t.Context()
			server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n <= c.answer {
					return false
				}
				select {
				case hangs <- struct{}{}:
				default:
				}
				<-r.Context().Done()
				return true
			})
			add(server, pastSessions(100, 10))
			f, h := withSource(t, server)
			f.Process(nil, join(sessions(1000)))
			pull, stop := context.WithCancel(ctx)
			ended := make(chan struct{})
			began := time.Now().Add(-slowPull)
			go func() {
				defer close(ended)
				f.source.turn(pull, began)
			}()
			<-hangs
			defer func() { stop(); <-ended }()

			f.source.logSlow(began.Add(slowPull / 2))
			if h.log() != "" || f.TrainIfDue(ctx, began.Add(slowPull)) {
				t.Errorf("a log or a training before its time: %s", h.log())
			}
			for range 3 {
				f.source.logSlow(time.Now())
			}
			if strings.Count(h.log(), c.want) != 1 || !strings.Contains(h.log(), "the first training waits for ") || strings.Contains(h.log(), "geheim") {
				t.Error(h.log())
			}
			if st := f.Status(); st.State != StateWaiting || !strings.Contains(st.Problem, c.want) || !strings.Contains(st.Problem, "until then score is null") {
				t.Errorf("%s %q", st.State, st.Problem)
			}
			late := time.Now().Add(longestWait)
			if text, waits := f.source.firstPull(late); waits || !strings.Contains(text, "no training waits for it any longer") {
				t.Errorf("%q", text)
			}
			if !f.TrainIfDue(ctx, late) {
				t.Error("the first training waits for ever")
			}
		})
	}
}

// TestSlowPullsLeaveTrainingsTheirTurn has pulls take longer than the time between two of them.
func TestSlowPullsLeaveTrainingsTheirTurn(t *testing.T) {
	server := &elastictest.Server{}
	var answered time.Time
	server.Before(func(http.ResponseWriter, *http.Request, int) bool {
		time.Sleep(time.Millisecond)
		answered = time.Now()
		return false
	})
	add(server, pastSessions(100, 10))
	f, _ := withSource(t, server)
	f.source.every = time.Millisecond // several requests make a pull
	f.source.turn(t.Context(), time.Now())
	if f.source.status.Pulls != 1 || f.source.next.Before(answered.Add(f.source.every)) {
		t.Errorf("%d pulls; the next is due %v after the last answer", f.source.status.Pulls, f.source.next.Sub(answered))
	}
	if f.source.every = time.Hour; f.source.holds(f.source.next.Add(-1)) || !f.source.holds(f.source.next) {
		t.Error("a training waits before the next pull is due, or not then")
	}
	for _, due := range []bool{false, true} {
		f.source.next = time.Now().Add(time.Hour)
		if due {
			f.source.next = time.Time{}
		}
		if text := f.trainer.waiting(); strings.Contains(text, "the next training waits for what is being read from http://127.0.0.1:") != due {
			t.Errorf("due %v: %s", due, text)
		}
	}
}

// Credentials for a server that is reached over the network without encryption are used, with a warning.
func TestCredentialsInTheClear(t *testing.T) {
	t.Setenv(elastic.EnvUser, "elastic:geheim")
	for url, want := range map[string]int{
		"http://search.example.org:9200/logs": 1, "https://search.example.org:9200/logs": 0,
		"http://127.0.0.1:9200/logs": 0, "http://localhost:9200/logs": 0, "http://[::1]:9200/logs": 0,
	} {
		h := host("graph_source", url)
		if _, err := newInstance(h, forLive, machineClock()); err != nil {
			t.Fatal(err)
		}
		if strings.Count(h.log(), "cross the network in the clear") != want || strings.Contains(h.log(), "geheim") {
			t.Errorf("%s: %s", url, h.log())
		}
	}
}

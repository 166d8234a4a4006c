package elastic

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// TestPullIsTheGraphOfTheLog compares the graph from a server with the one that saw every session: counts, times and
// activity, for logs of minutes to a month.
func TestPullIsTheGraphOfTheLog(t *testing.T) {
	for _, over := range []time.Duration{15 * time.Minute, 7 * time.Hour, 3 * 24 * time.Hour, 29 * 24 * time.Hour} {
		for _, live := range []bool{true, false} {
			all := sessions(uint64(over), 3000, over)
			server := &elastictest.Server{Index: "logs"}
			add(server, all)
			s := source(t, Config{URL: server.Start(t), Live: live})
			g := newGraph(t)
			end := all[len(all)-1].at
			r := pull(t, s, g, end)
			if r.Documents != uint64(len(all)) || r.Added != uint64(len(all)) || !r.Whole || r.Left != 0 {
				t.Errorf("%v, live %v: %+v of %d sessions", over, live, r, len(all))
			}
			compareGraphs(t, g, graphOf(t, all))
			if r = pull(t, s, g, end.Add(time.Minute)); r.Added != 0 || r.Whole {
				t.Errorf("%v, live %v: the next pull adds %+v", over, live, r)
			}
		}
	}
}

// TestPullsOneByOneAreOnePull has documents come between pulls, some of them late, and one after another.
func TestPullsOneByOneAreOnePull(t *testing.T) {
	all := sessions(1, 2000, 9*time.Hour)
	for _, live := range []bool{true, false} {
		server := &elastictest.Server{Index: "logs"}
		s := source(t, Config{URL: server.Start(t), Live: live})
		g := newGraph(t)
		var held []session // that come up to three quarters of an hour late
		for i, x := range all {
			if i%7 == 3 {
				held = append(held, x)
			} else {
				server.Add(x.document())
			}
			for len(held) > 0 && x.at.Sub(held[0].at) > 45*time.Minute {
				server.Add(held[0].document())
				held = held[1:]
			}
			if i%150 == 149 {
				if r := pull(t, s, g, x.at); r.Whole != (i == 149) {
					t.Fatalf("pull at session %d: whole is %v", i, r.Whole)
				}
			}
		}
		add(server, held)
		pull(t, s, g, all[len(all)-1].at.Add(10*time.Minute))
		compareGraphs(t, g, graphOf(t, all))
	}
}

// TestOwnDocumentsCountOnce has an agent see a third of the sessions itself, which reach the server a little later,
// as those of the others do.
func TestOwnDocumentsCountOnce(t *testing.T) {
	all := sessions(2, 3000, 8*time.Hour)
	server := &elastictest.Server{Index: "logs"}
	s := source(t, Config{URL: server.Start(t), Live: true})
	g := newGraph(t)
	shipped := 0
	const began = 1000
	for i, x := range all {
		for all[shipped].at.Before(x.at.Add(-3 * time.Minute)) {
			server.Add(all[shipped].document())
			shipped++
		}
		if i >= began && i%100 == 0 {
			pull(t, s, g, x.at)
		}
		if i >= began && i%3 == 0 {
			g.Observe([]graphbuf.Event{x.event()}, make([]graphbuf.Ref, 1))
		}
	}
	add(server, all[shipped:])
	pull(t, s, g, all[len(all)-1].at.Add(time.Minute))
	compareGraphs(t, g, graphOf(t, all))
}

// TestFailedPullLosesNothing breaks off a pull at each of its requests; the next one makes up for it.
func TestFailedPullLosesNothing(t *testing.T) {
	all := sessions(4, 1500, 4*24*time.Hour)
	for at := 1; ; at += 3 {
		server := &elastictest.Server{Index: "logs"}
		add(server, all)
		server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n >= at {
				elastictest.Fail(w, http.StatusBadRequest, "test", "no more")
			}
			return n >= at
		})
		s := source(t, Config{URL: server.Start(t), Live: true})
		g := newGraph(t)
		end := all[len(all)-1].at
		_, err := s.Pull(context.Background(), g, Options{Now: end.UnixNano()})
		if err == nil {
			if at < 20 {
				t.Fatalf("a pull takes %d requests only", at)
			}
			return
		}
		server.Before(nil)
		pull(t, s, g, end)
		compareGraphs(t, g, graphOf(t, all))
	}
}

func TestPullOfNothing(t *testing.T) {
	server := &elastictest.Server{Index: "logs", Types: map[string]string{"id.orig_h": "ip", "id.resp_h": "ip"}}
	address := server.Start(t)
	for _, live := range []bool{true, false} {
		g := newGraph(t)
		if r := pull(t, source(t, Config{URL: address, Live: live}), g, start); r.Documents != 0 || g.Stats().Edges != 0 {
			t.Errorf("live %v: %+v", live, r)
		}
	}
}

// TestPullEnds has it end in the middle of a request, and in a pause before another.
func TestPullEnds(t *testing.T) {
	for _, status := range []int{0, http.StatusServiceUnavailable} {
		ctx, cancel := context.WithCancel(context.Background())
		server := &elastictest.Server{Index: "logs"}
		server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
			if status > 0 {
				w.WriteHeader(status)
				time.AfterFunc(20*time.Millisecond, cancel)
				return true
			}
			cancel()
			<-r.Context().Done()
			return true
		})
		s := source(t, Config{URL: server.Start(t)})
		s.pause = time.Hour
		if _, err := s.Pull(ctx, newGraph(t), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// TestPagesAreMadeSmaller has a server that allows fewer buckets than are asked for.
func TestPagesAreMadeSmaller(t *testing.T) {
	all := sessions(5, 2000, 10*24*time.Hour)
	server := &elastictest.Server{Index: "logs"}
	add(server, all)
	var refused atomic.Int64
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		bodies := server.Requests()
		if strings.Contains(bodies[len(bodies)-1], `"size":400`) {
			refused.Add(1)
			elastictest.Fail(w, http.StatusServiceUnavailable, "too_many_buckets_exception", "Trying to create too many buckets")
			return true
		}
		return false
	})
	s := source(t, Config{URL: server.Start(t)})
	s.pageSize = 400
	g := newGraph(t)
	pull(t, s, g, all[len(all)-1].at)
	if refused.Load() == 0 {
		t.Error("no page was refused")
	}
	compareGraphs(t, g, graphOf(t, all))
}

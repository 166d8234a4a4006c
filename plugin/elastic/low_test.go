package elastic

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// lows are the triplets with a low score that a pull tells of, with their times, in its order.
func lows(t *testing.T, s *Source, g *graphbuf.Graph, o Options) (all []string, r Report) {
	t.Helper()
	o.Low = func(source, relation, destination []byte, at int64) {
		all = append(all, fmt.Sprintf("%s %s %s %s", source, relation, destination, time.Unix(0, at).UTC().Format("01-02 15:04")))
	}
	r, err := s.Pull(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return all, r
}

// TestLowScores has other agents give low scores, for some time and on several days.
func TestLowScores(t *testing.T) {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	server := &elastictest.Server{Index: "logs"}
	scored := func(after time.Duration, source string, low bool) {
		d := session{start.Add(after), source, "ssh", "b"}.document()
		d.Fields["rgcn.low_score"] = low
		server.Add(d)
	}
	const day = 24 * time.Hour
	for i := range 200 {
		scored(time.Duration(i)*time.Hour, fmt.Sprint("host-", i%7), false)
	}
	scored(2*day+time.Hour, "odd", true)
	scored(day+3*time.Hour, "odd", true)
	scored(4*day, "odd", false)
	scored(6*day, "ODDER.", true)
	scored(3*day, "bad", true)
	s := source(t, Config{URL: server.Start(t), LowScore: "rgcn.low_score"})
	g := newGraph(t)
	bad := func(source, _, _ []byte, _ int64) bool { return string(source) == "bad" }
	got, r := lows(t, s, g, Options{Skip: bad})
	if want := []string{"odder ssh b 03-08 00:00", "odd ssh b 03-03 03:00"}; !slices.Equal(got, want) || r.NoLow {
		t.Errorf("got %q, want %q", got, want)
	}
	if r.Documents != 205 || r.Added != 204 || r.Left != 1 {
		t.Errorf("the low scores are counted for themselves: %+v", r)
	}
	// Since a time, which every pull after the first asks for.
	scored(8*day+9*time.Hour, "odd", true)
	got, _ = lows(t, s, g, Options{LowSince: start.Add(5 * day).UnixNano()})
	if want := []string{"odd ssh b 03-10 09:00", "odder ssh b 03-08 00:00"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The graph is what it is without.
	plain := newGraph(t)
	pull(t, source(t, Config{URL: s.server.URL + "/logs"}), plain, time.Time{})
	fresh := newGraph(t)
	lows(t, s, fresh, Options{})
	compareGraphs(t, fresh, plain)

	for name, low := range map[string]string{"no such field": "low_score", "no boolean": "client"} {
		s := source(t, Config{URL: s.server.URL + "/logs", LowScore: low})
		if got, r := lows(t, s, newGraph(t), Options{}); len(got) > 0 || !r.NoLow {
			t.Errorf("%s: %q, %+v", name, got, r)
		}
	}
}

// A pull whose question for low scores fails has failed.
func TestLowScoresThatCannotBeRead(t *testing.T) {
	server := &elastictest.Server{Index: "logs"}
	for i, v := range sessions(6, 100, 2*24*time.Hour) {
		d := v.document()
		d.Fields["low_score"] = i%10 == 0
		server.Add(d)
	}
	asked := false
	s := source(t, Config{URL: server.Start(t), LowScore: "low_score"})
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if !strings.Contains(server.Requests()[n-1], `"low_score":["true"]`) {
			return false
		}
		asked = true
		elastictest.Fail(w, 503, "search_phase_execution_exception", "all shards failed")
		return true
	})
	_, err := s.Pull(context.Background(), newGraph(t), Options{Low: func(_, _, _ []byte, _ int64) { t.Error("told of one") }})
	if KindOf(err) != Partial || !asked {
		t.Errorf("%v, asked: %v", err, asked)
	}
}

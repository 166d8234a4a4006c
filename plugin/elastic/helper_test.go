package elastic

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// settings are the fields that properties give.
func settings(t testing.TB, properties ...string) config.Fields {
	t.Helper()
	c, err := config.Load(func(key string) (string, bool) {
		for i := 0; i < len(properties); i += 2 {
			if properties[i] == key {
				return properties[i+1], true
			}
		}
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Fields
}

const window = 30 * 24 * time.Hour

func newGraph(t testing.TB) *graphbuf.Graph {
	t.Helper()
	g, err := graphbuf.New(graphbuf.Config{MaxNodes: 10000, MaxRelations: 1000, MaxEdges: 100000, Window: window, Trusted: true})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// source is one with small pages and short pauses.
func source(t testing.TB, cfg Config) *Source {
	t.Helper()
	if cfg.Window == 0 {
		cfg.Window = window
	}
	if len(cfg.Fields.Source) == 0 {
		cfg.Fields = settings(t)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.pageSize, s.stretch, s.pause = 50, 400, time.Microsecond
	t.Cleanup(s.Close)
	return s
}

func pull(t testing.TB, s *Source, g *graphbuf.Graph, now time.Time) Report {
	t.Helper()
	r, err := s.Pull(context.Background(), g, Options{Now: now.UnixNano()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// session is one of a log.
type session struct {
	at                            time.Time
	source, relation, destination string
}

func (s session) document() elastictest.Document {
	return elastictest.Document{Time: s.at, Fields: map[string]any{"id.orig_h": s.source, "client": s.relation, "id.resp_h": s.destination}}
}

func (s session) event() graphbuf.Event {
	return graphbuf.Event{Source: []byte(s.source), Relation: []byte(s.relation), Destination: []byte(s.destination), Time: s.at.UnixNano()}
}

var start = time.Date(2026, 3, 2, 7, 13, 0, 0, time.UTC)

// sessions are many of some hosts over a time, of whole milliseconds.
func sessions(seed uint64, n int, over time.Duration) (all []session) {
	rng := rand.New(rand.NewPCG(seed, 3))
	for i := range n {
		h := rng.IntN(30)
		all = append(all, session{
			at:     start.Add(over / time.Duration(n) * time.Duration(i)).Truncate(time.Millisecond),
			source: fmt.Sprintf("10.0.0.%d", h), relation: fmt.Sprint("SSH-2.0-", h%4), destination: fmt.Sprintf("10.1.0.%d", rng.IntN(2+h%6)),
		})
	}
	return all
}

func add(s *elastictest.Server, all []session) {
	for _, x := range all {
		s.Add(x.document())
	}
}

// graphOf is the graph that saw the sessions in their order.
func graphOf(t testing.TB, all []session) *graphbuf.Graph {
	t.Helper()
	g := newGraph(t)
	for _, x := range all {
		g.Observe([]graphbuf.Event{x.event()}, make([]graphbuf.Ref, 1))
	}
	return g
}

// described are a graph's edges in words.
func described(g *graphbuf.Graph) (all []string) {
	s := g.Snapshot()
	for _, e := range s.Edges {
		var ago []int
		for a := e.Active; a != 0; a &= a - 1 {
			ago = append(ago, bits.TrailingZeros64(a))
		}
		all = append(all, fmt.Sprintf("%s, %s, %s: %d events from %s to %s, active %v", s.Nodes[e.Source].Name, s.Relations[e.Relation].Name, s.Nodes[e.Destination].Name,
			e.Count, time.Unix(0, e.First).UTC().Format(time.RFC3339Nano), time.Unix(0, e.Last).UTC().Format(time.RFC3339Nano), ago))
	}
	slices.Sort(all)
	return all
}

func compareGraphs(t testing.TB, got, want *graphbuf.Graph) {
	t.Helper()
	g, w := described(got), described(want)
	if len(g) != len(w) {
		t.Errorf("%d triplets, want %d", len(g), len(w))
	}
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("got  %s\nwant %s", g[i], w[i])
		}
	}
}

type (
	event = graphbuf.Event
	ref   = graphbuf.Ref
)

package eval

import (
	"context"
	"math"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/simulate"
)

// event makes one of "source relation destination", so many hours after a moment at 10:00 UTC.
func event(text string, hours float64) graphbuf.Event {
	p := strings.Fields(text)
	const start = 1_600_000_000 - 1_600_000_000%86400 + 10*3600
	return graphbuf.Event{Source: []byte(p[0]), Relation: []byte(p[1]), Destination: []byte(p[2]), Time: int64((start + hours*3600) * 1e9)}
}

func session(text string, hours float64, label string) Session {
	return Session{Event: event(text, hours), Label: label}
}

// graphOf is a graph of events an hour apart.
func graphOf(t testing.TB, texts ...string) *graphbuf.Graph {
	t.Helper()
	g, err := graphbuf.New(bounds)
	if err != nil {
		t.Fatal(err)
	}
	var ref [1]graphbuf.Ref
	for i, text := range texts {
		g.Observe([]graphbuf.Event{event(text, float64(i))}, ref[:])
	}
	return g
}

// fixed is a method whose score is that of the destination's name, and which counts what it is asked to learn.
func fixed(scores map[string]float64, learned *[]*graphbuf.Snapshot) Method {
	return Method{Name: "fixed", Learn: func(_ context.Context, before *graphbuf.Snapshot) (Score, float64, error) {
		*learned = append(*learned, before)
		return func(_ *graphbuf.Graph, e *graphbuf.Event, _ *graphbuf.Ref) float64 {
			return scores[string(e.Destination)]
		}, 0.3, nil
	}}
}

func near(t testing.TB, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// simulated returns the sessions of a simulated enterprise.
func simulated(t testing.TB, change func(*simulate.Config)) (out []Session, c simulate.Config) {
	t.Helper()
	c = simulate.Default()
	change(&c)
	err := simulate.Generate(c, func(s *simulate.Session) bool {
		out = append(out, Session{
			Event: graphbuf.Event{Source: []byte(s.Source), Relation: []byte(s.Client), Destination: []byte(s.Destination), Time: s.Time.UnixNano()},
			Label: s.Label, Note: s.Note,
		})
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, c
}

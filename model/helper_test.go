package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/graphbuf"
)

var roomy = graphbuf.Config{MaxNodes: 1 << 20, MaxRelations: 1 << 10, MaxEdges: 1 << 20}

func graphOf(t testing.TB, events []graphbuf.Event) *graphbuf.Graph {
	t.Helper()
	g, err := graphbuf.New(roomy)
	if err != nil {
		t.Fatal(err)
	}
	g.Observe(events, make([]graphbuf.Ref, len(events)))
	return g
}

// notebook reads the notebook's sessions, or as many simulated ones: source, client, destination, time.
func notebook(t testing.TB) []graphbuf.Event {
	t.Helper()
	var out []graphbuf.Event
	for _, line := range strings.Split(strings.TrimSpace(string(samples.Sessions(t))), "\n") {
		c := strings.Split(line, "\t")
		ts, err := strconv.ParseFloat(c[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, graphbuf.Event{Source: []byte(c[2]), Relation: []byte(c[8]), Destination: []byte(c[4]), Time: int64(ts * 1e9)})
	}
	return out
}

// teams makes sessions of hosts that mostly keep to the servers of their team.
func teams(seed uint64, hosts, events int) []graphbuf.Event {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]graphbuf.Event, events)
	for i := range out {
		h := rng.IntN(hosts)
		server := fmt.Sprintf("server-%d-%d", h%4, rng.IntN(3))
		if rng.IntN(20) == 0 {
			server = fmt.Sprintf("shared-%d", rng.IntN(2))
		}
		out[i] = graphbuf.Event{
			Source: fmt.Appendf(nil, "host-%d", h), Relation: fmt.Appendf(nil, "client-%d", (h/4)%3),
			Destination: []byte(server), Time: int64(i) * 60e9,
		}
	}
	return out
}

func quickConfig() Config {
	cfg := DefaultConfig()
	cfg.Dim, cfg.Steps = 16, 40
	return cfg
}

func train(t testing.TB, snap *graphbuf.Snapshot, cfg Config) (*Scorer, Report) {
	t.Helper()
	s, report, err := Train(context.Background(), snap, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, report
}

package filter

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/fleet"
)

// What a filter refuses is refused before it runs, too: what is no graph and no model, and what is larger than memory.
func TestLookAtPublished(t *testing.T) {
	s := newFleet(t)
	f, _ := s.agent()
	f.Close()
	p, err := LookAtPublished(t.Context(), f.cfg)
	if err != nil || p.Edges != 60 || p.Sequence == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if least := p.Header.Memory() + GraphBytes(f.cfg, graphbuf.Sizes{Nodes: 42, Edges: 60}); p.Needs(0) <= least || p.Needs(100*mib) != p.Needs(0)+10*mib {
		t.Errorf("needs %d, and %d beside 100 MiB; at least %d", p.Needs(0), p.Needs(100*mib), least)
	}
	good := s.read(s.place)
	key, err := fleet.ReadSigningKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := s.trainer.graph.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.trainer.Scorer().Model().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	header := fleet.Header{Sequence: uint64(now.UnixNano()), Published: now.UnixNano(), Horizon: now.UnixNano(), Nodes: 42, Relations: 2, Edges: 60,
		GraphVersion: graphVersion, ModelVersion: modelVersion}
	refused := func(graph, m []byte, want string) {
		t.Helper()
		b, err := fleet.Append(nil, header, graph, m, key)
		if err == nil {
			err = os.WriteFile(s.place, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LookAtPublished(t.Context(), f.cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused([]byte("garbage"), m, "graphbuf: snapshot: ")
	refused(graph[:len(graph)-1], m, "graphbuf: snapshot: ")
	refused(graph, m[:len(m)/2], "model: decode")
	// It takes no more than a filter may.
	defer func() { machineFiles = os.DirFS("/") }()
	machineFiles = pod(4 * mib)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	refused(make([]byte, 256*mib), m, "to take up its 60 triplets between 42 hosts would need about ")
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 512*mib { // of which the test itself makes 256
		t.Errorf("%d MiB allocated", (after.TotalAlloc-before.TotalAlloc)>>20)
	}
	machineFiles = pod(1024 * mib)
	if err := os.WriteFile(s.place, good, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LookAtPublished(t.Context(), f.cfg); err != nil {
		t.Error(err)
	}
}

// A trainer that knows many hosts has them in the snapshot, whatever the bounds of the filter's own graph.
func TestTakingALargerTrainersState(t *testing.T) {
	cfg := offline(t, host("graph_max_nodes", "1000")).cfg
	need := func(hosts uint32) int64 { return takingBytes(cfg, &fleet.Header{Nodes: hosts, Edges: 1000}) }
	snapshot := func(hosts int) int64 { return graphbuf.Sizes{Nodes: hosts, Edges: 1000}.KeptBytes() }
	if more, least := need(2_000_000)-need(1000), snapshot(2_000_000)-snapshot(1000); more < least {
		t.Errorf("two million hosts take %d MiB more than a thousand, their names alone are %d", more>>20, least>>20)
	}
}

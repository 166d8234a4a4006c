package graphbuf

import (
	"fmt"
	"testing"
	"time"
)

// TestAFloodLeavesTheRegulars: ten days of hosts that come once a day, then within half an hour four
// times as many new sources, clients and triplets as there is room for. By age alone nothing of the
// ten days would be left.
func TestAFloodLeavesTheRegulars(t *testing.T) {
	cfg := Config{MaxNodes: 2000, MaxRelations: 100, MaxEdges: 10_000, Window: 30 * 24 * time.Hour}
	g := newGraph(t, cfg)
	var ref [1]Ref
	observe := func(source, relation, destination string, at time.Duration) Ref {
		g.Observe([]Event{{[]byte(source), []byte(relation), []byte(destination), int64(1e18) + int64(at)}}, ref[:])
		return ref[0]
	}
	const hosts, each = 1000, 6
	steady := func(day int) (known int) {
		for h := range hosts {
			for j := range each {
				if r := observe(fmt.Sprint("host-", h), fmt.Sprint("client-", h%20), fmt.Sprint("server-", (h/50*7+j)%60), time.Duration(day)*24*time.Hour+time.Duration(h)*time.Second); r.Counts.SRD > 0 {
					known++
				}
			}
		}
		return known
	}
	for day := range 10 {
		steady(day)
	}
	for i := range 4 * cfg.MaxEdges {
		observe(fmt.Sprint("flood-", i), fmt.Sprint("tool-", i%500), fmt.Sprint("server-", i%60), 9*24*time.Hour+2*time.Hour+time.Duration(i)*45*time.Millisecond)
	}
	g.check(t)
	st := g.Stats()
	if st.Edges > cfg.MaxEdges || st.Nodes > cfg.MaxNodes || st.Relations > cfg.MaxRelations {
		t.Errorf("%+v", st)
	}
	if known := steady(10); known != hosts*each {
		t.Errorf("%d of %d triplets of the ten days are left", known, hosts*each)
	}

	// Whoever comes again and again stays too, but at the cost of no more than what came before.
	for round := range 3 {
		for i := range 4 * cfg.MaxEdges {
			observe(fmt.Sprint("flood-", i), "tool", fmt.Sprint("server-", i%60), 10*24*time.Hour+time.Duration(round+1)*2*time.Hour+time.Duration(i)*45*time.Millisecond)
		}
	}
	if known := steady(11); known != hosts*each {
		t.Errorf("%d of %d triplets are left after three floods with the same names", known, hosts*each)
	}
	g.check(t)
}

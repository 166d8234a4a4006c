package filter

import (
	"fmt"
	"runtime/debug"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/memlimit"
)

// The graph stops growing before a limit is reached.
const (
	// reserveShare is the part of a limit that the graph leaves free, one in so many, but no less than minReserve and
	// no more than maxReserve bytes.
	reserveShare = 8
	minReserve   = 12 << 20
	maxReserve   = 64 << 20

	// heldPause is the time between two looks at the limits while the graph may fill its bounds, and freePause that
	// between two attempts to free memory while it may not.
	heldPause = 2 * time.Second
	freePause = 10 * time.Second
)

// reserved is what is left of a limit for the host.
func reserved(l memlimit.Limit) int64 {
	return min(max(l.Bytes/reserveShare, minReserve), maxReserve)
}

// holdGraph lets the graph grow only as far as memory is left: by half of what there is until the next look. It looks on
// every call while the graph may not fill its bounds, else when heldPause is over or atOnce is set.
func (m *memory) holdGraph(atOnce bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if !atOnce && !m.held && now.Sub(m.lastLimit) < heldPause {
		return
	}
	m.lastLimit = now
	shared.mu.Lock()
	l, ok := limit(m.files)
	taken, trains, live := outstanding(), shared.promised > 0, max(1, shared.live)
	shared.mu.Unlock()
	bounds := m.cfg.Graph
	if !ok {
		m.graph.Hold(bounds.MaxNodes, bounds.MaxEdges)
		if m.held = false; m.shortGraph.Swap(nil) != nil {
			m.host.Log(LevelInfo, "no limit on memory can be read any more: the graph may grow to its bounds")
		}
		return
	}
	st := m.graph.Stats()
	// Whether it was full, and gave up triplets for others, since the last look.
	gaveUp := m.held && st.Evicted > m.lastHold.evicted && (almost(st.Nodes, m.lastHold.nodes) || almost(st.Edges, m.lastHold.edges))
	left := l.Left - taken - reserved(l)
	if m.saves {
		left -= graphbuf.Sizes{Nodes: st.Nodes, Relations: st.Relations, Edges: st.Edges}.SavingBytes()
	}
	if left < 0 && !trains && now.Sub(m.lastFree) >= freePause {
		m.lastFree = now
		debug.FreeOSMemory()
	}
	room := max(0, left) / 2 / int64(live) / 2 // for edges, and as much for nodes
	nodes, edges := st.Nodes+int(min(room/graphbuf.NodeBytes, 1<<30)), st.Edges+int(min(room/edgeBytes(m.cfg), 1<<30))
	m.graph.Hold(nodes, edges)
	m.lastHold.nodes, m.lastHold.edges, m.lastHold.evicted = nodes, edges, st.Evicted
	m.held = nodes < bounds.MaxNodes || edges < bounds.MaxEdges
	switch {
	case !m.held && m.shortGraph.Swap(nil) != nil:
		m.host.Log(LevelInfo, "memory is no longer short: the graph may grow to its bounds")
	case m.held && (gaveUp || !trains && room < minRoom) && m.shortGraph.Load() == nil: // what a training takes, it soon gives back
		why := fmt.Sprintf("memory is short: the graph stays at %d triplets between %d hosts, and what was seen longest ago goes; %s leaves %d of %d MiB; "+
			"raise that limit, or lower graph.max_edges (%d) and graph.max_nodes (%d)", st.Edges, st.Nodes, l.By, max(0, l.Left)>>20, l.Bytes>>20, bounds.MaxEdges, bounds.MaxNodes)
		m.shortGraph.Store(&why)
		m.host.Log(LevelWarn, why)
	}
}

// almost tells whether a number is at most a hundredth below a bound.
func almost(n, bound int) bool { return n >= bound-bound/100 }

// minRoom is the number of bytes below which the log says that the graph stays as it is.
const minRoom = 256 << 10

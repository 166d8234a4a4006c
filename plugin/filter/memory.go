package filter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/memlimit"
)

const (
	// eagerPercent is by how much the heap may grow between two collections in a large training.
	eagerPercent = 10
	// muchMemory is from how many bytes on the garbage of a training is worth the time to collect it early, and what a
	// training has let go is worth giving back to the system at once.
	muchMemory = 32 << 20
	// hostShare is the part of what a limit leaves that stays for the host and what else lives under it: one in so many.
	hostShare = 5
)

// shared is what is one for the whole process: its memory, and how Go's collector goes about it. Several instances may train at a time,
// each within what the others were promised. The first that does so eagerly changes the settings, the last one changes them back.
var shared struct {
	mu       sync.Mutex
	eager    int   // those who had the settings changed: trainings, mostly
	percent  int   // the settings without any
	limit    int64 // likewise
	base     int64 // bytes that Go held without them
	promised int64 // bytes for all trainings that run
	live     int   // instances that work on records of now
}

// machineFiles is where the limits stand.
var machineFiles = os.DirFS("/")

// outstanding is what was promised and is not taken yet. The lock is held.
func outstanding() int64 {
	if shared.promised == 0 {
		return 0
	}
	held, _ := heldByGo()
	return max(0, shared.promised-max(0, held-shared.base))
}

// plentiful is from how many bytes on a start need not be thrifty: to collect eagerly doubles its time.
const plentiful = 2 << 30

// collectEagerly has garbage collected early until the function that it returns is called, unless there is plenty of memory.
func (f *Instance) collectEagerly() (end func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if f.left().bytes >= plentiful {
		return func() {}
	}
	beginEager()
	return func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		endEager()
	}
}

func beginEager() {
	if shared.eager++; shared.eager == 1 {
		shared.percent, shared.limit = debug.SetGCPercent(eagerPercent), debug.SetMemoryLimit(-1)
	}
}

func endEager() {
	if shared.eager--; shared.eager == 0 {
		debug.SetGCPercent(shared.percent)
		debug.SetMemoryLimit(shared.limit)
	}
}

// takeMemory promises so many bytes to a training, or to whatever else takes much at once, until the function that it returns
// is called. For an eager one garbage is collected early, and Go holds no more than was promised as far as that can be
// done. The lock is held.
func takeMemory(bytes int64, eager bool) (giveBack func()) {
	held, _ := heldByGo()
	if shared.promised == 0 {
		shared.base = held
	}
	shared.base = max(shared.base, held-shared.promised)
	shared.promised += bytes
	if eager {
		beginEager()
	}
	softLimit()
	return func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		shared.promised -= bytes
		if held, _ := heldByGo(); shared.promised > 0 {
			shared.base = max(shared.base, held-shared.promised)
		}
		if eager {
			endEager()
		}
		softLimit()
	}
}

// softLimit keeps Go to what was promised while one of those who were is eager. It is never above what the user set.
func softLimit() {
	switch {
	case shared.eager == 0: // it is as it was
	case shared.promised == 0:
		debug.SetMemoryLimit(shared.limit)
	default:
		debug.SetMemoryLimit(min(shared.limit, shared.base+shared.promised))
	}
}

// heldByGo returns how many bytes Go's runtime has of the system, which is what its soft limit counts, and how many of
// them the last collection found in use.
func heldByGo() (held, used int64) {
	s := [...]metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s[:])
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64()), int64(s[2].Value.Uint64())
}

// limit is the tightest of the machine's limits and Go's own, as GOMEMLIMIT has it; false where none is known. The lock is held.
func limit(files fs.FS) (memlimit.Limit, bool) {
	l, ok := memlimit.Tightest(files)
	own := shared.limit
	if shared.eager == 0 {
		own = debug.SetMemoryLimit(-1)
	}
	if own < math.MaxInt64 {
		held, _ := heldByGo()
		if left := own - held; !ok || left < l.Left {
			return memlimit.Limit{By: "GOMEMLIMIT", Bytes: own, Left: left}, true
		}
	}
	return l, ok
}

// allowance is what may be taken now.
type allowance struct {
	bytes int64
	by    string // who says so, in words
	cure  string // what to do about it
}

// left is the share of what the limits leave. The lock is held.
func (f *Instance) left() allowance {
	a := allowance{bytes: math.MaxInt64}
	if l, ok := limit(f.files); ok {
		left := l.Left - outstanding()
		a.bytes = max(0, min(left-left/hostShare, left-reserved(l)))
		a.by = fmt.Sprintf("%s leaves %d of %d MiB, of which %d may be taken", l.By, max(0, left)>>20, l.Bytes>>20, a.bytes>>20)
		a.cure = "raise that limit"
	}
	return a
}

// allowed is what a training may take: what is left, or train.max_memory where that is lower. The lock is held.
func (f *Instance) allowed() allowance {
	a := f.left()
	if most := int64(f.cfg.Train.MaxMemory) << 20; most > 0 && most < a.bytes {
		a = allowance{most, fmt.Sprintf("train.max_memory allows %d", f.cfg.Train.MaxMemory), "raise it"}
	}
	return a
}

// foretold is what a training takes at most, with what is let go and not yet collected, on top of what Go held before.
func (f *Instance) foretold(s graphbuf.Sizes, cfg model.Config) int64 {
	bytes := model.TrainingBytes(s, cfg)
	if f.state != nil { // the graph may be saved meanwhile
		bytes += s.SavingBytes()
	}
	return withGarbage(bytes)
}

// withGarbage adds what is not yet collected, of these bytes and of all that lives already.
func withGarbage(bytes int64) int64 {
	_, used := heldByGo()
	return bytes + (bytes+used)*eagerPercent/100
}

var errTooLarge = errors.New("a training would take more memory than there is for it")

// largerShare is the part of the allowance within which a dimension above the model's own has to lie, so that a limit that wavers makes
// no cold start each time.
const largerShare = 0.75

// reserve finds settings with which a training fits into memory, and promises it that. Where none do, it says why in err.
func (f *Instance) reserve(s graphbuf.Sizes, cfg model.Config) (fitting model.Config, a allowance, giveBack func(), err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	freed := false
	a = f.allowed()
	for {
		need, room := f.foretold(s, cfg), a.bytes
		if p := cfg.Previous; p != nil && f.cfg.Model.Dim == 0 && p.Dim() < cfg.Width(s.Edges) && room < math.MaxInt64 {
			room = int64(float64(room) * largerShare)
		}
		if need <= room {
			return cfg, a, takeMemory(need, need > muchMemory || need > a.bytes/2), nil
		}
		if !freed && f.live {
			// What Go holds and does not use counts against the limit.
			debug.FreeOSMemory()
			a, freed = f.allowed(), true
			continue
		}
		next, ok := cfg.Thriftier(s.Edges)
		if !ok {
			what := "lower graph.max_edges or graph.max_nodes"
			if f.cfg.Model.Dim != 0 || cfg.Objective == model.ReferenceGoal {
				what = "lower graph.max_edges, graph.max_nodes or model.dim"
			}
			return cfg, a, nil, fmt.Errorf("%d edges between %d nodes would take about %d MiB with dimension %d, %s; %s, or %s",
				s.Edges, s.Nodes, need>>20, cfg.Width(s.Edges), a.by, a.cure, what)
		}
		cfg = next
	}
}

// sayThrift logs that a training takes less memory than it would like to, and again when that changes.
func (f *Instance) sayThrift(wanted, cfg model.Config, edges int, a allowance) {
	text := ""
	if is, was := cfg.Width(edges), wanted.Width(edges); is != was {
		text = fmt.Sprintf("memory is short: trainings are of dimension %d instead of %d, which costs some sharpness", is, was)
	}
	if text != f.thrift && text != "" {
		f.host.Log(LevelWarn, fmt.Sprintf("%s: %s; %s", text, a.by, a.cure))
	}
	f.thrift = text
}

// The graph stops to grow before a limit is reached.
const (
	// reserveShare is the part of a limit that the graph leaves, one in so many, but no less than leastReserve and no more than mostReserve bytes.
	reserveShare = 8
	leastReserve = 12 << 20
	mostReserve  = 64 << 20

	// keepInterval is how often the limits are looked at while the graph is held below its bounds.
	keepInterval = 200 * time.Millisecond
	// heldPause is the time between two looks at the limits while the graph may fill its bounds, and freePause between two
	// attempts to free memory while it may not.
	heldPause = 2 * time.Second
	freePause = 10 * time.Second
)

// reserved is what is left of a limit for the host.
func reserved(l memlimit.Limit) int64 {
	return min(max(l.Bytes/reserveShare, leastReserve), mostReserve)
}

// keepInBackground does what must go on beside a training, until ctx ends.
func (f *Instance) keepInBackground(ctx context.Context) {
	tick := time.NewTicker(keepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			f.keep(now)
		}
	}
}

// keep is one turn of that. A panic ends it alone.
func (f *Instance) keep(now time.Time) {
	defer func() {
		if v := recover(); v != nil {
			f.panicked(v, now)
		}
	}()
	f.holdGraph(false)
	f.saveOnTimer(now)
}

// holdGraph lets the graph grow only as far as memory is left: by half of what there is until the next look. Unless
// at once, it looks only when it is time to.
func (f *Instance) holdGraph(atOnce bool) {
	f.holdMu.Lock()
	defer f.holdMu.Unlock()
	now := time.Now()
	if !atOnce && !f.held && now.Sub(f.lastLimit) < heldPause {
		return
	}
	f.lastLimit = now
	shared.mu.Lock()
	l, ok := limit(f.files)
	taken, trains, live := outstanding(), shared.promised > 0, max(1, shared.live)
	shared.mu.Unlock()
	bounds := f.cfg.Graph
	if !ok {
		f.graph.Hold(bounds.MaxNodes, bounds.MaxEdges)
		return
	}
	st := f.graph.Stats()
	left := l.Left - taken - reserved(l)
	if f.state != nil {
		left -= graphbuf.Sizes{Nodes: st.Nodes, Relations: st.Relations, Edges: st.Edges}.SavingBytes()
	}
	if left < 0 && !trains && now.Sub(f.lastFree) >= freePause {
		f.lastFree = now
		debug.FreeOSMemory()
	}
	room := max(0, left) / 2 / int64(live) / 2 // for edges, and as much for nodes
	nodes, edges := st.Nodes+int(min(room/graphbuf.NodeBytes, 1<<30)), st.Edges+int(min(room/graphbuf.EdgeBytes, 1<<30))
	f.graph.Hold(nodes, edges)
	f.held = nodes < bounds.MaxNodes || edges < bounds.MaxEdges
	switch {
	case !f.held && f.shortGraph.Swap(nil) != nil:
		f.host.Log(LevelInfo, "memory is no longer short: the graph may grow to its bounds")
	case f.held && !trains && room < leastRoom && f.shortGraph.Load() == nil:
		why := fmt.Sprintf("memory is short: the graph stays at %d triplets between %d hosts, and what was seen longest ago goes; %s leaves %d of %d MiB; "+
			"raise that limit, or lower graph.max_edges (%d) and graph.max_nodes (%d)", st.Edges, st.Nodes, l.By, max(0, l.Left)>>20, l.Bytes>>20, bounds.MaxEdges, bounds.MaxNodes)
		f.shortGraph.Store(&why)
		f.host.Log(LevelWarn, why)
	}
}

// leastRoom is below how many bytes the graph is said to stay as it is.
const leastRoom = 256 << 10

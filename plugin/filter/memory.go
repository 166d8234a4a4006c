package filter

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/memlimit"
)

// memory is how much this instance may take of what the limits of containers and of the machine leave: for trainings
// (reserve) and for the graph (hold.go). What the instances of a process share is in sharedmemory.go.
type memory struct {
	*common
	files fs.FS        // where the limits are found
	inUse func() int64 // how many bytes of the heap are in use, by the last collection
	saves bool         // there is a state directory, and the graph may be saved at any time

	shortGraph atomic.Pointer[string] // why the graph stays below its bounds; nil: it does not

	mu       sync.Mutex // held while the limits are looked at for the graph; guards all below
	held     bool       // the graph is held below its bounds
	lastHold struct {   // the bounds that the last look set, and what the graph had evicted by then
		nodes, edges int
		evicted      uint64
	}
	lastLimit time.Time // when the limits were last looked at
	lastFree  time.Time // when memory was last freed for them
}

const (
	// muchMemory is from how many bytes on the garbage of a training is worth the time to collect it early, and the
	// memory that a training has let go is worth giving back to the system at once.
	muchMemory = 32 << 20
	// hostShare is the part of what a limit leaves that stays for the host and others under the limit: one in so many.
	hostShare = 5
)

// machineFiles is the root of the machine's files.
var machineFiles = os.DirFS("/")

// plentiful is from how many bytes on a start need not save memory: to collect eagerly doubles its time.
const plentiful = 2 << 30

// collectEagerly has garbage collected early until the function that it returns is called, unless there is plenty of
// memory.
func (m *memory) collectEagerly() (end func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if m.left().bytes >= plentiful {
		return func() {}
	}
	beginEager()
	return func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		endEager()
	}
}

// allowance is what may be taken now.
type allowance struct {
	bytes  int64
	by     string // who says so, in words
	remedy string // what to do about it
}

// leastAddressSpace is below which limit of address space little is left for graph and trainings. Go's runtime and the
// stacks of the host's threads reserve some 2 GiB and use little of it, and when nothing is left for them the process ends.
const leastAddressSpace = 2560 << 20

// logAddressSpace warns of a limit of address space that is too low.
func (m *memory) logAddressSpace() {
	if l, ok := memlimit.AddressSpace(m.files); ok && l.Bytes < leastAddressSpace {
		m.logf(LevelWarn, "%s is %d MiB, of which %d are left: what is reserved and not used counts too, and Fluent Bit ends when none is left; set at least %d, "+
			"or bound the memory in use instead (MemoryMax=, a container's limit)", l.By, l.Bytes>>20, max(0, l.Left)>>20, leastAddressSpace>>20)
	}
}

// left is the share of what the limits leave. The lock is held.
func (m *memory) left() allowance {
	a := allowance{bytes: math.MaxInt64}
	if l, ok := limit(m.files); ok {
		left := l.Left - outstanding()
		a.bytes = share(l, left)
		a.by = fmt.Sprintf("%s leaves %d of %d MiB, of which %d may be taken", l.By, max(0, left)>>20, l.Bytes>>20, a.bytes>>20)
		a.remedy = "raise that limit"
	}
	return a
}

// share is what may be taken of what a limit leaves.
func share(l memlimit.Limit, left int64) int64 {
	return max(0, min(left-left/hostShare, left-reserved(l)))
}

// allowed is what a training may take: what is left, or train.max_memory where that is lower. The lock is held.
func (m *memory) allowed() allowance {
	a := m.left()
	if most := int64(m.cfg.Train.MaxMemory) << 20; most > 0 && most < a.bytes {
		a = allowance{most, fmt.Sprintf("train.max_memory allows %d", m.cfg.Train.MaxMemory), "raise it"}
	}
	return a
}

// foretold is what a training takes at most, with what is let go and not yet collected, on top of what Go held before.
func (m *memory) foretold(s graphbuf.Sizes, cfg model.Config) int64 {
	bytes := model.TrainingBytes(s, cfg)
	if m.saves { // the graph may be saved meanwhile
		bytes += s.SavingBytes()
	}
	return m.withGarbage(bytes)
}

// withGarbage adds what is not yet collected, of these bytes and of all that lives already.
func (m *memory) withGarbage(bytes int64) int64 { return withGarbage(bytes, m.inUse()) }

// withGarbage adds what is not yet collected, of bytes and of what lives beside them.
func withGarbage(bytes, lives int64) int64 { return bytes + (bytes+lives)*eagerPercent/100 }

// take promises so many bytes, and what garbage they leave, to somebody other than a training, if as many are left.
func (m *memory) take(bytes int64) (a allowance, giveBack func(), ok bool) {
	a, p := m.promise(bytes)
	if p == nil {
		return a, nil, false
	}
	return a, func() { p.keep(0) }, true
}

// promise is take of which a part may be kept for longer; nil where not as many are left.
func (m *memory) promise(bytes int64) (a allowance, p *promise) {
	bytes = m.withGarbage(bytes)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if a = m.left(); bytes > a.bytes {
		return a, nil
	}
	return a, promiseMemory(bytes, a.bytes < plentiful)
}

// room returns why so many bytes of the state directory cannot be read into memory at once. It refuses less than take:
// without them what was learned is not known, so only what passes a limit by itself is left where it is.
func (m *memory) room(bytes int64) error {
	if bytes <= muchMemory {
		return nil
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for freed := false; ; freed = true {
		l, ok := limit(m.files)
		left := l.Left - outstanding()
		switch {
		case !ok || bytes <= left:
			return nil
		case freed:
			return fmt.Errorf("has %d MiB of content, and %s leaves %d of %d MiB; raise that limit, and start again", bytes>>20, l.By, max(0, left)>>20, l.Bytes>>20)
		}
		debug.FreeOSMemory() // what Go holds and does not use counts against the limit
	}
}

// largerShare is the part of the allowance within which a dimension above the model's own has to lie, so that a limit
// that wavers makes no cold start each time.
const largerShare = 0.75

// reserve finds settings with which a training fits into memory, and promises it that. Where none do, it says why in
// err.
func (m *memory) reserve(s graphbuf.Sizes, cfg model.Config) (fitting model.Config, a allowance, giveBack func(), err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	freed := false
	a = m.allowed()
	for {
		need, room := m.foretold(s, cfg), a.bytes
		if p := cfg.Previous; p != nil && m.cfg.Model.Dim == 0 && p.Dim() < cfg.Width(s.Edges) && room < math.MaxInt64 {
			room = int64(float64(room) * largerShare)
		}
		if need <= room {
			return cfg, a, takeMemory(need, need > muchMemory || need > a.bytes/2), nil
		}
		if !freed && m.live {
			// What Go holds and does not use counts against the limit.
			debug.FreeOSMemory()
			a, freed = m.allowed(), true
			continue
		}
		next, ok := cfg.Thriftier(s.Edges)
		if !ok {
			remedy := "lower graph.max_edges or graph.max_nodes"
			if m.cfg.Model.Dim != 0 || cfg.Objective == model.ReferenceGoal {
				remedy = "lower graph.max_edges, graph.max_nodes or model.dim"
			}
			return cfg, a, nil, fmt.Errorf("%d edges between %d nodes would take about %d MiB with dimension %d, %s; %s, or %s",
				s.Edges, s.Nodes, need>>20, cfg.Width(s.Edges), a.by, a.remedy, remedy)
		}
		cfg = next
	}
}

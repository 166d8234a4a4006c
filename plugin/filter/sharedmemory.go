package filter

import (
	"io/fs"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync"

	"flb-filter-rgcn/plugin/memlimit"
)

// eagerPercent is by how much the heap may grow between two collections in a large training.
const eagerPercent = 10

// shared is what all instances of the process share: its memory, and the settings of Go's collector. Several instances
// may train at a time, each within what the others were not promised. The first that needs garbage to be collected
// eagerly changes the settings, the last one changes them back.
var shared struct {
	mu       sync.Mutex // guards all below
	eager    int        // users of the changed settings, mostly trainings
	percent  int        // the settings without any
	limit    int64      // likewise
	base     int64      // bytes that Go held without them
	promised int64      // bytes for all trainings that run, and whatever else takes much for a moment
	live     int        // instances of records of now
}

// outstanding is what was promised and is not taken yet. The lock is held.
func outstanding() int64 {
	if shared.promised == 0 {
		return 0
	}
	held := heldByGo()
	return max(0, shared.promised-max(0, held-shared.base))
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

// takeMemory promises so many bytes to a training, or to whatever else takes much at once, until the function that it
// returns is called. Where eager, garbage is collected early, and Go holds no more than was promised as far as that can
// be done. The lock is held.
func takeMemory(bytes int64, eager bool) (giveBack func()) {
	p := promiseMemory(bytes, eager)
	return func() { p.keep(0) }
}

// promise is what somebody may take of the process's memory.
type promise struct {
	bytes int64
	eager bool
}

// promiseMemory is takeMemory of which a part may be kept for longer. The lock is held.
func promiseMemory(bytes int64, eager bool) *promise {
	held := heldByGo()
	if shared.promised == 0 {
		shared.base = held
	}
	shared.base = max(shared.base, held-shared.promised)
	shared.promised += bytes
	if eager {
		beginEager()
	}
	softLimit()
	return &promise{bytes, eager}
}

// keep gives all back but so many bytes, which are those still in use, and collects no longer eagerly.
func (p *promise) keep(bytes int64) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	bytes = min(bytes, p.bytes)
	shared.promised -= p.bytes - bytes
	p.bytes = bytes
	if held := heldByGo(); shared.promised > 0 {
		shared.base = max(shared.base, held-shared.promised)
	}
	if p.eager {
		endEager()
	}
	p.eager = false
	softLimit()
}

// softLimit keeps Go to what was promised, while somebody collects eagerly. It is never above what the user set.
func softLimit() {
	switch {
	case shared.eager == 0: // it is as it was
	case shared.promised == 0:
		debug.SetMemoryLimit(shared.limit)
	default:
		debug.SetMemoryLimit(min(shared.limit, shared.base+shared.promised))
	}
}

// heldByGo returns how many bytes Go's runtime has of the system, which is what its soft limit counts.
func heldByGo() int64 {
	s := [...]metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s[:])
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// inUseByGo returns how many bytes of the heap the last collection found in use.
func inUseByGo() int64 {
	s := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s[:])
	return int64(s[0].Value.Uint64())
}

// limit returns the tightest of the machine's limits and Go's own, GOMEMLIMIT; false where none is known. The lock is
// held.
func limit(files fs.FS) (memlimit.Limit, bool) {
	l, ok := memlimit.Tightest(files)
	own := shared.limit
	if shared.eager == 0 {
		own = debug.SetMemoryLimit(-1)
	}
	if own < math.MaxInt64 {
		held := heldByGo()
		if left := own - held; !ok || left < l.Left {
			return memlimit.Limit{By: "GOMEMLIMIT", Bytes: own, Left: left}, true
		}
	}
	return l, ok
}

// countLive counts the instances that share the process's memory.
func countLive(by int) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.live += by
}

package risk

import (
	"hash/maphash"
	"slices"
	"sync"

	"flb-filter-rgcn/graphbuf"
)

// maxReports bounds the sources whose reports are remembered. Beyond it no further one is reported until a report
// leaves the window.
const maxReports = 1024

// Reports remembers which sources were reported within the window. It is safe for many goroutines and does not
// allocate.
type Reports struct {
	seed maphash.Seed

	mu     sync.Mutex
	newest int64    // the latest time that was told, unix nanoseconds
	keys   []uint64 // of sources
	at     []int64  // when each was reported, by the latest time known then
}

// NewReports returns a Reports without reports.
func NewReports() *Reports {
	return &Reports{seed: maphash.MakeSeed(), keys: make([]uint64, 0, maxReports), at: make([]int64, 0, maxReports)}
}

// Has tells whether the source of an event was reported within the window.
func (r *Reports) Has(e *graphbuf.Event) bool {
	key := maphash.Bytes(r.seed, e.Source)
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.reach(e.Time)
	i := slices.Index(r.keys, key)
	return i >= 0 && r.at[i] > from
}

// Add notes a report of the source of an event. It is false where there was one within the window.
func (r *Reports) Add(e *graphbuf.Event) bool {
	key := maphash.Bytes(r.seed, e.Source)
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.reach(e.Time)
	i := slices.Index(r.keys, key)
	switch {
	case i >= 0 && r.at[i] > from:
		return false
	case i >= 0:
	case len(r.keys) < maxReports:
		i = len(r.keys)
		r.keys, r.at = append(r.keys, key), append(r.at, 0)
	default:
		if i = slices.IndexFunc(r.at, func(at int64) bool { return at <= from }); i < 0 {
			return false
		}
	}
	r.keys[i], r.at[i] = key, r.newest // and not the event's time: after a clock's step back that may lie before the window
	return true
}

// reach takes a time that is reached and returns when the window begins.
func (r *Reports) reach(time int64) (from int64) {
	r.newest = max(r.newest, time)
	return r.newest - int64(Window)
}

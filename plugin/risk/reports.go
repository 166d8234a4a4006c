package risk

import (
	"hash/maphash"
	"slices"
	"sync"

	"flb-filter-rgcn/graphbuf"
)

// Reports remembers which sources were reported within the window, up to a number of them. It is safe for many goroutines
// and does not allocate.
type Reports struct {
	seed maphash.Seed

	mu     sync.Mutex
	newest int64    // the latest time that was told, unix nanoseconds
	keys   []uint64 // of sources; its capacity is how many there may be
	at     []int64  // when each was reported, by the latest time known then
}

// NewReports returns a Reports without reports, with room for so many, at least one.
func NewReports(most int) *Reports {
	return &Reports{seed: maphash.MakeSeed(), keys: make([]uint64, 0, most), at: make([]int64, 0, most)}
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

// Add notes a report of the source of an event. It is false where there was one within the window. Where there is no room
// for one more, the oldest report is forgotten: its source may be reported again.
func (r *Reports) Add(e *graphbuf.Event) bool {
	added, _ := r.add(e, true)
	return added
}

// AddIfRoom is Add, but forgets no report within the window: where there is no room, it notes nothing and full is true.
// So the reports of a window are never more than there is room for.
func (r *Reports) AddIfRoom(e *graphbuf.Event) (added, full bool) { return r.add(e, false) }

func (r *Reports) add(e *graphbuf.Event, forget bool) (added, full bool) {
	key := maphash.Bytes(r.seed, e.Source)
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.reach(e.Time)
	i := slices.Index(r.keys, key)
	switch {
	case i >= 0 && r.at[i] > from:
		return false, false
	case i >= 0:
	case len(r.keys) < cap(r.keys):
		i = len(r.keys)
		r.keys, r.at = append(r.keys, key), append(r.at, 0)
	default:
		if i = r.oldest(); !forget && r.at[i] > from {
			return false, true
		}
	}
	r.keys[i], r.at[i] = key, r.newest // and not the event's time: after a clock's step back that may lie before the window
	return true, false
}

// oldest is the report that was made longest ago.
func (r *Reports) oldest() (at int) {
	for i, t := range r.at {
		if t < r.at[at] {
			at = i
		}
	}
	return at
}

// reach takes a time that is reached and returns when the window begins.
func (r *Reports) reach(time int64) (from int64) {
	r.newest = max(r.newest, time)
	return r.newest - int64(Window)
}

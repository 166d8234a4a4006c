package risk

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"flb-filter-rgcn/graphbuf"
)

// Reports remembers which sources were reported within the window, up to a number of them. It is safe for many goroutines
// and does not allocate.
type Reports struct {
	mu     sync.Mutex
	hashed []byte   // a secret, and behind it the name that is looked for
	begun  bool     // a time was told
	newest int64    // the latest time that was told, unix nanoseconds
	keys   []uint64 // of sources; its capacity is how many there may be
	at     []int64  // when each was reported, by the latest time known then
}

// secretSize is that of what names are hashed with: nobody can pick one that stands for another. It is saved with the
// keys, which are so the same after a restart.
const secretSize = 16

// NewReports returns a Reports without reports, with room for so many, at least one.
func NewReports(most int) *Reports {
	r := &Reports{hashed: make([]byte, secretSize, secretSize+graphbuf.MaxName), keys: make([]uint64, 0, most), at: make([]int64, 0, most)}
	rand.Read(r.hashed) // it never fails
	return r
}

// key stands for a source. The lock is held.
func (r *Reports) key(source []byte) uint64 {
	r.hashed = append(r.hashed[:secretSize], source...)
	sum := sha256.Sum256(r.hashed)
	return binary.LittleEndian.Uint64(sum[:])
}

// Has tells whether the source of an event was reported within the window.
func (r *Reports) Has(e *graphbuf.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.reach(e.Time)
	i := slices.Index(r.keys, r.key(e.Source))
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
	r.mu.Lock()
	defer r.mu.Unlock()
	from, key := r.reach(e.Time), r.key(e.Source)
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
	if !r.begun {
		r.begun = true
		r.forgetAfter(time)
	}
	r.newest = max(r.newest, time)
	return r.newest - int64(Window)
}

// forgetAfter forgets saved reports of more than a window after a time, the first that is told: a clock was ahead when
// they were made, and their sources would not be reported until then.
func (r *Reports) forgetAfter(time int64) {
	n := 0
	for i, at := range r.at {
		if at-int64(Window) > time {
			continue
		}
		r.keys[n], r.at[n] = r.keys[i], at
		n++
	}
	r.keys, r.at = r.keys[:n], r.at[:n]
}

// savedReports are Reports between runs, as JSON.
type savedReports struct {
	Secret []byte
	Keys   []uint64
	At     []int64
}

// MarshalJSON implements json.Marshaler. Who has the reports waits for a copy of them, and not for its text.
func (r *Reports) MarshalJSON() ([]byte, error) {
	r.mu.Lock()
	out := savedReports{slices.Clone(r.hashed[:secretSize]), slices.Clone(r.keys), slices.Clone(r.at)}
	r.mu.Unlock()
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler, for Reports that NewReports made. Where there is no room for all of the
// saved ones, the oldest are forgotten.
func (r *Reports) UnmarshalJSON(b []byte) error {
	var in savedReports
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if len(in.Secret) != secretSize || len(in.Keys) != len(in.At) {
		return fmt.Errorf("risk: %d keys and %d times of reports with a secret of %d bytes, want as many of both and %d", len(in.Keys), len(in.At), len(in.Secret), secretSize)
	}
	if slices.ContainsFunc(in.At, func(at int64) bool { return at < 0 }) {
		return errors.New("risk: a report of before 1970")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	copy(r.hashed[:secretSize], in.Secret)
	r.begun, r.newest, r.keys, r.at = false, 0, r.keys[:0], r.at[:0]
	for i, key := range in.Keys {
		at := len(r.keys)
		if at < cap(r.keys) {
			r.keys, r.at = append(r.keys, 0), append(r.at, 0)
		} else if at = r.oldest(); r.at[at] >= in.At[i] {
			continue
		}
		r.keys[at], r.at[at] = key, in.At[i]
	}
	return nil
}

package filter

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"flb-filter-rgcn/model"
)

// TrainingCount counts the trainings on a device that ended in the same way.
type TrainingCount struct {
	Device string `json:"device"`
	Result string `json:"result"` // one of the Result constants
	Count  uint64 `json:"count"`
}

// How a training can end.
const (
	ResultNew      = "new"       // its parameters are in use
	ResultKept     = "kept"      // its parameters were worse than those before, which stay
	ResultPutOff   = "put_off"   // there was too little to learn from
	ResultNoMemory = "no_memory" // put off as well: it would have taken more memory than there is for it
	ResultStopped  = "stopped"   // the filter was closed meanwhile
	ResultFailed   = "failed"    // an error, which the log has
)

// LastTraining is the last training that gave a model.
type LastTraining struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Steps   int       `json:"steps"`
	Edges   int       `json:"edges"`
	Loss    float64   `json:"loss"`
	Device  string    `json:"device"`
}

// history is what is remembered of trainings.
type history struct {
	mu     sync.Mutex           // guards all below
	counts map[[2]string]uint64 // by device and result
	last   *LastTraining
}

func (h *history) add(device, result string, r *model.Report, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = map[[2]string]uint64{}
	}
	h.counts[[2]string{device, result}]++
	if r != nil {
		loss := float64(r.Loss)
		if r.Steps == 0 && h.last != nil { // that of the steps before still holds
			loss = h.last.Loss
		}
		h.last = &LastTraining{At: at.UTC(), Seconds: r.Duration.Seconds(), Steps: r.Steps, Edges: r.Edges, Loss: loss, Device: r.Device}
	}
}

func (h *history) list() (counts []TrainingCount, last *LastTraining) {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts = []TrainingCount{}
	for k, n := range h.counts {
		counts = append(counts, TrainingCount{k[0], k[1], n})
	}
	slices.SortFunc(counts, func(a, b TrainingCount) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Result, b.Result))
	})
	return counts, h.last
}

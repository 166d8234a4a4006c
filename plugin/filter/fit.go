package filter

import (
	"fmt"
	"sync"
)

const (
	// fitPeriod is how many records are judged together, and fitShare the share of them that have to be
	// understood.
	fitPeriod = 100
	fitShare  = 0.05
	// fitGrowth is by how much the number of records grows from one warning to the next.
	fitGrowth = 10
)

// fit tells whether the records are those that the settings speak of.
type fit struct {
	mu               sync.Mutex
	records, counted uint64 // of the period
	total            uint64
	warnAt           uint64 // total at which a misfit is said again
	why              string // of a misfit; "" while most records are understood
}

// add counts a chunk's records and reports whether the period is over.
func (f *fit) add(records, counted uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records += records
	f.counted += counted
	f.total += records
	return f.records >= fitPeriod
}

// problem is why records are not understood, "" while they are.
func (f *fit) problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}

// judgeFit ends a period of the fit. event is a record that was not understood, nil where the chunk had none.
func (f *Instance) judgeFit(event []byte) {
	t := &f.fit
	t.mu.Lock()
	records, counted, total := t.records, t.counted, t.total
	if records < fitPeriod { // somebody else was faster
		t.mu.Unlock()
		return
	}
	t.records, t.counted = 0, 0
	misfit := float64(counted) < fitShare*float64(records)
	was, say := t.why != "", misfit && event != nil && total >= t.warnAt
	if say {
		t.warnAt = total * fitGrowth
	}
	if !misfit {
		t.why = ""
	}
	t.mu.Unlock()
	switch {
	case say:
		why := fmt.Sprintf("%d of the last %d records have a source and a destination, so hardly any gets a score. %s", counted, records, f.explainMisfit(event))
		t.mu.Lock()
		t.why = why
		t.mu.Unlock()
		f.host.Log(LevelWarn, why)
	case was && !misfit:
		f.host.Log(LevelInfo, fmt.Sprintf("records are understood again: %d of the last %d have a source and a destination", counted, records))
	}
}

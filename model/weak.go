package model

import (
	"fmt"
	"time"

	"flb-filter-rgcn/model/internal/temporal"
)

// LeastEdges returns how many distinct triplets a first training should have, where sessions span the time lived: want,
// or 50 where want is 0. A small network may never have as many, so that as few as a model can be judged by are enough
// after a day.
func LeastEdges(want int, lived time.Duration) int {
	switch {
	case want > 0:
		return want
	case lived >= 24*time.Hour:
		return fewHeldOut
	}
	return 50
}

// A model whose held-out AUC is below leastQuality, or was taken over fewer triplets than temporal.EnoughHeldOut, cannot
// tell an unusual session from a usual one. A small network may never have as many: once it is known for a day,
// fewHeldOut of them are enough if the AUC is one that so few hardly reach by chance.
const (
	leastQuality = 0.6
	fewHeldOut   = 8
	fewQuality   = 0.8
)

// required returns how many held-out triplets judge the model, and the AUC that it has to reach on those it has.
func (m *Model) required() (heldOut int, quality float64) {
	if m.heldOut.Settled && len(m.heldOut.Scores) < temporal.EnoughHeldOut {
		return fewHeldOut, fewQuality
	}
	return temporal.EnoughHeldOut, leastQuality
}

// IsWeak tells that the low scores of the model are not to be relied on.
func (m *Model) IsWeak() bool {
	heldOut, quality := m.required()
	return len(m.heldOut.Scores) < heldOut || m.Quality < quality
}

// Weak returns why the model is weak, "" if it is not.
func (m *Model) Weak() string {
	heldOut, quality := m.required()
	switch n := len(m.heldOut.Scores); {
	case n < heldOut:
		return fmt.Sprintf("%d distinct triplets were held out of the training to judge it, want %d: wait for more of them, sessions of the same ones do not count", n, heldOut)
	case m.Quality >= quality:
		return ""
	case n < temporal.EnoughHeldOut:
		return fmt.Sprintf("the model's held-out AUC is %.3f, want %.1f as it was taken over %d distinct triplets, and %.1f from %d on: wait for more of them. "+
			"If it stays so, check that source, relation and destination are the right fields", m.Quality, quality, n, leastQuality, temporal.EnoughHeldOut)
	}
	return fmt.Sprintf("the model's held-out AUC is %.3f, want %.1f: it can hardly tell sessions that came from made-up ones. "+
		"Check that source, relation and destination are the right fields", m.Quality, quality)
}

package budget

import (
	"math"
	"slices"
	"sort"

	"flb-filter-rgcn/model/ranking"
)

const (
	keptDays      = 10
	settledDays   = 3        // busy days after which the threshold goes by the days alone
	curveStep     = 1.0 / 16 // of a budget
	curvePoints   = mostPace/curveStep + 1
	quartersOfDay = 24 * 4
)

// history is the days that are over, and what they say about a usual day.
type history struct {
	perDay float64              // the budget
	past   []pastDay            // whole days, the oldest first
	prior  [curvePoints]float32 // what curve is before there are days
	busy   []pastDay            // the days that count
	even   float32              // the score at even odds, which no threshold exceeds

	curve [curvePoints]float32   // score at a rank of 0 to mostPace budgets
	after [quartersOfDay]float32 // share of a day's low scores that comes after the quarter of an hour began
}

// pastDay is what is kept of a day that is over.
type pastDay struct {
	Scores   []float32             // lowest of each of the lowest triplets, ascending
	Quarters [quartersOfDay]uint32 // how many of them came first in that quarter of an hour
}

// curveOf returns the curve of a model's held-out scores, for a budget a day.
func curveOf(scores ranking.HeldOut, perDay float64) (curve [curvePoints]float32) {
	for i := range curve {
		curve[i] = ranking.Below(scores.Scores, perDay*float64(i)*curveStep*scores.Days)
	}
	return curve
}

// add keeps a day whose entries are in ascending order of their scores. The oldest day gives way.
func (h *history) add(entries []entry) {
	var day pastDay
	if len(h.past) == keptDays { // its memory is used again
		day = h.past[0]
		day.Scores, day.Quarters = day.Scores[:0], [quartersOfDay]uint32{}
		copy(h.past, h.past[1:])
		h.past = h.past[:keptDays-1]
	}
	for _, e := range entries {
		day.Scores = append(day.Scores, e.Score)
		day.Quarters[e.Quarter]++
	}
	h.past = append(h.past, day)
}

// recompute computes curve and after from the days that are kept.
func (h *history) recompute() {
	for i := range h.after {
		h.after[i] = 1 - float32(i)/quartersOfDay
	}
	h.busy = h.busyDays()
	days := h.busy
	if len(days) == 0 {
		h.curve = h.prior
		return
	}
	var at [keptDays]float32
	for i := range h.curve {
		// The score below which n triplets a day lie. Where they come at random (as a Poisson process), it is the median,
		// over the days, of the score at the rank n-ln 2, counted from 0. For a smaller n there is no such rank; but on a
		// share 1-exp(-n) of the days, the lowest score is below it.
		n := h.perDay * float64(i) * curveStep
		for j, d := range days {
			at[j] = d.rank(max(0, n-math.Ln2))
		}
		if n > math.Ln2 {
			h.curve[i] = median(at[:len(days)])
		} else {
			h.curve[i] = quantile(at[:len(days)], -math.Expm1(-n))
		}
	}
	var quarters [quartersOfDay]float32
	var all, before float32
	for _, d := range days {
		for i, n := range d.Quarters {
			quarters[i] += float32(n)
			all += float32(n)
		}
	}
	for i := range h.after {
		h.after[i] = 1 - before/all
		before += quarters[i]
	}
}

// settled tells whether enough days are known to go by.
func (h *history) settled() bool { return len(h.busy) >= settledDays }

// scoreAt returns the score below which the given number of budgets lies on a usual day. It is at most the
// score at even odds, because a quiet network may not have so many unusual sessions.
func (h *history) scoreAt(budgets float64) float32 {
	x := budgets / curveStep
	i := min(int(x), curvePoints-2)
	return min(h.curve[i]+(h.curve[i+1]-h.curve[i])*float32(x-float64(i)), h.even)
}

// highest returns the score above which no triplet is ever an alert.
func (h *history) highest() float32 { return min(h.curve[curvePoints-1], h.even) }

// rate returns how many of the triplets that are kept of a usual day had a score or a lower one, on average.
func (h *history) rate(score float32) float64 {
	n := 0
	for _, d := range h.busy {
		n += sort.Search(len(d.Scores), func(i int) bool { return d.Scores[i] > score })
	}
	return float64(n) / float64(len(h.busy))
}

// busyDays returns the days on which as much happened as on a working day.
func (h *history) busyDays() []pastDay {
	sizes := make([]int, 0, keptDays)
	for _, d := range h.past {
		sizes = append(sizes, len(d.Scores))
	}
	if len(sizes) == 0 {
		return nil
	}
	slices.Sort(sizes)
	least := max(1, sizes[(len(sizes)-1)*3/4]/2)
	var days []pastDay
	for _, d := range h.past {
		if len(d.Scores) >= least {
			days = append(days, d)
		}
	}
	return days
}

// rank returns the score below which n triplets of the day lie, interpolated between two of them.
func (d *pastDay) rank(n float64) float32 {
	last := len(d.Scores) - 1
	i := min(int(n), last)
	a, b := d.Scores[i], d.Scores[min(i+1, last)]
	return a + (b-a)*float32(min(n-float64(i), 1))
}

// quantile estimates what a share p of a distribution lies below, from some draws of it: the one at the rank k of n,
// counted from 1, stands for the share k/(n+1). Beyond those it is the lowest or the highest.
func quantile(x []float32, p float64) float32 {
	slices.Sort(x)
	at := min(max(p*float64(len(x)+1)-1, 0), float64(len(x)-1))
	i := min(int(at), max(0, len(x)-2))
	a, b := x[i], x[min(i+1, len(x)-1)]
	return a + (b-a)*float32(at-float64(i))
}

func median(x []float32) float32 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

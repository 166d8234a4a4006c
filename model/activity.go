package model

import "slices"

// busyDays is how many busy days' worth of triplets a stretch of time holds: a weekend in
// which a third of what is usual happened is less than a day. Each triplet counts
// once a day. Where the data are too short to know a usual day it is the length of the stretch.
func (ds *dataset) busyDays(sp span) float64 {
	const day, recent = int64(24 * 3600e9), 14
	first, last := ds.start/day+1, ds.end/day // whole days are first to last-1
	first = max(first, last-recent)
	if first >= last {
		return float64(sp.end-sp.at) / float64(day)
	}
	triplets := func(a, b int64) (sum float64) {
		for i := range ds.edges {
			sum += float64(ds.edges[i].within(a, b))
		}
		return sum
	}
	var whole []float64
	for d := first; d < last; d++ {
		whole = append(whole, triplets(d*day, (d+1)*day))
	}
	slices.Sort(whole)
	busy := max(whole[(len(whole)-1)*3/4], 1)
	var days float64
	for at := sp.at; at < sp.end; at = (at/day + 1) * day {
		days += triplets(at, min(sp.end, (at/day+1)*day)) / busy
	}
	return days
}

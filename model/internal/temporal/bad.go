package temporal

import "flb-filter-rgcn/model/internal/num"

// badShare is the share of the corrupted triplets that are drawn from what people have called bad, where they have. It
// is small: such sessions are few, and of kinds that people chose.
const badShare = 0.05

// Bad is what people have called bad: any source with any relation to any destination of these.
type Bad struct {
	Sources, Relations, Destinations []int32 // rows; nil: whatever is known; -1: a name that the dataset does not have
}

// bad draws a triplet of one of the bad kinds.
func (w *Window) bad(rng *num.Philox, kinds []Bad) (s, r, d int32) {
	k := &kinds[rng.IntN(len(kinds))]
	of := func(rows, known []int32) int32 {
		if rows == nil {
			rows = known
		}
		return rows[rng.IntN(len(rows))]
	}
	return of(k.Sources, w.knownSources), of(k.Relations, w.knownRelations), of(k.Destinations, w.knownDestinations)
}

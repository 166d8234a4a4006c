package model

import (
	"math"

	"flb-filter-rgcn/model/internal/gnn"
)

// A training that goes on from a previous model makes steps in proportion to what is new. With a fixed number of them,
// trainings every few minutes would go over the same data thousands of times: what a model knows of single pairs, in its
// relational score above all, crowds out what it knows of sessions in general.
const (
	// warmWorth is how often warm trainings make the steps of a cold start while all of the activity is replaced.
	warmWorth = 4
	// warmShare of a cold start's steps is the most that one warm training makes.
	warmShare = 0.25
	// relationFade is the share of the relational score that is lost with each step. It bounds what is learned by heart
	// over months.
	relationFade = 0.01
)

// due is how many steps a warm training makes where a cold start makes the given number: in proportion to the part of the
// windows' time that is new, or to that of the triplets, where a log was read that is older than what was known. Where the
// proportion is less than a step, one in several trainings makes it: a step is due at each multiple of a period.
func (t *training) due(steps float64) int {
	last, most := t.cfg.Previous, max(1, int(steps*warmShare))
	if last.until > t.ds.End { // another log
		return most
	}
	worth := warmWorth * steps
	period := max(1, int64(float64(t.ds.End-t.windows.Start())/worth))
	byTime := float64(t.ds.End/period - last.until/period)
	byTriplets := worth * float64(len(t.ds.Edges)-last.triplets) / float64(len(t.ds.Edges))
	return min(int(max(byTime, byTriplets, 0)), most)
}

// extent is how far the data of the training reach.
func (t *training) extent() extent { return extent{t.ds.End, len(t.ds.Edges)} }

// hasGrown tells whether the data are of another log than those of an earlier training, or a quarter of the windows' time,
// or of the triplets, has come since.
func (t *training) hasGrown(since extent) bool {
	const part = 4
	return since.until > t.ds.End || t.ds.End-since.until > (t.ds.End-t.windows.Start())/part || len(t.ds.Edges)-since.triplets > since.triplets/part
}

// rescale has the decoder compute with another scaling of its inputs what it does with its own: of a weight w and its
// bias b, w (x - m) / s + b = w' (x - m') / s' + b' where w' = w s'/s and b' = b + w (m' - m) / s. A live filter makes its
// first model after 50 triplets, and counts grow from there: on the first scale, inputs would come to lie so far out that
// the optimiser's steps no longer suit them. Its moments are of gradients by w, which shrink as w grows.
func (m *Model) rescale(to gnn.Scaling) {
	w, b, mask := m.params.Get("hidden"), m.params.Get("hidden.bias"), m.config().network().Mask
	for i := range gnn.NumInputs {
		if mask != nil && mask[i] { // it is 0 whatever the scaling
			continue
		}
		grows, moves := m.scaling.Inv[i]/to.Inv[i], (to.Mean[i]-m.scaling.Mean[i])*m.scaling.Inv[i]
		for j := range gnn.Hidden {
			k := i*gnn.Hidden + j
			b.Value[j] += w.Value[k] * moves
			w.Value[k] *= grows
			w.Mean[k] /= grows
			w.Square[k] /= grows * grows
		}
	}
}

// fade takes from the relational score what is lost with so many steps. Its first values are 0: see gnn.NewParams.
func (m *Model) fade(steps int) {
	left, values := float32(math.Exp(-relationFade*float64(steps))), m.params.Get("relation").Value
	for i := range values {
		values[i] *= left
	}
}

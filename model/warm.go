package model

import "math"

// A training that goes on from a previous model has as many steps as there is something new. With a fixed number of them,
// trainings every few minutes would go over the same data thousands of times: what a model knows of single pairs, in its
// relational score above all, crowds out what it knows of sessions in general.
const (
	// warmWorth is how many times the steps of a cold start all of the activity is worth, once it has come bit by bit.
	warmWorth = 4
	// warmShare of a cold start's steps is the most that one warm training makes.
	warmShare = 0.25
	// relationFade is the share of the relational score that is lost with each step. It bounds what pairs are learned by
	// heart over months.
	relationFade = 0.01
)

// due is how many of the given steps, a share of all those of a cold start, a warm training makes: by how much of the
// time that the windows cover is new, or how many of the triplets, where a log was read that is older than what was known.
// A training too short for a step makes one when enough of them have come: a step is due at each multiple of a period.
func (t *training) due(steps, share float64) int {
	last, most := t.cfg.Previous, max(1, int(steps*warmShare*share))
	if last.until > t.ds.End { // another log
		return most
	}
	worth := warmWorth * steps * share
	period := max(1, int64(float64(t.ds.End-t.windows.Start())/worth))
	byTime := float64(t.ds.End/period - last.until/period)
	byTriplets := worth * float64(len(t.ds.Edges)-last.triplets) / float64(len(t.ds.Edges))
	return min(int(max(byTime, byTriplets, 0)), most)
}

// fade takes from the relational score what is lost with so many steps. It begins at nothing: see gnn.NewParams.
func (m *Model) fade(steps int) {
	left := float32(math.Exp(-relationFade * float64(steps)))
	for i, v := range m.params.Get("relation").Value {
		m.params.Get("relation").Value[i] = left * v
	}
}

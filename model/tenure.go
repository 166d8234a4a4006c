package model

import "math"

// tenures tell how long sources and relations have been in a graph, and what that makes of a score.
//
// Which kinds of session are attacks no past can teach: none lies in it. What a graph can tell is how long the parts of
// a session have been there. An intruder brings a machine or a tool of his own, and both are young: his second session
// looks like the habit of a newcomer and his tenth like anybody's, but all of them come on one day. So the decoder's odds
// are multiplied with the chance that a part which came at some moment of the graph's life, all equally likely, came as
// lately as this one did: its age over the age of the graph. Of source and relation the one counts that gives less. A
// destination does not count: servers are put up by those who run the network.
//
// Where newcomers are the rule, on a host that the internet reaches or at a contest, a part's youth says little. There
// the factor is taken to the power k/(k+q), q being the share of newcomers' triplets in a day's.
//
// The decoder does not see the factor while it trains. It would undo it: the newcomers of its windows are benign.
type tenures struct {
	start            int64   // of the graph, unix nanoseconds
	source, relation float32 // the powers
}

const (
	// Longer than this, in nanoseconds, no part is taken to be there, and no graph to be old.
	longTenure = 30 * float64(dayNanos)
	// A part that has just come is taken to be so old: its chance must not be zero, and whether it came one hour ago or
	// three says nothing.
	shortTenure = dayNanos / 4
	// The share of newcomers' triplets at which a factor's logarithm is halved: k above.
	manyNewcomers = 0.2
)

// newTenures finds how usual newcomers are in the second half of what a dataset knows: in the first one everybody is new.
func newTenures(ds *dataset) tenures {
	sp := span{ds.start + (ds.end-ds.start)/2, ds.end + 1}
	var sources, relations, all float64
	for i := range ds.edges {
		e := &ds.edges[i]
		all += e.days(sp)
		if e.first < sp.at {
			continue
		}
		if e.first-ds.sourceSince[e.s] < shortTenure {
			sources++
		}
		if e.first-ds.relationSince[e.r] < shortTenure {
			relations++
		}
	}
	power := func(newcomers float64) float32 {
		return float32(manyNewcomers / (manyNewcomers + newcomers/max(all, 1)))
	}
	return tenures{ds.start, power(sources), power(relations)}
}

// factor is the logarithm of what the odds of an event at the time t are multiplied with, at most 0. Its source and its relation are there
// since those times. All are unix nanoseconds.
func (k *tenures) factor(source, relation, t int64) float32 {
	return min(k.source*k.chance(source, t), k.relation*k.chance(relation, t))
}

// chance is the logarithm of that of a part which is there since a time.
func (k *tenures) chance(since, t int64) float32 {
	age, life := later(since, t), later(k.start, t)
	if age >= life {
		return 0
	}
	return float32(math.Log((age + float64(shortTenure)) / (life + float64(shortTenure))))
}

// later is how much later a time is than another, from nothing to longTenure. As floating point, times centuries apart do not wrap around.
func later(from, to int64) float64 { return min(max(float64(to)-float64(from), 0), longTenure) }

// tenure is the factor of a triplet at the time t; a part that is -1 has just come.
func (ds *dataset) tenure(s, r int32, t int64) float32 {
	source, relation := t, t
	if s >= 0 {
		source = ds.sourceSince[s]
	}
	if r >= 0 {
		relation = ds.relationSince[r]
	}
	return ds.tenures.factor(source, relation, t)
}

package temporal

import "math"

// Tenures tell how long sources and relations have been in a graph, and what that makes of a score.
//
// The model cannot learn which kinds of session are attacks, since there are none in what it learns from. But the graph
// tells how long the parts of a session have been there. An intruder brings a machine or a tool of his own, and both
// are young: his second session looks like a newcomer's habit and his tenth like anybody's, but all of them come on one
// day. So the decoder's odds are multiplied by the chance that a part, arriving at a random moment of the graph's life,
// arrived as lately as this one: its age over the age of the graph. The lower factor counts, the source's or the
// relation's. Destinations have none, because those who run the network put up servers.
//
// Where newcomers are the rule, on a host that the internet reaches or at a contest, youth says little. There the
// factor is raised to the power k/(k+q), where q is the newcomers' share of a day's triplets.
//
// The decoder does not see the factor while it trains. It would learn to undo it, because the newcomers of its windows
// are benign.
type Tenures struct {
	start            int64   // of the graph, unix nanoseconds
	source, relation float32 // the powers
}

const (
	// No age of a part or a graph counts for more than this, in nanoseconds.
	longTenure = 30 * float64(dayNanos)
	// This is added to both ages: the chance of a part that has just come must not be zero, and it says nothing whether
	// a part came one hour ago or three.
	shortTenure = dayNanos / 4
	// The share of newcomers' triplets at which a factor's logarithm is halved: k above.
	manyNewcomers = 0.2
)

// newTenures finds when a graph began, and how usual newcomers are in the second half of its life: in the first one
// everybody is new. The first fiftieth of the triplets does not say when it began: records with a wrong clock may be
// among them.
func newTenures(ds *Dataset) Tenures {
	start := ds.start
	if n := len(ds.Edges); n > 0 {
		start = ds.Edges[n/50].First
	}
	sp := Span{start + (ds.End-start)/2, ds.End + 1}
	var sources, relations, all float64
	for i := range ds.Edges {
		e := &ds.Edges[i]
		all += ds.days(e, sp)
		if e.First < sp.start {
			continue
		}
		if e.First-ds.sourceSince[e.S] < shortTenure {
			sources++
		}
		if e.First-ds.relationSince[e.R] < shortTenure {
			relations++
		}
	}
	power := func(newcomers float64) float32 {
		return float32(manyNewcomers / (manyNewcomers + newcomers/max(all, 1)))
	}
	return Tenures{start, power(sources), power(relations)}
}

// Factor is the logarithm of the factor for an event at the time t, at most 0. source and relation are the times at
// which those first came. All are unix nanoseconds.
func (k *Tenures) Factor(source, relation, t int64) float32 {
	return min(k.source*k.chance(source, t), k.relation*k.chance(relation, t))
}

// chance is the logarithm of the chance that a part came as lately as since.
func (k *Tenures) chance(since, t int64) float32 {
	age, life := later(since, t), later(k.start, t)
	if age >= life {
		return 0
	}
	return float32(math.Log((age + float64(shortTenure)) / (life + float64(shortTenure))))
}

// later is by how much one time is later than another, from 0 to longTenure. It subtracts floating-point numbers, since
// the difference of times centuries apart would overflow an int64.
func later(from, to int64) float64 { return min(max(float64(to)-float64(from), 0), longTenure) }

// tenure is the factor of a triplet at the time t. A part that is -1 has just come.
func (ds *Dataset) tenure(s, r int32, t int64) float32 {
	source, relation := t, t
	if s >= 0 {
		source = ds.sourceSince[s]
	}
	if r >= 0 {
		relation = ds.relationSince[r]
	}
	return ds.Tenures.Factor(source, relation, t)
}

// IgnoreTenure has tenure count for nothing.
func (ds *Dataset) IgnoreTenure() { ds.Tenures.source, ds.Tenures.relation = 0, 0 }

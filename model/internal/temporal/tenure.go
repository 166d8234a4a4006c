package temporal

import (
	"math"
	"math/bits"
)

// Tenures tell how long sources and relations have been in a graph, and what that makes of a score.
//
// The model cannot learn which kinds of session are attacks, since there are none in what it learns from. But the graph
// tells how long the parts of a session have been there. Many an intruder brings a machine or a tool of his own, and
// both are young: his second session looks like a newcomer's habit and his tenth like anybody's, but all of them come on
// one day. So the decoder's odds are divided by a likelihood ratio, of the age of a part among attacks and among benign
// triplets. Benign ages are counted in the graph: where newcomers are the rule, on a host that the internet reaches or
// in a community that grows, youth says little, and in a network where nobody is new it says much. Ages among attacks
// are a guess, see ownShare and dwelling.
//
// A relation that is named like those the source is known by is an upgrade rather than a tool that somebody brought: the
// logarithm of its ratio counts for as much less as the names resemble each other (see Similarity).
//
// A server that connects for the first time is none that an intruder brought, but may be one that he captured. So the ratio
// of a source is the geometric mean of those of its age as a source and of its host's age in either role.
//
// The greater ratio counts, the source's or the relation's. Destinations have none, because those who run the network put
// up servers. No ratio is less than that of the oldest parts, to which all are relative, nor less than that of an older
// part.
//
// The decoder does not see the ratio while it trains. It would learn to undo it, because the newcomers of its windows
// are benign.
type Tenures struct {
	start            int64 // of the graph, unix nanoseconds
	source, relation ageFactors
}

// ageFactors are the logarithms of the factors of odds, by class of age, at most 0.
type ageFactors [ageClasses]float32

const (
	// Class c begins at the age shortTenure * (2^c - 1): 0, 6 and 18 hours, then 2, 4, 8 and 16 days less 6 hours.
	ageClasses  = 7
	shortTenure = dayNanos / 4
	// No age of a part or a graph counts for more than this, in nanoseconds.
	longTenure = 30 * float64(dayNanos)

	// The share of attacks whose source, or relation, the attacker brings. The others use what is there.
	ownShare = 0.4
	// Of the attacks with a part that the attacker brings, each class of age has so many times as many as the one before.
	dwelling = 0.6
	// The share of the benign triplets that is taken to be of parts that arrive at random moments of the graph's life,
	// beside those that were counted: without it, the first newcomer in a network would be infinitely unlikely.
	arriving = 0.2
)

// newTenures finds when a graph began, and how old the parts of its triplets are in the second half of its life: in the
// first one everybody is new. The first fiftieth of the triplets does not say when it began: records with a wrong clock
// may be among them.
func newTenures(ds *Dataset) Tenures {
	start := ds.start
	if n := len(ds.Edges); n > 0 {
		start = ds.Edges[n/50].First
	}
	sp, life := Span{start + (ds.End-start)/2, ds.End + 1}, later(start, ds.End)
	var source, relation [ageClasses]float64
	for i := range ds.Edges {
		e := &ds.Edges[i]
		days := ds.days(e, sp)
		if days == 0 {
			continue
		}
		times, n := ds.timesIn(e, sp)
		for _, t := range times[:n] {
			for _, since := range [2]int64{ds.sourceSince[e.S], ds.hostSince[e.S]} {
				source[ageClass(min(later(since, t), life))] += days / float64(2*n)
			}
			relation[ageClass(min(later(ds.relationSince[e.R], t), life))] += days / float64(n)
		}
	}
	return Tenures{start, newAgeFactors(source, life), newAgeFactors(relation, life)}
}

// timesIn returns the n times at which an edge may first have been active in each of its buckets, as far as these lie
// in a stretch of time.
func (b buckets) timesIn(e *Edge, sp Span) (times [maxBuckets]int64, n int) {
	for left := e.active; left != 0; left &= left - 1 {
		from, to := b.stretch(e, bits.TrailingZeros64(left))
		if from, to = max(from, sp.start), min(to, sp.end-1); from <= to {
			times[n] = from
			n++
		}
	}
	return times, n
}

// newAgeFactors returns the factors for benign triplets of which so many are of each class of age, in a graph of the
// given age in nanoseconds.
func newAgeFactors(benign [ageClasses]float64, life float64) (f ageFactors) {
	oldest := ageClass(life)
	var all, attacks float64
	for c := range oldest + 1 {
		all += benign[c]
		attacks += math.Pow(dwelling, float64(c))
	}
	ratio := func(c int) float64 {
		begin, end := min(ageOf(c), life), life
		if c < oldest {
			end = ageOf(c + 1)
		}
		counted := 0.0
		if all > 0 {
			counted = benign[c] / all
		}
		among := arriving*(end-begin)/max(life, 1) + (1-arriving)*counted
		attack := math.Pow(dwelling, float64(c)) / attacks
		return 1 - ownShare + ownShare*attack/max(among, 1e-4) // among is 0 in a graph of a moment
	}
	last := ratio(oldest)
	highest := math.Inf(-1)
	for c := range oldest + 1 {
		highest = max(highest, min(0, math.Log(last/ratio(c))))
		f[c] = float32(highest)
	}
	return f
}

// ageOf is the age in nanoseconds at which a class begins.
func ageOf(class int) float64 { return float64(shortTenure * (1<<class - 1)) }

// onScale is the place of an age on a scale on which class c lies from c to c+1.
func onScale(age float64) float64 { return math.Log2(age/float64(shortTenure) + 1) }

func ageClass(age float64) int { return min(int(onScale(age)), ageClasses-1) }

// Since are the times, in unix nanoseconds, at which the parts of a triplet first came: its source as a source and in
// either role, and its relation.
type Since struct{ Source, Host, Relation int64 }

// Factor is the logarithm of the factor for an event at the time t, in unix nanoseconds, at most 0. similar is the
// relation's Similarity to those of the source; it counts only where the relation IsYoung.
func (k *Tenures) Factor(since Since, t int64, similar float32) float32 {
	source := k.source.at(k, since.Source, t)
	if since.Host != since.Source {
		source = (source + k.source.at(k, since.Host, t)) / 2
	}
	return min(source, (1-similar)*k.relation.at(k, since.Relation, t))
}

// IsYoung tells whether a relation that first came at a time lowers the odds of an event at the time t.
func (k *Tenures) IsYoung(relation, t int64) bool { return k.relation.at(k, relation, t) < 0 }

// at is the logarithm of the factor of a part that has been there since a time. Between the middles of two classes it
// goes from one's to the other's.
func (f *ageFactors) at(k *Tenures, since, t int64) float32 {
	age := later(since, t)
	if age >= later(k.start, t) {
		return 0
	}
	x := onScale(age) - 0.5
	switch {
	case x <= 0:
		return f[0]
	case x >= ageClasses-1:
		return f[ageClasses-1]
	}
	i := int(x)
	share := float32(x) - float32(i)
	return f[i]*(1-share) + f[i+1]*share
}

// later is by how much one time is later than another, from 0 to longTenure. It subtracts floating-point numbers, since
// the difference of times centuries apart would overflow an int64.
func later(from, to int64) float64 { return min(max(float64(to)-float64(from), 0), longTenure) }

// tenure is the factor of a triplet at the time t. A part that is -1 has just come. similar is the relation's Similarity to
// those of the source.
func (ds *Dataset) tenure(s, r int32, t int64, similar float32) float32 {
	since := Since{t, t, t}
	if s >= 0 {
		since.Source, since.Host = ds.sourceSince[s], ds.hostSince[s]
	}
	if r >= 0 {
		since.Relation = ds.relationSince[r]
	}
	return ds.Tenures.Factor(since, t, similar)
}

// IgnoreTenure has tenure count for nothing.
func (ds *Dataset) IgnoreTenure() {
	ds.Tenures.source, ds.Tenures.relation = ageFactors{}, ageFactors{}
}

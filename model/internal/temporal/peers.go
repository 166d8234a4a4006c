package temporal

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// HostFeatures tells what is known of hosts beside their sessions: networks, roles, sites. Hosts
// that have a feature in common are peers, and what a host's peers do says something about it:
// above all of one that was never seen before. Its methods must be safe for many goroutines.
type HostFeatures interface {
	// Kinds names the kinds of features. A model that was trained with other kinds is no start for a training.
	Kinds() []string
	// Most is how many features a host has at most. A name that is joined of several may have some of a kind.
	Most() int
	// Append appends the features of a host, each a hash of its kind and its value, at most
	// MaxFeatures of them.
	Append(dst []uint64, host []byte) []uint64
	// Known tells whether there is more known of a host than its name says.
	Known(host []byte) bool
}

// MaxFeatures is how many features of a host count.
const MaxFeatures = 16

// Peers holds the features of a dataset's hosts. Hosts that share a feature are peers. The tables number the
// pairs in which peers meet other hosts and use relations, and those of groups that met.
type Peers struct {
	Features            HostFeatures
	numbers             map[uint64]int32 // of the features that some host of the dataset has
	Source, Destination FeatureLists     // by row
	toD                 *num.Pairs       // (feature of a source, destination row)
	fromS               *num.Pairs       // (source row, feature of a destination)
	useR                *num.Pairs       // (feature of a source, relation)
	groups              *num.Pairs       // (group of a source, group of a destination)
	rows                []int32          // sources and destinations that have a feature, by its number
}

// FeatureLists are the features of each row, as numbers.
type FeatureLists struct{ start, list []int32 }

// Of returns the numbers of a row's features.
func (l *FeatureLists) Of(row int32) []int32 { return l.list[l.start[row]:l.start[row+1]] }

// CountFeatured returns of how many hosts of a snapshot more is known than their names say.
func CountFeatured(snap *graphbuf.Snapshot, of HostFeatures) (n int) {
	if of == nil {
		return 0
	}
	for i := range snap.Nodes {
		if of.Known([]byte(snap.Nodes[i].Name)) {
			n++
		}
	}
	return n
}

// newPeers numbers the features and the pairs of a dataset whose edges have their numbers. It
// returns nil where hosts have no features.
func newPeers(ds *Dataset, snap *graphbuf.Snapshot, of HostFeatures) *Peers {
	if of == nil {
		return nil
	}
	p := &Peers{Features: of, numbers: map[uint64]int32{}}
	gather := func(side []int32) (l FeatureLists) {
		l.start = make([]int32, 1, len(side)+1)
		var hashes []uint64
		for _, node := range side {
			hashes = of.Append(hashes[:0], []byte(snap.Nodes[node].Name))
			for _, h := range hashes[:min(len(hashes), MaxFeatures)] {
				n, ok := p.numbers[h]
				if !ok {
					n = int32(len(p.numbers))
					p.numbers[h] = n
				}
				l.list = append(l.list, n)
			}
			l.start = append(l.start, int32(len(l.list)))
		}
		return l
	}
	p.Source, p.Destination = gather(ds.Sources), gather(ds.Destinations)
	if len(p.numbers) == 0 {
		return nil
	}
	p.rows = make([]int32, len(p.numbers))
	for _, l := range []*FeatureLists{&p.Source, &p.Destination} {
		for _, g := range l.list {
			p.rows[g]++
		}
	}
	var pairs, toD, fromS, useR int
	p.eachPair(ds, func(e *Edge) {
		pairs++
		toD += len(p.Source.Of(e.S))
		fromS += len(p.Destination.Of(e.D))
	}, func(e *Edge) { useR += len(p.Source.Of(e.S)) })
	p.toD, p.fromS, p.useR = num.NewPairs(toD), num.NewPairs(fromS), num.NewPairs(useR)
	p.groups = num.NewPairs(pairs)
	p.eachPair(ds, func(e *Edge) {
		for _, g := range p.Source.Of(e.S) {
			p.toD.Add(g, e.D)
		}
		for _, g := range p.Destination.Of(e.D) {
			p.fromS.Add(e.S, g)
		}
		if s, d := p.group(p.Source.Of(e.S)), p.group(p.Destination.Of(e.D)); s >= 0 && d >= 0 {
			p.groups.Add(s, d)
		}
	}, func(e *Edge) {
		for _, g := range p.Source.Of(e.S) {
			p.useR.Add(g, e.R)
		}
	})
	return p
}

// leastGroup is how many rows have the feature of a group at least. A host in both roles has two.
const leastGroup = 3

// group returns the group of a host with the given features: the feature that the fewest rows have, among those that
// leastGroup have, or -1 where there is none. A team's own network tells whom a host works with, and a wide one that most
// hosts are in does not.
func (p *Peers) group(features []int32) int32 {
	group, least := int32(-1), int32(math.MaxInt32)
	for _, g := range features {
		if g < 0 {
			continue
		}
		if n := p.rows[g]; n >= leastGroup && n < least {
			group, least = g, n
		}
	}
	return group
}

// SourceGroup returns which of the features of a source the fewest others have as sources, of those that leastGroup have at
// least: its place among them, or -1. sources is how many others have it, and toD how many of these are in a pair with
// destination d, which may be -1.
func (p *Peers) SourceGroup(m *Cooccurrence, features []int32, d int32, own Own) (place, sources, toD int) {
	others := func(count float32, itself bool) int {
		if itself {
			count--
		}
		return max(0, int(count))
	}
	place = -1
	for i, g := range features {
		if g < 0 {
			continue
		}
		if n := others(m.sources[g], own.S); n >= leastGroup && (place < 0 || n < sources) {
			place, sources, toD = i, n, 0
			if pair := p.toD.Find(g, d); pair >= 0 {
				toD = others(m.toD[pair], own.SD)
			}
		}
	}
	return place, sources, toD
}

// eachPair calls sd with one edge of each pair of source and destination, and sr with one of each
// pair of source and relation.
func (p *Peers) eachPair(ds *Dataset, sd, sr func(e *Edge)) {
	for i := range ds.Edges {
		e := &ds.Edges[i]
		if e.firstSD {
			sd(e)
		}
		if e.firstSR {
			sr(e)
		}
	}
}

// Find appends the numbers of features, -1 for one that no host of the dataset has: nobody shares it.
func (p *Peers) Find(dst []int32, hashes []uint64) []int32 {
	for _, h := range hashes[:min(len(hashes), MaxFeatures)] {
		n, ok := p.numbers[h]
		if !ok {
			n = -1
		}
		dst = append(dst, n)
	}
	return dst
}

// Cooccurrence is, at one moment and by number of a pair, how many hosts with the feature are in the pair; by number of a
// pair of groups, how many pairs of their hosts met; and by number of a feature, how many hosts that are active have it,
// in each of the two roles.
type Cooccurrence struct {
	toD, fromS, useR      []float32
	groups                []float32
	sources, destinations []float32
}

func (p *Peers) newCooccurrence() *Cooccurrence {
	return &Cooccurrence{
		make([]float32, p.toD.Len), make([]float32, p.fromS.Len), make([]float32, p.useR.Len),
		make([]float32, p.groups.Len),
		make([]float32, len(p.numbers)), make([]float32, len(p.numbers)),
	}
}

// addSource counts a source that has become active, addDestination a destination.
func (m *Cooccurrence) addSource(p *Peers, s int32) { addEach(m.sources, p.Source.Of(s)) }

func (m *Cooccurrence) addDestination(p *Peers, d int32) {
	addEach(m.destinations, p.Destination.Of(d))
}

func addEach(counts []float32, features []int32) {
	for _, g := range features {
		counts[g]++
	}
}

// addPair counts a pair of source and destination.
func (m *Cooccurrence) addPair(p *Peers, s, d int32) {
	for _, g := range p.Source.Of(s) {
		m.toD[p.toD.Find(g, d)]++
	}
	for _, g := range p.Destination.Of(d) {
		m.fromS[p.fromS.Find(s, g)]++
	}
	if i := p.groups.Find(p.group(p.Source.Of(s)), p.group(p.Destination.Of(d))); i >= 0 {
		m.groups[i]++
	}
}

// addUse counts a pair of source and relation.
func (m *Cooccurrence) addUse(p *Peers, s, r int32) {
	for _, g := range p.Source.Of(s) {
		m.useR[p.useR.Find(g, r)]++
	}
}

// Own says which parts of a triplet are among those counted: its pairs of source and destination and of source and
// relation, its source, and its destination. A host is no peer of its own, so these are left out.
type Own struct{ SD, SR, S, D bool }

// AddCounts fills in the counts of peers for a triplet. of are the features of its source and to those of its
// destination, as Find and FeatureLists return them.
func (p *Peers) AddCounts(f *Counts, m *Cooccurrence, of, to []int32, s, r, d int32, own Own) {
	itself := func(g int32) int32 { return g }
	f[PeersToD] = geometricMean(of, own.SD, func(g int32) int32 { return p.toD.Find(g, d) }, m.toD)
	f[ToPeersOfD] = geometricMean(to, own.SD, func(g int32) int32 { return p.fromS.Find(s, g) }, m.fromS)
	f[PeersUseR] = geometricMean(of, own.SR, func(g int32) int32 { return p.useR.Find(g, r) }, m.useR)
	f[PeersOfS] = geometricMean(of, own.S, itself, m.sources)
	f[PeersOfD] = geometricMean(to, own.D, itself, m.destinations)
	f[GroupsMet] = 0
	if i := p.groups.Find(p.group(of), p.group(to)); i >= 0 {
		f[GroupsMet] = m.groups[i]
		if own.SD {
			f[GroupsMet] = max(0, f[GroupsMet]-1)
		}
	}
}

// geometricMean is the geometric mean of 1 + count over some features, less one. The count of a feature that is -1, or of
// which find finds nothing, is 0.
func geometricMean(features []int32, own bool, find func(feature int32) int32, counts []float32) float32 {
	if len(features) == 0 {
		return 0
	}
	var sum float64
	for _, g := range features {
		if g < 0 {
			continue
		}
		if i := find(g); i >= 0 {
			n := float64(counts[i])
			if own {
				n = max(0, n-1)
			}
			sum += math.Log1p(n)
		}
	}
	return float32(math.Expm1(sum / float64(len(features))))
}

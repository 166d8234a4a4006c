package model

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// NodeFeatures tells what is known of hosts beside their sessions: networks, roles, sites. Hosts
// that have a feature in common are peers, and what a host's peers do says something about it:
// above all of one that was never seen before. Its methods must be safe for many goroutines.
type NodeFeatures interface {
	// Kinds names the kinds of features. A model that was trained with other kinds is no start for a training.
	Kinds() []string
	// Append appends the features of a host, each a hash of its kind and its value, at most
	// MaxFeatures of them.
	Append(dst []uint64, host []byte) []uint64
}

// MaxFeatures is how many features of a host count.
const MaxFeatures = 16

// peers are the features of a dataset's hosts, and numbers for the pairs in which hosts that
// share one meet others.
type peers struct {
	of                  NodeFeatures
	numbers             map[uint64]int32 // of the features that some host of the dataset has
	source, destination featureLists     // by row
	toD                 *num.Pairs       // (feature of a source, destination row)
	fromS               *num.Pairs       // (source row, feature of a destination)
	useR                *num.Pairs       // (feature of a source, relation)
}

// featureLists are the features of each row, as numbers.
type featureLists struct{ start, list []int32 }

func (l *featureLists) of(Row int32) []int32 { return l.list[l.start[Row]:l.start[Row+1]] }

// featured is how many hosts of a snapshot have a feature.
func featured(snap *graphbuf.Snapshot, of NodeFeatures) (n int) {
	if of == nil {
		return 0
	}
	var hashes []uint64
	for i := range snap.Nodes {
		if hashes = of.Append(hashes[:0], []byte(snap.Nodes[i].Name)); len(hashes) > 0 {
			n++
		}
	}
	return n
}

// newPeers numbers the features and the pairs of a dataset whose edges have their numbers. It
// returns nil where hosts have no features.
func newPeers(ds *dataset, snap *graphbuf.Snapshot, of NodeFeatures) *peers {
	if of == nil {
		return nil
	}
	p := &peers{of: of, numbers: map[uint64]int32{}}
	gather := func(side []int32) (l featureLists) {
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
	p.source, p.destination = gather(ds.sources), gather(ds.destinations)
	var toD, fromS, useR int
	p.eachPair(ds, func(e *dataEdge) {
		toD += len(p.source.of(e.s))
		fromS += len(p.destination.of(e.d))
	}, func(e *dataEdge) { useR += len(p.source.of(e.s)) })
	p.toD, p.fromS, p.useR = num.NewPairs(toD), num.NewPairs(fromS), num.NewPairs(useR)
	p.eachPair(ds, func(e *dataEdge) {
		for _, g := range p.source.of(e.s) {
			p.toD.Add(g, e.d)
		}
		for _, g := range p.destination.of(e.d) {
			p.fromS.Add(e.s, g)
		}
	}, func(e *dataEdge) {
		for _, g := range p.source.of(e.s) {
			p.useR.Add(g, e.r)
		}
	})
	return p
}

// eachPair calls sd with one edge of each pair of source and destination, and sr with one of each
// pair of source and relation.
func (p *peers) eachPair(ds *dataset, sd, sr func(e *dataEdge)) {
	seenSD, seenSR := make([]bool, ds.sdN), make([]bool, ds.srN)
	for i := range ds.edges {
		e := &ds.edges[i]
		if !seenSD[e.sd] {
			seenSD[e.sd] = true
			sd(e)
		}
		if !seenSR[e.sr] {
			seenSR[e.sr] = true
			sr(e)
		}
	}
}

// find appends the numbers of features, as far as the dataset knows them.
func (p *peers) find(dst []int32, hashes []uint64) []int32 {
	for _, h := range hashes[:min(len(hashes), MaxFeatures)] {
		if n, ok := p.numbers[h]; ok {
			dst = append(dst, n)
		}
	}
	return dst
}

// met is, at one moment and by number of a pair, how many hosts with the feature are in it.
type met struct{ toD, fromS, useR []float32 }

func (p *peers) newMet() *met {
	return &met{make([]float32, p.toD.Len), make([]float32, p.fromS.Len), make([]float32, p.useR.Len)}
}

// pair counts a pair of source and destination.
func (m *met) pair(p *peers, s, d int32) {
	for _, g := range p.source.of(s) {
		m.toD[p.toD.Find(g, d)]++
	}
	for _, g := range p.destination.of(d) {
		m.fromS[p.fromS.Find(s, g)]++
	}
}

// use counts a pair of source and relation.
func (m *met) use(p *peers, s, r int32) {
	for _, g := range p.source.of(s) {
		m.useR[p.useR.Find(g, r)]++
	}
}

// facts adds those of a triplet whose source has the features of, and its destination to. ownSD
// and ownSR say whether the pair itself is among those that were counted.
func (p *peers) facts(f *facts, m *met, of, to []int32, s, r, d int32, ownSD, ownSR bool) {
	f[factPeersToD] = average(of, ownSD, func(g int32) int32 { return p.toD.Find(g, d) }, m.toD)
	f[factToPeersOfD] = average(to, ownSD, func(g int32) int32 { return p.fromS.Find(s, g) }, m.fromS)
	f[factPeersUseR] = average(of, ownSR, func(g int32) int32 { return p.useR.Find(g, r) }, m.useR)
}

// average is the geometric mean of 1 + count over some features, less one.
func average(features []int32, own bool, find func(feature int32) int32, counts []float32) float32 {
	if len(features) == 0 {
		return 0
	}
	var sum float64
	for _, g := range features {
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

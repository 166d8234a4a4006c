package model

import (
	"unsafe"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// How much memory the parts of this package take, in bytes. Bytes for each edge that are not spelt out were
// measured; the tests of trainings of many sizes hold them to what those take.

// tripletBytes is what a triplet of a batch takes.
const tripletBytes = int64(unsafe.Sizeof(facts{}) + unsafe.Sizeof(near{}) + 6*4)

// datasetBytes is what a dataset takes, without features.
func datasetBytes(s graphbuf.Sizes) int64 {
	const (
		lookups  = 4
		arrivals = 8 + 8 + 4 // when sources met destinations and relations, and which
		seen     = 2         // which pairs were met, while it is made
		Row      = 96        // for each row: numbers both ways, where its arrivals begin, since when it is there; lists that grow by doubling
	)
	edges := int64(s.Edges)
	return edges*(int64(unsafe.Sizeof(dataEdge{}))+arrivals+seen) + lookups*num.PairsBytes(s.Edges) + int64(s.Sources+s.Destinations)*Row
}

// orderBytes is what newOrders takes: two orders, and what sorting one takes.
func orderBytes(s graphbuf.Sizes) int64 { return int64(s.Edges) * 16 }

// windowBytes is what a window takes, with its cut, its messages and what is new in it.
func windowBytes(s graphbuf.Sizes) int64 {
	const edge, Row = 84, 64
	return int64(s.Edges)*edge + int64(s.Sources+s.Destinations)*Row
}

// featureBytes is what features of hosts add: look-ups of three kinds of pairs, and a count of each in a window.
func featureBytes(s graphbuf.Sizes, features NodeFeatures, windows int64) int64 {
	if features == nil {
		return 0
	}
	return int64(s.Edges) * int64(min(len(features.Kinds()), MaxFeatures)) * 3 * (36 + 4*windows)
}

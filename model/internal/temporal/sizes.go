package temporal

import (
	"unsafe"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// How much memory the parts of this package take, in bytes. Bytes for each edge that are not spelt out were
// measured; the tests of trainings of many sizes hold them to what those take.

// TripletBytes is the size of one triplet in a batch.
const TripletBytes = int64(unsafe.Sizeof(Counts{}) + unsafe.Sizeof(Neighbours{}) + 6*4)

// DatasetBytes is what a dataset takes, without features.
func DatasetBytes(s graphbuf.Sizes) int64 {
	const (
		lookups    = 4
		eventTimes = 8 + 8 + 4 // when sources met destinations and relations, and which
		row        = 96        // for each row: numbers both ways, where its arrivals begin, since when it is there; lists that grow by doubling
	)
	edges := int64(s.Edges)
	return edges*(int64(unsafe.Sizeof(Edge{}))+eventTimes) + lookups*num.PairsBytes(s.Edges) + int64(s.Sources+s.Destinations)*row
}

// OrderBytes is what NewOrders takes: two orders, and what sorting one takes.
func OrderBytes(s graphbuf.Sizes) int64 {
	return int64(s.Edges) * (2*int64(unsafe.Sizeof(listed{})) + 12)
}

// WindowBytes is what a window takes, with its cut, its messages and what is new in it.
func WindowBytes(s graphbuf.Sizes) int64 {
	const edge, row = 100, 68
	return int64(s.Edges)*edge + int64(s.Sources+s.Destinations)*row
}

// FeatureBytes is what features of hosts add: look-ups of three kinds of pairs for each feature that a host may have and of
// one for groups, and a count of each in a window. Beside these the features' own numbers and counts are few.
func FeatureBytes(s graphbuf.Sizes, features HostFeatures, windows int64) int64 {
	if features == nil {
		return 0
	}
	return int64(s.Edges) * int64(3*min(features.Most(), MaxFeatures)+1) * (36 + 4*windows)
}

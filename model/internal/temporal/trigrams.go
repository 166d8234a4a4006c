package temporal

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// Trigrams compares relations by their names. A client's upgrade changes a few characters
// of its banner, another tool changes most of them; where relations are not banners, the
// similarity says little and the decoder learns to leave it alone.
//
// A name is the set of its three-character pieces, each weighted by how few of the known
// relations have it, hashed to trigramDim signed sums and scaled to length one.
type Trigrams struct {
	vectors   []float32 // [relations][trigramDim]
	documents []float32 // by hash of a piece: how many relations have it
	total     float32
}

const (
	trigramDim   = 64
	trigramCells = 1 << 12 // of documents; pieces that collide share their weight
	maxTrigrams  = 64      // of a name: banners are shorter
)

// NameVector is one name's row.
type NameVector [trigramDim]float32

func newTrigrams(relations []graphbuf.Name) *Trigrams {
	b := &Trigrams{
		vectors:   make([]float32, len(relations)*trigramDim),
		documents: make([]float32, trigramCells),
		total:     float32(len(relations)),
	}
	last := make([]int, trigramCells) // the relation that a cell has counted last, so that each counts once
	for i, r := range relations {
		eachTrigram([]byte(r.Name), func(h uint32) {
			if c := h % trigramCells; last[c] != i+1 {
				last[c] = i + 1
				b.documents[c]++
			}
		})
	}
	for i, r := range relations {
		v := b.Vector([]byte(r.Name))
		copy(b.vectors[i*trigramDim:], v[:])
	}
	return b
}

// eachTrigram calls do with the hash of each three characters in a row.
func eachTrigram(name []byte, do func(hash uint32)) {
	if len(name) < 3 {
		var short [3]byte
		copy(short[:], name)
		name = short[:]
	}
	name = name[:min(len(name), maxTrigrams+2)]
	for i := 0; i+3 <= len(name); i++ {
		h := uint32(2166136261) // FNV-1a
		for _, c := range name[i : i+3] {
			h = (h ^ uint32(c)) * 16777619
		}
		do(h ^ h>>15)
	}
}

// Vector is the row of a name that need not be among the relations.
func (b *Trigrams) Vector(name []byte) (v NameVector) {
	var length float64
	eachTrigram(name, func(h uint32) {
		weight := float32(math.Log(float64((1 + b.total) / (0.5 + b.documents[h%trigramCells]))))
		if h>>31 == 0 {
			weight = -weight
		}
		v[h>>20%trigramDim] += weight
	})
	for _, x := range v {
		length += float64(x * x)
	}
	if length > 0 {
		inv := float32(1 / math.Sqrt(length))
		for i := range v {
			v[i] *= inv
		}
	}
	return v
}

// Row is the row of relation r, of length trigramDim.
func (b *Trigrams) Row(r int32) []float32 { return b.vectors[int(r)*trigramDim:][:trigramDim] }

// RelationTimes are the relations of each source row and when the source first used them.
type RelationTimes struct {
	eventTimes
	settled int64 // nanoseconds after which a relation of a source vouches for others, and for itself
}

// A source's relation settles within a day, or within a tenth of the history where that is
// short. Until then it may be the tool of an intruder who came this morning.
const (
	maxSettled   = 24 * 3600e9
	settledShare = 10
)

// maxCompared bounds the relations of a source that a name is compared with.
const maxCompared = 16

// SettledBy returns how many relations of source s had settled by the time t.
func (x *RelationTimes) SettledBy(s int32, t int64) int {
	t -= x.settled
	if from, to := x.start[s], x.start[s+1]; to > from && x.times[to-1] < t { // usually all have
		return int(to - from)
	}
	return int(x.before(s, t))
}

// Similarity is the largest cosine of a name's vector with those of the relations of source s that had settled
// by the time t. It is 0 when there are none or all cosines are negative.
func (x *RelationTimes) Similarity(b *Trigrams, v []float32, s int32, t int64) (most float32) {
	from := x.start[s]
	n := int32(x.SettledBy(s, t))
	for _, r := range x.other[from+max(0, n-maxCompared) : from+n] {
		most = max(most, num.Dot(v, b.Row(r)))
	}
	return min(most, 1)
}

package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"flb-filter-rgcn/model/internal/gnn"
)

// layout is the version of the format. It goes up when the same sizes of parameters mean something else.
const layout = 7

// A model's bytes are the length of a JSON header as an unsigned varint, the header, and
// the float32 values and moments of every parameter in the header's order, little-endian.

type header struct {
	Layout    int
	Trained   time.Time
	Threshold float32
	Quality   float64
	Dim       int
	Decoder   string
	Layer1    string
	Layer2    string
	Relations [][]byte // names are bytes, not always text
	Features  []string `json:",omitempty"` // kinds of the hosts' features
	Scaling   gnn.Scaling
	Step      int
	Passes    int
	Until     int64 `json:",omitempty"`
	Triplets  int   `json:",omitempty"`
	// Of the data that Scaling was measured on.
	MeasuredUntil    int64 `json:",omitempty"`
	MeasuredTriplets int   `json:",omitempty"`
	// What the threshold is made of: scores and weights by turns.
	HeldOut []float32
	Days    float64
	Even    float32
	Settled bool
	// Of the reference objective: the names of its embeddings, mean and deviation of its scores.
	Objective string   `json:",omitempty"`
	Nodes     [][]byte `json:",omitempty"`
	Mean, SD  float64  `json:",omitempty"`
}

// AppendBinary implements encoding.BinaryAppender.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	h := header{
		Layout: layout, Trained: m.Trained.UTC(), Threshold: m.Threshold, Quality: m.Quality,
		Dim: m.dim, Decoder: m.decoderKind, Layer1: m.layer1, Layer2: m.layer2,
		Features: m.features, Scaling: m.scaling, Step: m.params.Steps, Passes: m.params.Passes, Until: m.until, Triplets: m.triplets,
		MeasuredUntil: m.measured.until, MeasuredTriplets: m.measured.triplets,
	}
	for _, r := range m.relations {
		h.Relations = append(h.Relations, []byte(r))
	}
	for _, s := range m.heldOut.Scores {
		h.HeldOut = append(h.HeldOut, s.Score, s.Weight)
	}
	h.Days, h.Even, h.Settled = m.heldOut.Days, m.heldOut.Even, m.heldOut.Settled
	if r := m.reference; r != nil {
		h.Objective, h.Mean, h.SD = ReferenceGoal, r.Mean, r.SD
		for _, n := range m.nodes {
			h.Nodes = append(h.Nodes, []byte(n))
		}
	}
	js, err := json.Marshal(h)
	if err != nil {
		return b, fmt.Errorf("model: encode: %w", err)
	}
	// Room for all of it at once: a slice that grows is held twice while it is copied.
	b = slices.Grow(b, binary.MaxVarintLen64+len(js)+m.valueBytes())
	b = binary.AppendUvarint(b, uint64(len(js)))
	b = append(b, js...)
	for _, x := range m.values() {
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b, nil
}

// values are those of all parameters, in the header's order.
func (m *Model) values() (all [][]float32) {
	for _, p := range m.params.List {
		all = append(all, p.Value, p.Mean, p.Square)
	}
	if r := m.reference; r != nil {
		all = append(all, r.Nodes, r.Relations)
	}
	return all
}

// valueBytes is how many bytes the values take.
func (m *Model) valueBytes() (n int) {
	for _, x := range m.values() {
		n += float * len(x)
	}
	return n
}

// SavingBytes is about what AppendBinary takes, its bytes included.
func (m *Model) SavingBytes() int64 {
	const (
		number = 12 // bytes of a held-out one as text
		name   = 32 // what a name takes beside its bytes: quotes, a slice of it
		copies = 5  // of the header: as values, as text that grows, and as bytes
	)
	header := len(m.heldOut.Scores) * 2 * number
	for _, names := range [][]string{m.relations, m.nodes} {
		for _, n := range names {
			header += len(n)*4/3 + name
		}
	}
	return int64(m.valueBytes()) + int64(copies*header) + 64<<10
}

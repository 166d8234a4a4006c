package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
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
	b = binary.AppendUvarint(b, uint64(len(js)))
	b = append(b, js...)
	var values [][]float32
	for _, p := range m.params.List {
		values = append(values, p.Value, p.Mean, p.Square)
	}
	if r := m.reference; r != nil {
		values = append(values, r.Nodes, r.Relations)
	}
	for _, x := range values {
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b, nil
}

package model

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/ranking"
)

// layout goes up when the same sizes of parameters mean something else.
const layout = 3

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
	// What the threshold is made of: scores and weights by turns.
	HeldOut []float32
	Days    float64
	Even    float32
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
		Features: m.features, Scaling: m.scaling, Step: m.params.Steps, Passes: m.params.Passes,
	}
	for _, r := range m.relations {
		h.Relations = append(h.Relations, []byte(r))
	}
	for _, s := range m.heldOut.Scores {
		h.HeldOut = append(h.HeldOut, s.Score, s.Weight)
	}
	h.Days, h.Even = m.heldOut.Days, m.heldOut.Even
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

// UnmarshalBinary implements encoding.BinaryUnmarshaler. It refuses whatever AppendBinary
// could not have written, numbers that are none included.
func (m *Model) UnmarshalBinary(b []byte) error {
	fail := func(format string, a ...any) error { return fmt.Errorf("model: decode: "+format, a...) }
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return fail("ends in the middle of its header")
	}
	var h header
	if err := json.Unmarshal(b[size:size+int(n)], &h); err != nil {
		return fail("header: %w", err)
	}
	if h.Layout != layout {
		return fail("parameters of layout %d, this version reads %d; the next training makes a new model", h.Layout, layout)
	}
	b = b[size+int(n):]
	cfg := DefaultConfig()
	cfg.Dim, cfg.Decoder, cfg.Layer1, cfg.Layer2 = h.Dim, h.Decoder, h.Layer1, h.Layer2
	if h.Dim == 0 {
		return fail("header: no dimension")
	}
	if err := cfg.Validate(); err != nil {
		return fail("header: %w", err)
	}
	for _, v := range h.Scaling.Inv {
		if v <= 0 {
			return fail("header: a scaling of %v, allowed are numbers above 0", v)
		}
	}
	if h.Step < 0 || h.Passes < 0 || len(h.HeldOut)%2 != 0 {
		return fail("header: step %d, pass %d, %d held-out numbers", h.Step, h.Passes, len(h.HeldOut))
	}
	total := 0.0
	for i := 0; i < len(h.HeldOut); i += 2 {
		score, weight := h.HeldOut[i], h.HeldOut[i+1]
		if score < 0 || score > 1 || weight < 0 {
			return fail("header: a held-out score of %v with the weight %v, allowed are 0 to 1 and 0 and more", score, weight)
		}
		total += float64(weight)
	}
	if total <= 0 {
		return fail("header: %d held-out numbers without weight, so that no threshold comes of them", len(h.HeldOut))
	}
	if h.Days < 0 {
		return fail("header: %v days of held-out scores", h.Days)
	}
	// Sizes before memory: no header makes this ask for more than its file is long.
	want := 0
	isReference := h.Objective == ReferenceGoal
	if isReference {
		want = 4 * h.Dim * (len(h.Nodes) + len(h.Relations))
	} else {
		for _, p := range gnn.Layout(cfg.network(), len(h.Relations)) {
			want += 3 * 4 * p.Rows * p.Cols
		}
	}
	if len(b) != want {
		return fail("%d bytes of parameters, %d relations of dimension %d have %d", len(b), len(h.Relations), h.Dim, want)
	}
	out := &Model{
		Threshold: h.Threshold, Quality: h.Quality,
		dim: h.Dim, decoderKind: h.Decoder, layer1: h.Layer1, layer2: h.Layer2, scaling: h.Scaling, features: h.Features,
	}
	out.heldOut = ranking.HeldOut{Days: h.Days, Even: h.Even}
	for i := 0; i < len(h.HeldOut); i += 2 {
		out.heldOut.Scores = append(out.heldOut.Scores, ranking.Weighted{Score: h.HeldOut[i], Weight: h.HeldOut[i+1]})
	}
	out.SetTrained(h.Trained)
	for _, r := range h.Relations {
		out.relations = append(out.relations, string(r))
	}
	read := func(name string, x []float32) error {
		for i := range x {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b))
			b = b[4:]
			if d := x[i] - x[i]; d != 0 {
				return fail("parameter %s has the value %v", name, x[i])
			}
		}
		return nil
	}
	if isReference {
		r := &baseline.Model{Dim: h.Dim, Decoder: h.Decoder, Mean: h.Mean, SD: h.SD,
			Nodes: make([]float32, h.Dim*len(h.Nodes)), Relations: make([]float32, h.Dim*len(h.Relations))}
		out.params, out.reference = &optim.Params{}, r
		for _, n := range h.Nodes {
			out.nodes = append(out.nodes, string(n))
		}
		if err := errors.Join(read("embedding", r.Nodes), read("relation", r.Relations)); err != nil {
			return err
		}
	} else {
		out.params = gnn.NewParams(cfg.network(), len(h.Relations))
		out.params.Steps, out.params.Passes = h.Step, h.Passes
		for _, p := range out.params.List {
			for _, x := range [][]float32{p.Value, p.Mean, p.Square} {
				if err := read(p.Name, x); err != nil {
					return err
				}
			}
		}
	}
	*m = *out
	return nil
}

package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"flb-filter-rgcn/model/baseline"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/ranking"
)

// UnmarshalBinary implements encoding.BinaryUnmarshaler. It refuses bytes that are no
// model: shapes that no Config has, lengths that do not fit, and values that are not finite.
func (m *Model) UnmarshalBinary(b []byte) error {
	h, values, err := decodeHeader(b)
	if err != nil {
		return err
	}
	if err := h.validate(); err != nil {
		return err
	}
	// Sizes before memory: no header makes this ask for more than its file is long.
	if want := h.valueBytes(); len(values) != want {
		return decodeError("%d bytes of parameters, %d relations of dimension %d have %d", len(values), len(h.Relations), h.Dim, want)
	}
	out := h.model()
	in := valueReader{values}
	if r := out.reference; r != nil {
		err = in.read([]namedValues{{"embedding", r.Nodes}, {"relation", r.Relations}})
	} else {
		for _, p := range out.params.List {
			if err = in.read([]namedValues{{p.Name, p.Value}, {p.Name, p.Mean}, {p.Name, p.Square}}); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	*m = *out
	return nil
}

func decodeError(format string, a ...any) error { return fmt.Errorf("model: decode: "+format, a...) }

// decodeHeader splits a model's bytes into its header and the values of its parameters.
func decodeHeader(b []byte) (h header, values []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return h, nil, decodeError("ends in the middle of its header")
	}
	if err := json.Unmarshal(b[size:size+int(n)], &h); err != nil {
		return h, nil, decodeError("header: %w", err)
	}
	if h.Layout != layout {
		return h, nil, decodeError("parameters of layout %d, this version reads %d; the next training makes a new model", h.Layout, layout)
	}
	return h, b[size+int(n):], nil
}

// config returns the part of a Config that gives the network its shape.
func (h *header) config() Config {
	cfg := DefaultConfig()
	cfg.Dim, cfg.Decoder, cfg.Layer1, cfg.Layer2 = h.Dim, h.Decoder, h.Layer1, h.Layer2
	return cfg
}

// validate returns the first thing in the header that AppendBinary does not write.
func (h *header) validate() error {
	if h.Dim == 0 {
		return decodeError("header: no dimension")
	}
	if err := h.config().Validate(); err != nil {
		return decodeError("header: %w", err)
	}
	for _, v := range h.Scaling.Inv {
		if v <= 0 {
			return decodeError("header: a scaling of %v, allowed are numbers above 0", v)
		}
	}
	if h.Step < 0 || h.Passes < 0 || len(h.HeldOut)%2 != 0 {
		return decodeError("header: step %d, pass %d, %d held-out numbers", h.Step, h.Passes, len(h.HeldOut))
	}
	total := 0.0
	for i := 0; i < len(h.HeldOut); i += 2 {
		score, weight := h.HeldOut[i], h.HeldOut[i+1]
		if score < 0 || score > 1 || weight < 0 {
			return decodeError("header: a held-out score of %v with the weight %v, allowed are 0 to 1 and 0 and more", score, weight)
		}
		total += float64(weight)
	}
	if total <= 0 {
		return decodeError("header: %d held-out numbers without weight, so that no threshold comes of them", len(h.HeldOut))
	}
	if h.Days < 0 {
		return decodeError("header: %v days of held-out scores", h.Days)
	}
	return nil
}

// valueBytes returns how many bytes the values of the parameters take.
func (h *header) valueBytes() (n int) {
	if h.Objective == ReferenceGoal {
		return 4 * h.Dim * (len(h.Nodes) + len(h.Relations))
	}
	for _, p := range gnn.Layout(h.config().network(), len(h.Relations)) {
		n += 3 * 4 * p.Rows * p.Cols
	}
	return n
}

// model returns the model of the header, whose values are still to be read.
func (h *header) model() *Model {
	m := &Model{
		Threshold: h.Threshold, Quality: h.Quality, heldOut: ranking.HeldOut{Days: h.Days, Even: h.Even, Settled: h.Settled},
		dim: h.Dim, decoderKind: h.Decoder, layer1: h.Layer1, layer2: h.Layer2, scaling: h.Scaling, features: h.Features,
		extent: extent{h.Until, h.Triplets}, measured: extent{h.MeasuredUntil, h.MeasuredTriplets},
	}
	for i := 0; i < len(h.HeldOut); i += 2 {
		m.heldOut.Scores = append(m.heldOut.Scores, ranking.Weighted{Score: h.HeldOut[i], Weight: h.HeldOut[i+1]})
	}
	m.SetTrained(h.Trained)
	for _, r := range h.Relations {
		m.relations = append(m.relations, string(r))
	}
	if h.Objective != ReferenceGoal {
		m.params = gnn.NewParams(h.config().network(), len(h.Relations))
		m.params.Steps, m.params.Passes = h.Step, h.Passes
		return m
	}
	m.params = &optim.Params{}
	m.reference = &baseline.Model{
		Dim: h.Dim, Decoder: h.Decoder, Mean: h.Mean, SD: h.SD,
		Nodes: make([]float32, h.Dim*len(h.Nodes)), Relations: make([]float32, h.Dim*len(h.Relations)),
	}
	for _, n := range h.Nodes {
		m.nodes = append(m.nodes, string(n))
	}
	return m
}

// valueReader reads float32 values, little-endian.
type valueReader struct{ left []byte }

type namedValues struct {
	name string
	x    []float32
}

// read fills the values of each list in turn.
func (r *valueReader) read(lists []namedValues) error {
	for _, l := range lists {
		for i := range l.x {
			v := math.Float32frombits(binary.LittleEndian.Uint32(r.left))
			r.left = r.left[4:]
			if d := v - v; d != 0 {
				return decodeError("parameter %s has the value %v", l.name, v)
			}
			l.x[i] = v
		}
	}
	return nil
}

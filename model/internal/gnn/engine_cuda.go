//go:build gpu

package gnn

import (
	"fmt"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// The sizes that kernels are compiled for.
const (
	_ = uint(InputWalk-cuda.Counted) + uint(cuda.Counted-InputWalk)
	_ = uint(NumInputs-cuda.Features) + uint(cuda.Features-NumInputs)
	_ = uint(Hidden-cuda.Hidden) + uint(cuda.Hidden-Hidden)
	_ = uint(temporal.MaxNeighbours-cuda.Near) + uint(cuda.Near-temporal.MaxNeighbours)
)

// cudaEngine is the network on a card, of which the CPU's is the readable twin.
type cudaEngine struct {
	device  *cuda.Device
	net     *cuda.Network
	params  *optim.Params
	decoder *Decoder
	batches []cuda.Batch
	steps   []cuda.Steps

	step, passes int // of the parameters, when the engine was made: they count on only at the end
}

func newCUDAEngine(ordinal int, s Spec) (Engine, string, error) {
	d, err := cuda.Open(ordinal)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	e := &cudaEngine{device: d, params: s.Params, decoder: NewDecoder(s.Network, s.Params)}
	e.decoder.Scaling = s.Scaling
	if err := e.place(s); err != nil {
		d.Close()
		return nil, "", fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	return e, device.Name(ordinal, d.Name), nil
}

// place computes what the network needs, asks for it and copies the parameters.
func (e *cudaEngine) place(s Spec) error {
	c := cuda.Config{
		Sources: s.Shape.Sources, Destinations: s.Shape.Destinations, Relations: s.Shape.Relations, Dim: s.Network.Dim,
		Decoder:   cuda.DecoderOf(s.Network.Decoder),
		KeepScale: float32(1 / (1 - s.Dropout)), Steps: s.Steps, MaxBatch: s.MaxBatch, FixedLayers: s.Network.FixedLayers,
	}
	for i := range c.Inverse {
		c.Mean[i], c.Inverse[i] = s.Scaling.Mean[InputWalk+i], s.Scaling.Inv[InputWalk+i]
		if e.decoder.mask != nil && e.decoder.mask[InputWalk+i] {
			c.Inverse[i] = 0
		}
	}
	free, err := e.device.Free()
	if err != nil {
		return err
	}
	if need := cuda.Need(c, s.Edges); need > free {
		return fmt.Errorf("%w: %d edges between %d hosts need %d MiB of %s, which has %d MiB free",
			cuda.ErrMemory, s.Edges, s.Shape.Sources+s.Shape.Destinations, need>>20, e.device.Name, free>>20)
	}
	if e.net, err = cuda.NewNetwork(e.device, c, s.DestinationInputs, s.SourceInputs); err != nil {
		return err
	}
	return e.each(s.Params, e.net.Upload)
}

// each calls do with every parameter and its place on the device.
func (e *cudaEngine) each(p *optim.Params, do func(t cuda.Tensor, from int, value, m, v []float32) error) error {
	var at [3]int
	for _, x := range p.List {
		t := cuda.DecoderWeights
		switch {
		case x.Layer:
			t = cuda.Layers
		case x.PerRelation:
			t = cuda.Relations
		}
		if err := do(t, at[t], x.Value, x.Mean, x.Square); err != nil {
			return err
		}
		at[t] += len(x.Value)
	}
	return nil
}

func (e *cudaEngine) Pass(w *temporal.Window, batches []StepBatch, rates []float64) error {
	p := *e.params // the counters alone: values are on the device
	p.Steps, p.Passes = p.Steps+e.step, p.Passes+e.passes
	if len(e.batches) < len(batches) {
		e.batches, e.steps = make([]cuda.Batch, len(batches)), make([]cuda.Steps, len(batches))
	}
	for i := range batches {
		e.fill(&e.batches[i], &batches[i])
		p.Advance(i == len(batches)-1)
		step := func(name string) cuda.Step {
			x := p.Get(name)
			rate, epsilon := p.StepSize(x, rates[i])
			return cuda.Step{Rate: rate, Epsilon: epsilon, Decay: x.Decay(rates[i])}
		}
		e.steps[i] = cuda.Steps{Decoder: step("hidden"), Relations: step("relation")}
		if i == len(batches)-1 {
			e.steps[i].Layers = step(layerNames[0])
		}
	}
	if err := e.net.Pass(w.At, func() *cuda.Messages { return messagesForCUDA(w.Cut) }, e.batches[:len(batches)], e.steps[:len(batches)]); err != nil {
		return fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	e.step += len(batches)
	e.passes++
	return nil
}

// fill makes what the device reads of a batch.
func (e *cudaEngine) fill(to *cuda.Batch, b *StepBatch) {
	n := len(b.S)
	*to = cuda.Batch{
		Source: b.S, Relation: b.R, Destination: b.D, Label: b.Label,
		NearCount: to.NearCount[:0], NearSources: to.NearSources[:0], NearRows: to.NearRows[:0],
		Keep: to.Keep[:0], Weight: to.Weight[:0], Counted: to.Counted[:0],
	}
	var weights float64
	for _, w := range b.Weight {
		weights += float64(w)
	}
	counts := make([]float32, n*cuda.Counted)
	for i := range n {
		near := &b.Neighbours[i]
		sources := int32(0)
		if near.Sources {
			sources = 1
		}
		to.NearCount, to.NearSources = append(to.NearCount, int32(near.N)), append(to.NearSources, sources)
		to.NearRows = append(to.NearRows, near.Rows[:]...)
		keep := ^uint32(0)
		if len(b.mask) > 0 {
			for j, x := range b.mask[i] {
				if x == 0 {
					keep &^= 1 << j
				}
			}
		}
		to.Keep = append(to.Keep, keep)
		to.Weight = append(to.Weight, float32(float64(b.Weight[i])/weights))
		var f [NumInputs]float32
		countInputs(&f, &b.Counts[i])
		e.decoder.scale(&f)
		row := counts[i*cuda.Counted:][:cuda.Counted]
		copy(row, f[:])
		to.Counted = append(to.Counted, row)
	}
}

func (e *cudaEngine) Losses() []float32 { return e.net.Losses() }

func (e *cudaEngine) Finish() error {
	err := e.net.Sync()
	if err == nil {
		err = e.each(e.params, e.net.Download)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	e.params.Steps += e.step
	e.params.Passes += e.passes
	e.step, e.passes = 0, 0
	return nil
}

func (e *cudaEngine) Embed(p *optim.Params, c *temporal.Cut) (*Embeddings, error) {
	if err := e.each(p, e.net.Upload); err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	u, v, profiles, m, err := e.net.Embed(c.At, func() *cuda.Messages { return messagesForCUDA(c) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	return &Embeddings{SourceWalk: u, DestinationWalk: v, DestinationProfile: profiles, SourceProfile: m}, nil
}

func (e *cudaEngine) Close() { e.device.Close() }

// messagesForCUDA writes the edges of a cut out as the kernels read them. The card keeps them, so that the cut
// does not.
func messagesForCUDA(c *temporal.Cut) *cuda.Messages {
	defer c.ReleaseMessages()
	m := c.Messages()
	out := &cuda.Messages{BySource: flat(m.BySource), ByDestination: flat(m.ByDestination)}
	// By relation, in the order of the sources.
	s, o := &out.BySource, &out.ByRelation
	rows := make([]int32, len(s.A)) // of each edge
	for row := range len(s.Start) - 1 {
		num.Fill(rows[s.Start[row]:s.Start[row+1]], int32(row))
	}
	var g num.Grouping
	g.By(s.B, c.Relations(), nil)
	o.Start, o.A, o.B = g.Start, make([]int32, len(s.A)), make([]int32, len(s.A))
	for i := range o.Norm {
		o.Norm[i] = make([]float32, len(s.A))
	}
	for at, e := range g.Items {
		o.A[at], o.B[at] = rows[e], s.A[e]
		for i := range o.Norm {
			o.Norm[i][at] = s.Norm[i][e]
		}
	}
	return out
}

// flat returns a csr without groups: each edge with its relation.
func flat(m *temporal.CSR) cuda.Order {
	o := cuda.Order{Start: make([]int32, len(m.Row)), A: m.Col, B: make([]int32, 0, len(m.Col)), Norm: m.Norm}
	for i, g := range m.Row {
		o.Start[i] = m.Group[g]
	}
	for g, r := range m.Rel {
		for range m.Group[g+1] - m.Group[g] {
			o.B = append(o.B, r)
		}
	}
	return o
}

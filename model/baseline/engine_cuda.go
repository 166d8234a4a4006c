//go:build gpu

package baseline

import (
	"fmt"

	"flb-filter-rgcn/model/cuda"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
)

// cudaEngine is the reference's network on a card. The host draws the events and groups the
// messages; all else, dropout's draws included, happens there.
type cudaEngine struct {
	device *cuda.Device
	net    *cuda.Reference
	host   *network // its values are those of the start until finish
}

func newCUDAEngine(ordinal int, host *network, edges int) (engine, string, error) {
	fail := func(err error) (engine, string, error) {
		return nil, "", fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	d, err := cuda.Open(ordinal)
	if err != nil {
		return fail(err)
	}
	e := &cudaEngine{device: d, host: host}
	if err := e.place(edges); err != nil {
		d.Close()
		return fail(err)
	}
	return e, device.Name(ordinal, d.Name), nil
}

// place computes what the network needs, asks for it and copies the parameters.
func (e *cudaEngine) place(edges int) error {
	h := e.host
	c := cuda.ReferenceConfig{
		Nodes: h.nodes, Relations: h.relations, Dim: h.cfg.Dim, Decoder: cuda.DecoderOf(h.cfg.Decoder),
		Dropout: float32(h.cfg.Dropout), Regularization: float32(h.cfg.Regularization), Limit: maxNorm,
		Key: num.NewPhilox(h.cfg.Seed, 0).Key, Stream: num.StreamSample, Steps: h.cfg.Epochs * h.cfg.StepsPerEpoch, Sample: 2 * h.cfg.Sample,
	}
	free, err := e.device.Free()
	if err != nil {
		return err
	}
	if need := cuda.NeedReference(c, edges); need > free {
		return fmt.Errorf("%w: %d edges between %d hosts need %d MiB of %s, which has %d MiB free",
			cuda.ErrMemory, edges, c.Nodes, need>>20, e.device.Name, free>>20)
	}
	if e.net, err = cuda.NewReference(e.device, c); err != nil {
		return err
	}
	var all []float32
	for _, p := range h.params.List {
		all = append(all, p.Value...)
	}
	return e.net.Upload(all)
}

func (e *cudaEngine) step(train *eventTable, rng *num.Philox) error {
	h := e.host
	b, p := &h.batch, h.params
	b.draw(train, h.nodes, rng)
	h.messages.build(b.s, b.r, b.d, nil, h.nodes, h.relations)
	s := cuda.ReferenceStep{Source: b.s, Relation: b.r, Target: b.d, Groups: h.messages.forCUDA(), Draw: rng.Position()}
	rng.Skip(2 * uint64(h.nodes*h.cfg.Dim))
	p.Advance(true)
	s.Adam.Rate, s.Adam.Epsilon = p.StepSize(p.List[0], h.cfg.LearningRate)
	if err := e.net.Step(&s); err != nil {
		return fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	return nil
}

func (m *messageGroups) forCUDA() cuda.Groups {
	return cuda.Groups{Relation: m.rel, Target: m.dst, Start: m.start, Source: m.src, Norm: m.norm}
}

func (e *cudaEngine) losses() []float32 { return e.net.Losses() }

func (e *cudaEngine) finish() error {
	err := e.net.Sync()
	var all []float32
	for _, p := range e.host.params.List {
		all = append(all, p.Value...)
	}
	if err == nil {
		err = e.net.Download(all)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	for _, p := range e.host.params.List {
		all = all[copy(p.Value, all):]
	}
	return nil
}

func (e *cudaEngine) embed(train *eventTable) ([]float32, error) {
	h := e.host
	h.buildAll(train)
	g := h.messages.forCUDA()
	if err := e.net.Embed(&g, h.out); err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrFailed, err)
	}
	return h.out, nil
}

func (e *cudaEngine) close() { e.device.Close() }

package model

// engine makes a training's steps on one device. It starts from the parameters of a model
// and leaves them as they are until finish.
type engine interface {
	// pass makes one pass of the layers over what was known at the start of the window, one
	// step of the decoder for each batch at its rate, and one step of the layers. It may
	// return before the device is done; the batches are free again.
	pass(w *window, batches []batch, rates []float64) error

	// losses returns the loss of each decoder step that is known to be done.
	losses() []float32

	// finish waits for all steps and writes the parameters back. No pass comes after it.
	finish() error

	// embed runs the layers with any parameters of the network's shape.
	embed(p *params, c *cut) (*embeddings, error)

	close()
}

// cpuEngine is the readable twin: the network as a Gorgonia graph.
type cpuEngine struct {
	net         *network
	x, y        []float32
	fixedLayers bool // they stay plain propagation
	done        []float32
}

func newCPUEngine(cfg Config, sh shape, m *Model, x, y []float32) (engine, error) {
	net, err := newNetwork(cfg, sh, m.params, x, y)
	if err != nil {
		return nil, err
	}
	net.decoder.scaling = &m.scaling
	return &cpuEngine{net: net, x: x, y: y, fixedLayers: cfg.without("layers")}, nil
}

func (e *cpuEngine) pass(w *window, batches []batch, rates []float64) error {
	n, i := e.net, 0
	setMessages(&n.convs, w.messages())
	n.batch = batches[0]
	loss, err := n.run(len(batches), func() {
		n.params.adam(n.decoderGrads, rates[i], false)
		i++
		n.batch = batches[i]
	})
	if err != nil {
		return err
	}
	n.params.adam(n.grads, rates[i], !e.fixedLayers)
	setMessages(&n.convs, &messages{}) // or they would live until the next window's are there
	for range batches {
		e.done = append(e.done, loss)
	}
	return nil
}

func (e *cpuEngine) losses() []float32 { return e.done }

func (e *cpuEngine) finish() error {
	e.net.release()
	return nil
}

func (e *cpuEngine) embed(p *params, c *cut) (*embeddings, error) {
	return embed(&e.net.convs, p, c.messages(), e.net.decoder.k, func() []float32 { return e.x }, func() []float32 { return e.y }), nil
}

func (e *cpuEngine) close() { e.net.close() }

package model

import (
	"errors"

	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// engineSpec is what an engine is made of.
type engineSpec struct {
	network  networkConfig
	shape    shape
	params   *optim.Params // where training starts from, and where finish leaves what came of it
	scaling  *scaling      // of the decoder's inputs
	x, y     []float32     // fixed inputs of destinations and sources, each [rows][dim]
	device   string        // see choose
	steps    int           // optimiser steps of the training
	edges    int           // of the graph
	maxBatch int           // triplets of a step at most
	dropout  float64       // share of hidden units left out
}

// newEngine makes the engine for a training, on the device that the spec names.
func newEngine(s engineSpec) (device.Choice[engine], error) {
	return device.Choose(s.device, s.edges, device.Makers[engine]{
		Unfit: s.network.unfit(),
		Card:  func(ordinal int) (engine, string, error) { return newCUDAEngine(ordinal, s) },
		CPU:   func() (engine, error) { return newCPUEngine(s) },
	})
}

// unfit tells why no card can train the network; nil where one can.
func (c *networkConfig) unfit() error {
	for _, l := range c.layers {
		if !l.diagonal() {
			return errors.New("a card trains diagonal layers only")
		}
	}
	return nil
}

// engine makes a training's steps on one device. It starts from the parameters of a model
// and leaves them as they are until finish.
type engine interface {
	// pass makes one pass of the layers over what was known at the start of the window, one
	// step of the decoder for each batch at its rate, and one step of the layers. It may
	// return before the device is done; the batches are free again.
	pass(w *temporal.Window, batches []stepBatch, rates []float64) error

	// losses returns the loss of each decoder step that is known to be done.
	losses() []float32

	// finish waits for all steps and writes the parameters back. No pass comes after it.
	finish() error

	// embed runs the layers with any parameters of the network's shape.
	embed(p *optim.Params, c *temporal.Cut) (*embeddings, error)

	close()
}

// cpuEngine is the readable twin: the network as a Gorgonia graph.
type cpuEngine struct {
	net         *network
	x, y        []float32
	fixedLayers bool // they stay plain propagation
	done        []float32
}

func newCPUEngine(s engineSpec) (engine, error) {
	net, err := newNetwork(s.network, s.shape, s.params, s.x, s.y)
	if err != nil {
		return nil, err
	}
	net.decoder.scaling = s.scaling
	return &cpuEngine{net: net, x: s.x, y: s.y, fixedLayers: s.network.fixedLayers}, nil
}

func (e *cpuEngine) pass(w *temporal.Window, batches []stepBatch, rates []float64) error {
	n, i := e.net, 0
	setMessages(&n.convs, w.Messages())
	n.batch = batches[0]
	loss, err := n.run(len(batches), func() {
		n.params.Adam(n.decoderGrads, rates[i], false)
		i++
		n.batch = batches[i]
	})
	if err != nil {
		return err
	}
	n.params.Adam(n.grads, rates[i], !e.fixedLayers)
	setMessages(&n.convs, &temporal.Messages{}) // or they would live until the next window's are there
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

func (e *cpuEngine) embed(p *optim.Params, c *temporal.Cut) (*embeddings, error) {
	return embed(&e.net.convs, p, c.Messages(), e.net.decoder.k, func() []float32 { return e.x }, func() []float32 { return e.y }), nil
}

func (e *cpuEngine) close() { e.net.close() }

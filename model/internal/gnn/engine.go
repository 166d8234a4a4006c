package gnn

import (
	"errors"

	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
)

// Spec is what an engine is made of.
type Spec struct {
	Network                         Config
	Shape                           Shape
	Params                          *optim.Params // where training starts from, and where Finish writes the result
	Scaling                         *Scaling      // of the decoder's inputs
	DestinationInputs, SourceInputs []float32     // fixed inputs of destinations and sources, each [rows][dim]
	Device                          string        // see device.Choose
	Steps                           int           // optimiser steps of the training
	Edges                           int           // of the graph
	MaxBatch                        int           // triplets of a step at most
	Dropout                         float64       // share of hidden units left out
}

// NewEngine makes the engine for a training, on the device that the spec names.
func NewEngine(s Spec) (device.Choice[Engine], error) {
	return device.Choose(s.Device, s.Edges, device.Makers[Engine]{
		Unfit: s.Network.Unfit(),
		Card:  func(ordinal int) (Engine, string, error) { return newCUDAEngine(ordinal, s) },
		CPU:   func() (Engine, error) { return newCPUEngine(s) },
	})
}

// Unfit tells why no card can train the network; nil where one can.
func (c *Config) Unfit() error {
	for _, l := range c.Layers {
		if !l.diagonal() {
			return errors.New("a card trains diagonal layers only")
		}
	}
	return nil
}

// Engine makes the steps of a training on one device. It starts from the parameters of its Spec and leaves them
// untouched until Finish.
type Engine interface {
	// Pass makes one pass of the layers over what was known at the start of the window, one
	// step of the decoder for each batch at its rate, and one step of the layers. It may
	// return before the device is done; the batches are free again.
	Pass(w *temporal.Window, batches []StepBatch, rates []float64) error

	// Losses returns the loss of each decoder step that is known to be done.
	Losses() []float32

	// Finish waits for all steps and writes the parameters back. No Pass may follow.
	Finish() error

	// Embed runs the layers with any parameters of the network's shape.
	Embed(p *optim.Params, c *temporal.Cut) (*Embeddings, error)

	// Close frees the device.
	Close()
}

// cpuEngine is the readable twin: the network as a Gorgonia graph.
type cpuEngine struct {
	net         *network
	x, y        []float32
	fixedLayers bool // they stay plain propagation
	done        []float32
}

func newCPUEngine(s Spec) (Engine, error) {
	net, err := newNetwork(s.Network, s.Shape, s.Params, s.DestinationInputs, s.SourceInputs)
	if err != nil {
		return nil, err
	}
	net.decoder.Scaling = s.Scaling
	return &cpuEngine{net: net, x: s.DestinationInputs, y: s.SourceInputs, fixedLayers: s.Network.FixedLayers}, nil
}

func (e *cpuEngine) Pass(w *temporal.Window, batches []StepBatch, rates []float64) error {
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

func (e *cpuEngine) Losses() []float32 { return e.done }

func (e *cpuEngine) Finish() error {
	e.net.release()
	return nil
}

func (e *cpuEngine) Embed(p *optim.Params, c *temporal.Cut) (*Embeddings, error) {
	return embedWith(&e.net.convs, p, c.Messages(), e.net.decoder.K, func() []float32 { return e.x }, func() []float32 { return e.y }), nil
}

func (e *cpuEngine) Close() { e.net.release() }

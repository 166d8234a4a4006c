package model

import (
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
)

// referenceEngine makes the steps of the reference's training on one device.
type referenceEngine interface {
	// step draws events and makes one step of the optimiser. It may return before the device is done.
	step(train *eventTable, rng *num.Philox) error

	// losses returns the loss before each step that is known to be done.
	losses() []float32

	// finish waits for all steps. The network's parameters are then those of the last.
	finish() error

	// embed returns the output of the layers over the message graph of all of train, [nodes][dim].
	embed(train *eventTable) ([]float32, error)

	close()
}

// cpuReference is the readable twin.
type cpuReference struct {
	net  *referenceNetwork
	done []float32
}

func (e *cpuReference) step(train *eventTable, rng *num.Philox) error {
	e.done = append(e.done, e.net.step(train, rng))
	return nil
}

func (e *cpuReference) losses() []float32 { return e.done }

func (e *cpuReference) finish() error { return nil }

func (e *cpuReference) embed(train *eventTable) ([]float32, error) { return e.net.embed(train), nil }

func (e *cpuReference) close() {}

// newReferenceEngine makes the engine for a network, on the device named.
func newReferenceEngine(where string, net *referenceNetwork, edges int) (device.Choice[referenceEngine], error) {
	return device.Choose(where, edges, device.Makers[referenceEngine]{
		Card: func(ordinal int) (referenceEngine, string, error) { return newCUDAReference(ordinal, net, edges) },
		CPU:  func() (referenceEngine, error) { return &cpuReference{net: net}, nil },
	})
}

package baseline

import (
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
)

// engine makes the steps of the reference's training on one device.
type engine interface {
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

// cpuEngine is the readable twin.
type cpuEngine struct {
	net  *network
	done []float32
}

func (e *cpuEngine) step(train *eventTable, rng *num.Philox) error {
	e.done = append(e.done, e.net.step(train, rng))
	return nil
}

func (e *cpuEngine) losses() []float32 { return e.done }

func (e *cpuEngine) finish() error { return nil }

func (e *cpuEngine) embed(train *eventTable) ([]float32, error) { return e.net.embed(train), nil }

func (e *cpuEngine) close() {}

// newEngine makes the engine for a network, on the device named.
func newEngine(where string, net *network, edges int) (device.Choice[engine], error) {
	return device.Choose(where, edges, device.Makers[engine]{
		Card: func(ordinal int) (engine, string, error) { return newCUDAEngine(ordinal, net, edges) },
		CPU:  func() (engine, error) { return &cpuEngine{net: net}, nil },
	})
}

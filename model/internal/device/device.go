// Package device finds the device on which a training runs, the CPU or a CUDA card, and has an
// engine made there. It knows nothing of what the engine computes.
package device

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The names of devices; CUDA may be followed by ":" and the number of a card.
const (
	Auto = "auto" // a card for large graphs where there is one, else the CPU
	CPU  = "cpu"
	CUDA = "cuda"
)

// AutoEdges is the smallest number of edges for which Auto takes the card. On an H100 the card was faster from
// 2,000 edges on, but below 20,000 by a second at most, for half a gigabyte of its memory. It is a variable for
// tests.
var AutoEdges = 20_000

// ErrFailed is wrapped by the errors of a card: the same training may succeed on the CPU.
var ErrFailed = errors.New("the device failed")

// Parse returns the number of the card that a device names, 0 unless it says another.
func Parse(device string) (ordinal int, err error) {
	switch {
	case device == Auto, device == CPU, device == CUDA, device == "":
		return 0, nil
	}
	if n, ok := strings.CutPrefix(device, CUDA+":"); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < 1024 {
			return i, nil
		}
	}
	return 0, fmt.Errorf("model: Device is %q, allowed are auto, cpu, cuda, cuda:N", device)
}

// findCard returns the number and the name of the card that a device names, or why none serves.
func findCard(device string, unfit error) (name string, err error) {
	ordinal, err := Parse(device)
	if err != nil {
		return "", err
	}
	if unfit != nil {
		return "", unfit
	}
	return Probe(ordinal)
}

// Check returns why the card that a device insists on cannot be used, nil where it can or none is insisted on.
// unfit is why no card can do the work at all, or nil.
func Check(device string, unfit error) error {
	if device == CPU || device == Auto || device == "" {
		return nil
	}
	_, err := findCard(device, unfit)
	return err
}

// Makers make an engine of the type E, one for each kind of device.
type Makers[E any] struct {
	Unfit error                                // why no card can do the work; nil: one can
	Card  func(ordinal int) (E, string, error) // and the card's name
	CPU   func() (E, error)
}

// Choice is an engine and the device on which it was made.
type Choice[E any] struct {
	Engine   E
	Device   string // CPU, or the number and name of a card
	Fallback error  // why Auto has the CPU do what is large enough for a card; else nil
}

// Choose makes an engine on the device that is named. Auto takes a card for graphs of AutoEdges edges and more,
// and the CPU for all others.
func Choose[E any](device string, edges int, on Makers[E]) (c Choice[E], err error) {
	ordinal, err := Parse(device)
	if err != nil {
		return c, err
	}
	switch device {
	case CPU, "":
	case Auto:
		if edges < AutoEdges {
			break
		}
		if _, c.Fallback = findCard(device, on.Unfit); c.Fallback != nil {
			break
		}
		if c.Engine, c.Device, c.Fallback = on.Card(ordinal); c.Fallback == nil {
			return c, nil
		}
	default:
		if _, err := findCard(device, on.Unfit); err != nil {
			return c, err
		}
		c.Engine, c.Device, err = on.Card(ordinal)
		return c, err
	}
	c.Engine, err = on.CPU()
	c.Device = CPU
	return c, err
}

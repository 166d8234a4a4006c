package model

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The values of Config.Device; CUDA may be followed by ":" and the number of a card.
const (
	Auto = "auto" // a card for large graphs where there is one, else the CPU
	CPU  = "cpu"
	CUDA = "cuda"
)

// cudaFrom is from how many edges on Auto takes the card. On an H100 the card was the faster one from
// 2,000 edges on, but by a second at most below 20,000, for which it would take half a gigabyte of
// the card away from others.
var cudaFrom = 20_000

// ErrDevice is what the failures of a card wrap: the same training may succeed on the CPU.
var ErrDevice = errors.New("the device failed")

// parseDevice returns the number of the card that a device names, 0 unless it says another.
func parseDevice(device string) (ordinal int, err error) {
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
	ordinal, err := parseDevice(device)
	if err != nil {
		return "", err
	}
	if unfit != nil {
		return "", unfit
	}
	return probeCUDA(ordinal)
}

// checkDevice looks for the card where a device insists on one; unfit is why no card can do the work, nil where one can.
func checkDevice(device string, unfit error) error {
	if device == CPU || device == Auto || device == "" {
		return nil
	}
	_, err := findCard(device, unfit)
	return err
}

// makers make an engine of the kind E on either device.
type makers[E any] struct {
	unfit error                                // why no card can do the work; nil: one can
	card  func(ordinal int) (E, string, error) // and the card's name
	cpu   func() (E, error)
}

// choice is an engine and the device on which it was made.
type choice[E any] struct {
	engine   E
	device   string // CPU, or the number and name of a card
	fallback error  // why Auto has the CPU do what is large enough for a card; else nil
}

// choose makes an engine on the card or on the CPU, as device has it: Auto takes a card for cudaFrom
// edges and more.
func choose[E any](device string, edges int, on makers[E]) (c choice[E], err error) {
	ordinal, err := parseDevice(device)
	if err != nil {
		return c, err
	}
	switch device {
	case CPU, "":
	case Auto:
		if edges < cudaFrom {
			break
		}
		if _, c.fallback = findCard(device, on.unfit); c.fallback != nil {
			break
		}
		if c.engine, c.device, c.fallback = on.card(ordinal); c.fallback == nil {
			return c, nil
		}
	default:
		if _, err := findCard(device, on.unfit); err != nil {
			return c, err
		}
		c.engine, c.device, err = on.card(ordinal)
		return c, err
	}
	c.engine, err = on.cpu()
	c.device = CPU
	return c, err
}

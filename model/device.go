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

// CheckDevice looks for the card where a Config insists on one.
func CheckDevice(cfg Config) error {
	if cfg.Device == CPU || cfg.Device == Auto || cfg.Device == "" {
		return nil
	}
	_, err := cudaFor(cfg)
	return err
}

// cudaFor returns the name of the card for a Config, or why none serves.
func cudaFor(cfg Config) (string, error) {
	ordinal, err := parseDevice(cfg.Device)
	if err != nil {
		return "", err
	}
	for i := range 2 {
		if cfg.Objective != ReferenceGoal && !cfg.layer(i).diagonal() {
			return "", errors.New("a card trains diagonal layers only")
		}
	}
	return probeCUDA(ordinal)
}

// newEngine makes the engine for a training and says on what. See onDevice for fallback.
func newEngine(cfg Config, sh shape, m *Model, steps, edges int, x, y []float32) (e engine, device string, fallback, err error) {
	return onDevice(cfg, edges, func(ordinal int) (engine, string, error) {
		return newCUDAEngine(ordinal, cfg, sh, m, steps, edges, x, y)
	}, func() (engine, error) { return newCPUEngine(cfg, sh, m, x, y) })
}

// onDevice makes an engine on the card or on the CPU, as the Config's Device has it. Where Auto
// would have had a card for so large a graph, fallback says why there is none.
func onDevice[E any](cfg Config, edges int, card func(ordinal int) (E, string, error), cpu func() (E, error)) (e E, device string, fallback, err error) {
	ordinal, err := parseDevice(cfg.Device)
	if err != nil {
		return e, "", nil, err
	}
	switch cfg.Device {
	case CPU, "":
	case Auto:
		if edges < cudaFrom {
			break
		}
		if _, fallback = cudaFor(cfg); fallback != nil {
			break
		}
		if e, device, fallback = card(ordinal); fallback == nil {
			return e, device, nil, nil
		}
	default:
		if _, err := cudaFor(cfg); err != nil {
			return e, "", nil, err
		}
		e, device, err = card(ordinal)
		return e, device, nil, err
	}
	e, err = cpu()
	return e, CPU, fallback, err
}

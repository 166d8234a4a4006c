package model

import "flb-filter-rgcn/model/internal/device"

// The values of Config.Device; CUDA may be followed by ":" and the number of a card.
const (
	Auto = device.Auto // a card for large graphs where there is one, else the CPU
	CPU  = device.CPU
	CUDA = device.CUDA
)

// ErrDevice is wrapped by the errors of a card: the same training may succeed on the CPU.
var ErrDevice = device.ErrFailed

//go:build !gpu

package model

import "flb-filter-rgcn/model/internal/device"

func newCUDAEngine(int, engineSpec) (engine, string, error) {
	return nil, "", device.ErrNone
}

//go:build !gpu

package gnn

import "flb-filter-rgcn/model/internal/device"

func newCUDAEngine(int, Spec) (Engine, string, error) {
	return nil, "", device.ErrNone
}

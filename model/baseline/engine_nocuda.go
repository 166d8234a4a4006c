//go:build !gpu

package baseline

import "flb-filter-rgcn/model/internal/device"

func newCUDAEngine(int, *network, int) (engine, string, error) {
	return nil, "", device.ErrNone
}

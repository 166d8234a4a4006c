//go:build !gpu

package model

import "flb-filter-rgcn/model/internal/device"

func newCUDAReference(int, *referenceNetwork, int) (referenceEngine, string, error) {
	return nil, "", device.ErrNone
}

//go:build gpu

package modeltest

import (
	"testing"

	"flb-filter-rgcn/model/internal/device"
)

// NeedsCUDA skips a test where there is no device: neither a card nor the host build of the kernels behind a driver
// without one, which `make test` puts in its place.
func NeedsCUDA(t testing.TB) {
	t.Helper()
	name, err := device.Probe(0)
	if err != nil {
		t.Skip(err)
	}
	t.Log(name)
}

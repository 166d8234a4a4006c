//go:build gpu

package device

import (
	"fmt"

	"flb-filter-rgcn/model/cuda"
)

// Probe returns number and name of a card, or why it cannot be used.
func Probe(ordinal int) (string, error) {
	name, err := cuda.Probe(ordinal)
	if err != nil {
		return "", err
	}
	return Name(ordinal, name), nil
}

// Name is what reports call a card.
func Name(ordinal int, name string) string { return fmt.Sprintf("%s:%d %s", CUDA, ordinal, name) }

//go:build !gpu

package device

import "errors"

// ErrNone is why no card serves in a build without the tag gpu.
var ErrNone = errors.New("this build trains on the CPU only")

// Probe returns number and name of a card, or why it cannot be used.
func Probe(int) (string, error) { return "", ErrNone }

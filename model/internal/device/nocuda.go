//go:build !gpu

package device

import "errors"

var ErrNone = errors.New("this build trains on the CPU only")

func Probe(int) (string, error) { return "", ErrNone }

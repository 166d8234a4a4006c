//go:build !gpu

package model

import "errors"

var errNoCUDA = errors.New("this build trains on the CPU only")

func probeCUDA(int) (string, error) { return "", errNoCUDA }

func newCUDAEngine(int, engineSpec) (engine, string, error) {
	return nil, "", errNoCUDA
}

func newCUDAReference(int, *referenceNetwork, int) (referenceEngine, string, error) {
	return nil, "", errNoCUDA
}

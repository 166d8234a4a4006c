//go:build !gpu

package model

import "errors"

var errNoCUDA = errors.New("this build trains on the CPU only")

func probeCUDA(int) (string, error) { return "", errNoCUDA }

func newCUDAEngine(int, Config, shape, *Model, int, int, []float32, []float32) (engine, string, error) {
	return nil, "", errNoCUDA
}

func newCUDAReference(int, *referenceNetwork, int) (referenceEngine, string, error) {
	return nil, "", errNoCUDA
}

package model

// testNetwork is a network with diagonal layers.
func testNetwork(dim int, decoder string) networkConfig {
	return networkConfig{dim: dim, decoder: decoder, seed: 1, threads: 1}
}

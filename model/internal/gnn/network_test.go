package gnn

// testNetwork is a network with diagonal layers.
func testNetwork(dim int, decoder string) Config {
	return Config{Dim: dim, Decoder: decoder, Seed: 1}
}

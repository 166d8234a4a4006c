// Package gnn is the relational graph network: its layers, its decoder, their gradients, and the
// engines that train it on the CPU or on a CUDA card.
//
// Four layers pass messages along the edges of a temporal.Cut, both ways, and leave Embeddings. The
// decoder turns them and the temporal.Counts of a triplet into its logit. The CPU's network is an expression graph
// of Gorgonia with fused operations; the card's (build tag gpu) is held to it by tests.
//
// The package knows nothing of a training's schedule, of thresholds or of files.
package gnn

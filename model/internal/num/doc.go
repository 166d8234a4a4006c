// Package num is the arithmetic below the model: loops over rows of float32, functions of one
// number, a counter-based random generator, hashes, a table of pairs and a pool of goroutines.
// It knows nothing of graphs, networks or training.
//
// A matrix is a slice in row-major order whose shape its user knows. Kernels exist twice, plain and
// with vectors; which of them is used is decided when the program is built and when it starts. A slice that is
// shorter than the first argument makes a kernel panic.
package num

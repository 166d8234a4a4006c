//go:build gpu

package cuda

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/cu"
)

// synthetic makes distinct-looking edges between a tenth as many sources and a fiftieth as many
// destinations, of which a few are hubs, with 20 relations, in the three orders.
func synthetic(edges int) (Config, *Messages) {
	c := Config{Sources: edges/10 + 16, Destinations: edges/50 + 16, Relations: 20, KeepScale: 1, Steps: 1 << 16, MaxBatch: 1280}
	rng := rand.New(rand.NewPCG(1, 2))
	src, rel, dst := make([]int32, edges), make([]int32, edges), make([]int32, edges)
	for i := range src {
		u := rng.Float64()
		src[i], rel[i], dst[i] = int32(rng.IntN(c.Sources)), int32(rng.IntN(c.Relations)), int32(u*u*u*float64(c.Destinations))
	}
	by := func(rows int, key, a, b []int32) Order {
		o := Order{Start: make([]int32, rows+1), A: make([]int32, edges), B: make([]int32, edges)}
		for _, k := range key {
			o.Start[k+1]++
		}
		for i := range rows {
			o.Start[i+1] += o.Start[i]
		}
		next := append([]int32(nil), o.Start...)
		for i, k := range key {
			o.A[next[k]], o.B[next[k]] = a[i], b[i]
			next[k]++
		}
		for i := range o.Norm {
			o.Norm[i] = make([]float32, edges)
			for e := range o.Norm[i] {
				o.Norm[i][e] = 0.01
			}
		}
		return o
	}
	return c, &Messages{
		BySource: by(c.Sources, src, dst, rel), ByDestination: by(c.Destinations, dst, src, rel), ByRelation: by(c.Relations, rel, src, dst),
	}
}

// batches are random triplets, with no row new.
func batches(c Config, n int) []Batch {
	rng := rand.New(rand.NewPCG(3, 4))
	out := make([]Batch, n)
	for i := range out {
		b := &out[i]
		for range c.MaxBatch {
			b.Source = append(b.Source, int32(rng.IntN(c.Sources)))
			b.Relation = append(b.Relation, int32(rng.IntN(c.Relations)))
			b.Destination = append(b.Destination, int32(rng.IntN(c.Destinations)))
			b.NearCount, b.NearSources = append(b.NearCount, 0), append(b.NearSources, 0)
			b.NearRows = append(b.NearRows, make([]int32, Near)...)
			b.Keep = append(b.Keep, ^uint32(0))
			b.Label, b.Weight = append(b.Label, float32(rng.IntN(2))), append(b.Weight, 1/float32(c.MaxBatch))
			b.Counted = append(b.Counted, make([]float32, Counted))
		}
	}
	return out
}

// passBytes is what the layers of one pass read and write at least: for each edge the indices,
// the norm and a row in the six propagations and two rows in the four gradients of weights.
func passBytes(c Config, edges int) float64 {
	row := 4 * float64(c.Dim)
	return float64(edges)*(6*(12+row)+4*(12+2*row)) + float64(c.Sources+c.Destinations)*row*7
}

// BenchmarkCopy is the bandwidth that the others are measured against.
func BenchmarkCopy(b *testing.B) {
	d, err := Open(0)
	if err != nil {
		b.Skip(err)
	}
	defer d.Close()
	const words, times = 64 << 20, 16
	from, err := d.alloc(words)
	if err != nil {
		b.Skip(err)
	}
	to, err := d.alloc(words)
	if err != nil {
		b.Skip(err)
	}
	b.SetBytes(2 * 4 * words * times) // read and written
	for b.Loop() {
		for range times {
			if err := cu.MemcpyDtoDAsync(to, from, 4*words, d.stream); err != nil {
				b.Fatal(err)
			}
		}
		if err := d.stream.Synchronize(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPack is what the host does for each step of the decoder: the plans of its sums.
func BenchmarkPack(b *testing.B) {
	c, _ := synthetic(100_000)
	list := batches(c, 8)
	var s stage
	for i := 0; b.Loop(); i++ {
		s.pack(&list[i%len(list)])
	}
}

// BenchmarkPass is one pass of the layers, with one decoder step and with sixteen, from two thousand to a
// hundred million edges; what does not fit the card is skipped.
func BenchmarkPass(b *testing.B) {
	for _, edges := range []int{2_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000} {
		var messages *Messages
		var c Config
		for _, dim := range []int{32, 128, 256} {
			for _, rounds := range []int{1, 16} {
				b.Run(fmt.Sprintf("edges=%d/dim=%d/rounds=%d", edges, dim, rounds), func(b *testing.B) {
					d, err := Open(0)
					if err != nil {
						b.Skip(err)
					}
					defer d.Close()
					if messages == nil {
						c, messages = synthetic(edges)
					}
					c.Dim = dim
					free, err := d.Free()
					if err != nil {
						b.Fatal(err)
					}
					if need := Need(c, edges); need > free {
						b.Skipf("%d MiB of %d MiB free", need>>20, free>>20)
					}
					n, err := NewNetwork(d, c, make([]float32, c.Destinations*dim), make([]float32, c.Sources*dim))
					if err != nil {
						b.Fatal(err)
					}
					for t, size := range []int{4 * c.Relations * dim, c.Relations * dim, DecoderParams} {
						value, zero := make([]float32, size), make([]float32, size)
						for i := range value {
							value[i] = 0.1
						}
						if err := n.Upload(Tensor(t), 0, value, zero, zero); err != nil {
							b.Fatal(err)
						}
					}
					list, steps := batches(c, rounds), make([]Steps, rounds)
					pass := func() {
						if n.made+rounds > c.Steps {
							n.made = 0
						}
						if err := n.Pass(1, func() *Messages { return messages }, list, steps); err != nil {
							b.Fatal(err)
						}
					}
					pass()
					if err := n.Sync(); err != nil {
						b.Fatal(err)
					}
					passes := 0
					b.SetBytes(int64(passBytes(c, edges)))
					for b.Loop() {
						pass()
						passes++
						if passes%8 == 0 {
							if err := n.Sync(); err != nil {
								b.Fatal(err)
							}
						}
					}
					if err := n.Sync(); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(passes)/float64(edges), "ns/edge")
				})
			}
		}
	}
}

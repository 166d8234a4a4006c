//go:build gpu

package model

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkDevices is the same training on the CPU, on two threads, and on a card.
func BenchmarkDevices(b *testing.B) {
	if _, err := probeCUDA(0); err != nil {
		b.Skip(err)
	}
	for _, edges := range []int{2_000, 10_000, 100_000, 1_000_000} {
		snap := grown(b, edges)
		for _, device := range []string{CPU, CUDA} {
			b.Run(fmt.Sprintf("edges=%d/%s", edges, device), func(b *testing.B) {
				cfg := DefaultConfig()
				cfg.Threads, cfg.Device = 2, device
				for b.Loop() {
					_, report, err := Train(context.Background(), snap, cfg, nil)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(report.Duration.Seconds(), "s/training")
				}
			})
		}
	}
}

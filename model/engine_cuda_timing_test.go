//go:build gpu

package model

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkDevices is the same training on the CPU (on two threads, the reference's on one) and on a card.
func BenchmarkDevices(b *testing.B) {
	if _, err := probeCUDA(0); err != nil {
		b.Skip(err)
	}
	for _, edges := range []int{2_000, 10_000, 100_000, 1_000_000} {
		snap := grown(b, edges)
		for _, cfg := range []Config{DefaultConfig(), DefaultReference()} {
			cfg.Threads = 2
			objective := Temporal
			if cfg.Objective == ReferenceGoal {
				objective = ReferenceGoal
				cfg.Steps /= 10 // the CPU would take an hour for the largest
			}
			for _, device := range []string{CPU, CUDA} {
				b.Run(fmt.Sprintf("edges=%d/%s/%s", edges, objective, device), func(b *testing.B) {
					cfg.Device = device
					for b.Loop() {
						_, report, err := Train(context.Background(), snap, cfg, nil)
						if err != nil {
							b.Fatal(err)
						}
						b.ReportMetric(report.Duration.Seconds(), "s/training")
						b.ReportMetric(float64(report.Duration.Microseconds())/float64(report.Steps), "us/step")
					}
				})
			}
		}
	}
}

//go:build gpu

package model

import (
	"context"
	"fmt"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/modeltest"
)

// BenchmarkDevices is the same training on the CPU (on two threads, the reference's on one) and on a card.
func BenchmarkDevices(b *testing.B) {
	if _, err := device.Probe(0); err != nil {
		b.Skip(err)
	}
	for _, edges := range []int{2_000, 20_000, 200_000, 1_000_000, 2_000_000} {
		var snap *graphbuf.Snapshot
		for _, cfg := range []Config{DefaultConfig(), DefaultReference()} {
			cfg.Threads = 2
			objective := Temporal
			if cfg.Objective == ReferenceGoal {
				objective = ReferenceGoal
				cfg.Steps /= 10 // the CPU would take an hour for the largest
			}
			for _, device := range []string{device.CUDA, device.CPU} {
				b.Run(fmt.Sprintf("edges=%d/%s/%s", edges, objective, device), func(b *testing.B) {
					if snap == nil {
						snap = grown(b, edges)
					}
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

// BenchmarkNotebook is the notebook's algorithm on the notebook's sessions: ten epochs of training on the
// CPU, on one thread, and on a card, and the scores of all sessions.
func BenchmarkNotebook(b *testing.B) {
	events := modeltest.Notebook(b)
	g := modeltest.Graph(b, events)
	snap := g.Snapshot()
	refs := make([]graphbuf.Ref, len(events))
	g.Observe(events, refs)
	cfg := DefaultReference()
	for _, device := range []string{device.CPU, device.CUDA} {
		b.Run("training/"+device, func(b *testing.B) {
			cfg.Device = device
			for b.Loop() {
				_, report, err := Train(context.Background(), snap, cfg, nil)
				if err != nil {
					b.Skip(err)
				}
				b.ReportMetric(report.Duration.Seconds(), "s/training")
				b.ReportMetric(float64(report.Duration.Microseconds())/float64(report.Steps), "us/step")
			}
		})
	}
	cfg.Device = device.CPU
	s, _ := train(b, snap, cfg)
	b.Run("scores", func(b *testing.B) {
		for b.Loop() {
			for i := range refs {
				s.Score(g, &events[i], &refs[i])
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/7143-sessions")
	})
}

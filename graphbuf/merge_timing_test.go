package graphbuf

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMerge merges sightings of a day each, new triplets and known ones by turns. A record that comes meanwhile
// waits for one batch at most.
func BenchmarkMerge(b *testing.B) {
	const triplets = 100_000
	sightings := make([]Sighting, triplets)
	for i := range sightings {
		last := mergeStart - int64(i/5_000)*day
		sightings[i] = Sighting{
			Source: fmt.Appendf(nil, "10.0.%d.%d", i/5_000, i%250), Relation: fmt.Appendf(nil, "client-%d", i%9), Destination: fmt.Appendf(nil, "10.1.0.%d", i%4_999),
			Count: 2, First: last - int64(time.Hour), Last: last,
		}
	}
	var g *Graph
	merged := 0
	b.ReportAllocs()
	for b.Loop() {
		if merged%(2*triplets) == 0 {
			var err error
			if g, err = New(Config{MaxNodes: 100_000, MaxRelations: 100, MaxEdges: 2 * triplets, Window: 30 * 24 * time.Hour, Trusted: true}); err != nil {
				b.Fatal(err)
			}
			g.BeginSlices(mergeStart + int64(2*OverlapLength))
		}
		at := merged % triplets
		g.Merge(Over, sightings[at:min(at+mergeBatch, triplets)])
		merged += min(mergeBatch, triplets-at)
	}
	b.ReportMetric(float64(merged)/b.Elapsed().Seconds(), "sightings/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs/batch")
}

package filter

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkSaveGraph saves a graph that fills the default bounds, as the timer does.
func BenchmarkSaveGraph(b *testing.B) {
	dir := b.TempDir()
	f, err := NewOffline(host("state_dir", dir))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	fill(f.graph, 500_000, 99_900)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.store.saveGraph(); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "graph"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-written")
}

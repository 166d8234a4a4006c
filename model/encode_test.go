package model

import (
	"runtime"
	"testing"

	"flb-filter-rgcn/model/internal/modeltest"
)

// What saving a model takes is within what was foretold, whatever its layers.
func TestModelSavingBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	snap := modeltest.Graph(t, modeltest.Teams(1, 40, 2000)).Snapshot()
	for name, change := range map[string]func(*Config){
		"diagonal":  func(*Config) {},
		"full":      func(c *Config) { c.Layer1, c.Layer2 = "full", "full" },
		"large":     func(c *Config) { c.Dim = 256 },
		"reference": func(c *Config) { *c = quickReferenceGoal() },
	} {
		cfg := quickConfig()
		change(&cfg)
		s, _ := train(t, snap, cfg)
		m := s.Model()
		m.AppendBinary(nil) // package json keeps what it learned of the header
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := m.AppendBinary(nil)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		took, foretold := int64(after.TotalAlloc-before.TotalAlloc), m.SavingBytes()
		if took > foretold || foretold > 3*took+128<<10 {
			t.Errorf("%s: saving %d bytes took %d, foretold %d", name, len(b), took, foretold)
		}
	}
}

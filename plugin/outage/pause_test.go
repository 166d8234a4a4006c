package outage

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	var p Pause
	begin := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		at   time.Time
		over bool
	}{
		{begin, true},
		{begin, false},
		{begin.Add(59 * time.Second), false},
		{begin.Add(time.Minute), true},
		{begin.Add(90 * time.Second), false},
		{begin.AddDate(-10, 0, 0), true}, // a clock that was wrong is set right
		{begin.AddDate(-10, 0, 0).Add(time.Second), false},
		{begin.AddDate(-10, 0, 0).Add(time.Minute), true},
	} {
		if over := p.Over(step.at, time.Minute); over != step.over {
			t.Errorf("at %s: over: %t, want %t", step.at, over, step.over)
		}
	}
}

func TestPauseLetsOneOfManyThrough(t *testing.T) {
	var p Pause
	var lines atomic.Int64
	var all sync.WaitGroup
	now := time.Unix(1e9, 0)
	for range 8 {
		all.Go(func() {
			for range 100 {
				if p.Over(now, time.Minute) {
					lines.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := lines.Load(); n != 1 {
		t.Errorf("%d lines at one time, want 1", n)
	}
}

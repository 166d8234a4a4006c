package main

import (
	"fmt"
	"strings"
	"time"
)

// redrawInterval bounds how often a terminal is written to.
const redrawInterval = 100 * time.Millisecond

// progress shows how far a piece of work is. It is for one goroutine at a time.
type progress struct {
	console        *console
	unit           string // what is counted: records, steps
	now            func() time.Time
	started, drawn time.Time
}

func newProgress(c *console, unit string) *progress { return startProgress(c, unit, time.Now) }

func startProgress(c *console, unit string, now func() time.Time) *progress {
	return &progress{console: c, unit: unit, now: now, started: now()}
}

// update sets the number of units done and the share of all work that they are; 0 if unknown.
func (p *progress) update(n int, share float64) {
	now := p.now()
	if p.console.width == nil || now.Sub(p.drawn) < redrawInterval {
		return
	}
	p.drawn = now
	p.console.showBar(p.text(n, share, now.Sub(p.started)))
}

func (p *progress) text(n int, share float64, elapsed time.Duration) string {
	const cells = 20
	counts := fmt.Sprintf("%d %s  %.0f %s/s", n, p.unit, rate(n, elapsed), p.unit)
	if share <= 0 {
		return counts
	}
	share = min(share, 1)
	full := int(share * cells)
	left := time.Duration(float64(elapsed) * (1 - share) / share).Round(time.Second)
	return fmt.Sprintf("%3.0f %% [%s%s]  %s  ETA %s", 100*share, strings.Repeat("#", full), strings.Repeat(".", cells-full), counts, left)
}

// done removes the line.
func (p *progress) done() { p.console.showBar("") }

// rate is n a second.
func rate(n int, d time.Duration) float64 { return float64(n) / max(d.Seconds(), 1e-9) }

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filter"
)

// screen is a terminal of a fixed width.
func screen(columns int) (*console, *bytes.Buffer) {
	var b bytes.Buffer
	c := newConsole(&b)
	c.width = func() int { return columns }
	return c, &b
}

func TestProgress(t *testing.T) {
	now := time.Unix(0, 0)
	check := func(columns int, want string, step func(c *console, p *progress)) {
		t.Helper()
		c, b := screen(columns)
		p := startProgress(c, "records", func() time.Time { return now })
		now = now.Add(2 * time.Second)
		step(c, p)
		if got := strings.ReplaceAll(b.String(), eraseLine, "<"); got != want {
			t.Errorf("%d columns: got %q, want %q", columns, got, want)
		}
	}
	const bar = " 25 % [#####...............]  1000 records  500 records/s  ETA 6s"
	check(100, "<"+bar, func(_ *console, p *progress) { p.update(1000, 0.25) })
	check(100, "<"+bar+"<", func(_ *console, p *progress) { p.update(1000, 0.25); p.done(); p.done() })
	check(30, "<"+bar[:29], func(_ *console, p *progress) { p.update(1000, 0.25) })
	check(10, "", func(_ *console, p *progress) { p.update(1000, 0.25) })
	check(100, "<1000 records  500 records/s", func(_ *console, p *progress) { p.update(1000, 0) })
	check(100, "", func(c *console, p *progress) { c.quiet = true; p.update(1000, 0.25); p.done() })
	check(100, "", func(c *console, p *progress) { c.width = nil; p.update(1000, 0.25); p.done() })
	// A line goes above the bar, which stands again below it.
	check(100, "<"+bar+"<info: line\n"+bar, func(c *console, p *progress) {
		p.update(1000, 0.25)
		c.Log(filter.LevelInfo, "line")
	})
	// Not more often than ten times a second.
	check(100, "<"+bar+"<2000 records  952 records/s", func(_ *console, p *progress) {
		p.update(1000, 0.25)
		now = now.Add(redrawInterval - 1)
		p.update(1500, 0)
		now = now.Add(1)
		p.update(2000, 0)
	})
}

func TestLevels(t *testing.T) {
	check := func(quiet, verbose bool, want string) {
		t.Helper()
		var b bytes.Buffer
		c := newConsole(&b)
		c.quiet, c.verbose = quiet, verbose
		for level, message := range []string{"e", "w", "i", "d"} {
			c.Log(filter.Level(level), message)
		}
		if got := b.String(); got != want {
			t.Errorf("quiet %v, verbose %v: got %q, want %q", quiet, verbose, got, want)
		}
	}
	check(false, false, "error: e\nwarning: w\ninfo: i\n")
	check(false, true, "error: e\nwarning: w\ninfo: i\ndebug: d\n")
	check(true, false, "error: e\n")
	check(true, true, "error: e\n")
}

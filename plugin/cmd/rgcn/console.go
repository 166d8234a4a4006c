package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"flb-filter-rgcn/plugin/filter"
)

// console is standard error: whole lines, and below them, on a terminal, one line of
// progress. Any goroutine may write.
type console struct {
	quiet, verbose bool // set before the first line

	mu    sync.Mutex
	w     io.Writer
	width func() int // in columns; nil: no terminal, no progress
	bar   string     // as it stands on the screen
}

func newConsole(w io.Writer) *console {
	c := &console{w: w}
	if f, ok := w.(*os.File); ok && isTerminal(w) {
		c.width = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns == 0 { // a terminal without a size, such as a serial line
				return 80
			}
			return columns
		}
	}
	return c
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

const (
	eraseLine = "\r\x1b[K"
	tooNarrow = 20 // columns: a progress line needs at least this many
)

// Log writes a line if the flags let its level through.
func (c *console) Log(level filter.Level, message string) {
	least := filter.LevelInfo
	switch {
	case c.quiet:
		least = filter.LevelError
	case c.verbose:
		least = filter.LevelDebug
	}
	if level <= least {
		c.printf("%s: %s", [...]string{"error", "warning", "info", "debug"}[level], message)
	}
}

// printf writes a line whatever the flags say.
func (c *console) printf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := fmt.Sprintf(format+"\n", args...)
	if c.bar != "" {
		line = eraseLine + line + c.bar
	}
	io.WriteString(c.w, line)
}

// showBar replaces the line of progress, which is ASCII; "" takes it away.
func (c *console) showBar(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.width == nil || c.quiet {
		return
	}
	// A line as wide as the screen would wrap on some terminals.
	if columns := c.width(); columns < tooNarrow {
		text = ""
	} else if len(text) >= columns {
		text = text[:columns-1]
	}
	if text == c.bar {
		return
	}
	c.bar = text
	io.WriteString(c.w, eraseLine+text)
}

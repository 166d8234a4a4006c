package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

const (
	// runTimeout is how long a program that is run may take: each does so within a second, if the disk answers.
	runTimeout = 30 * time.Second
	// mostOutput of it is kept, in bytes.
	mostOutput = 256 << 10
)

// ran is the outcome of a program.
type ran struct {
	code   int // -1: ended by a signal, or by run because it took too long
	output string
	late   bool // it took too long
}

// run runs a program to its end, with extra environment variables. An error means that it was not started.
func run(ctx context.Context, variables []string, name string, args ...string) (ran, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	var out capped
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), variables...)
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && cmd.ProcessState == nil {
		return ran{}, err
	}
	return ran{cmd.ProcessState.ExitCode(), colours.ReplaceAllString(out.String(), ""), ctx.Err() != nil}, nil
}

// capped keeps the first bytes that are written to it.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), max(0, mostOutput-c.Len()))])
	return len(p), nil
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

const (
	mostLines   = 3   // of a program's output that are quoted
	longestLine = 400 // characters of one
)

// stamp is the time that Fluent Bit writes before each line.
var stamp = regexp.MustCompile(`^\[[0-9/]+ [0-9:.]+\] *`)

// clean shortens a program's line and escapes what a terminal must not see: the line may quote the network.
func clean(line string) string {
	line = graphic(line)
	if r := []rune(line); len(r) > longestLine {
		line = string(r[:longestLine-1]) + "…"
	}
	return line
}

// having returns the lines that contain one of the texts, cleaned.
func having(output string, texts ...string) (out []string) {
	for l := range strings.Lines(output) {
		l = clean(stamp.ReplaceAllString(strings.TrimSpace(l), ""))
		for _, t := range texts {
			if strings.Contains(l, t) && len(out) < mostLines {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

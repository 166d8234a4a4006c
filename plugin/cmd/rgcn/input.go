package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/logfile"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

const (
	// maxChunk is the size, in bytes, at which a chunk is full whatever its number of records: the host's.
	maxChunk = 2 << 20
	// maxWarnings bounds the warnings about bad lines, so that a wrong file does not flood the screen.
	maxWarnings = 10
)

// input reads files and makes chunks of them.
type input struct {
	files     []string
	columns   string
	chunkSize int           // records
	span      time.Duration // of event time, after which a chunk ends; 0: none
	strict    bool

	console *console
	bad     atomic.Int64 // lines that make no record
	timed   atomic.Int64 // records with a time of their own,
	earlier atomic.Int64 // and those among them that lie before the one in front of them
	last    int64        // the time of the last of them
	newest  time.Time    // of the records read so far, where one has a time of its own
	reading time.Time    // the time in the header of the record being read
	walker  *record.Walker
	finder  *triplet.Finder
	buffer  triplet.Buffer
	lines   bool // plain text may be read: sshd's
}

// chunk is a run of events as Fluent Bit hands them to a filter.
type chunk struct {
	data    []byte
	records int
	newest  time.Time // event time of the newest record up to here
	share   float64   // of all input read so far, 0 when unknown
}

func (in *input) declare(fs *flag.FlagSet) {
	fs.StringVar(&in.columns, "columns", "", "`NAMES` of the columns, with commas between, of tab-separated files without a header; \"-\" skips one")
	fs.IntVar(&in.chunkSize, "chunk", 1000, "records in a chunk, at most: `N`")
	fs.BoolVar(&in.strict, "strict", false, "stop at the first line that is no record")
}

// start checks the flags and the arguments.
func (in *input) start(e *env, fields config.Fields) error {
	in.console, in.files = e.console, e.args
	if len(in.files) == 0 {
		return usagef("no FILE: want one or more, \"-\" for standard input")
	}
	if i := slices.Index(in.files, "-"); i >= 0 && slices.Contains(in.files[i+1:], "-") {
		return usagef("standard input (-) is named twice, and can be read once")
	}
	if in.chunkSize < 1 {
		return usagef("-chunk %d: want at least 1", in.chunkSize)
	}
	var spec record.Spec
	var err error
	if in.finder, err = triplet.New(fields, &spec); err != nil {
		return err
	}
	x, err := record.Compile(spec)
	if err != nil {
		return err
	}
	in.lines = fields.SSHD
	in.walker = x.NewWalker()
	for _, file := range in.files {
		if err := in.readable(file); err != nil {
			return err
		}
	}
	return nil
}

// open opens a file to read.
func (in *input) open(file string) (*logfile.Reader, error) {
	return logfile.Open(file, logfile.Options{Columns: in.columnNames(), Lines: in.lines, Now: in.now})
}

// readable returns why a file cannot be read, before anything is read of the others: what was learned of these would count
// again. Pipes are not opened twice.
func (in *input) readable(file string) error {
	info, err := os.Stat(file)
	switch {
	case file == "-":
		return nil
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory, want files: %s", file, filepath.Join(file, "*"))
	case err == nil && !info.Mode().IsRegular():
		return nil
	}
	f, err := in.open(file)
	if err == nil {
		f.Close()
	}
	return err
}

// each hands every chunk to use, until that fails or ctx ends. Reading goes on meanwhile in a goroutine of its own:
// that is faster, and a pipe that delivers nothing does not delay the end.
func (in *input) each(ctx context.Context, use func(chunk) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	full := make(chan chunk, 1)
	free := make(chan []byte, 3)
	for range cap(free) {
		free <- nil
	}
	failed := make(chan error, 1)
	go func() {
		defer close(full)
		failed <- (&chunker{input: in, full: full, free: free, total: in.size()}).read(ctx)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c, more := <-full:
			if !more {
				return <-failed
			}
			if err := use(c); err != nil {
				return err
			}
			free <- c.data[:0]
		}
		if ctx.Err() != nil { // the select picks at random
			return ctx.Err()
		}
	}
}

func (in *input) columnNames() []string {
	if in.columns == "" {
		return nil
	}
	return strings.Split(in.columns, ",")
}

// size is the number of bytes of all files, 0 if unknown for one.
func (in *input) size() (total int64) {
	for _, file := range in.files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// now is the time in a record's header, which counts where the record has no time of its own. It is the time of the
// newest record before it: otherwise a line without a time in an old log would seem years younger than the rest, and
// the rest be forgotten.
func (in *input) now() time.Time {
	if in.reading = in.newest; in.reading.IsZero() {
		in.reading = time.Now()
	}
	return in.reading
}

// eventTime is that of the newest record so far, or the time of reading while none has a time of its own.
func (in *input) eventTime() time.Time {
	if in.newest.IsZero() {
		return in.reading
	}
	return in.newest
}

func (in *input) learnTime(event []byte) {
	in.walker.Reset(event)
	in.walker.Next()
	e := in.walker.Event()
	t := e.Time
	if e.Kind == record.Log && in.lines { // the time may stand in the text
		if s, verdict := in.finder.Find(&in.buffer, nil, e.Values); verdict == triplet.Found && s.Time > 0 {
			t = s.Time
		}
	}
	if t == in.reading.UnixNano() || t <= 0 || t > time.Now().Add(filter.FarFuture).UnixNano() {
		return
	}
	in.timed.Add(1)
	if t < in.last {
		in.earlier.Add(1)
	}
	in.last = t
	if own := time.Unix(0, t); own.After(in.newest) {
		in.newest = own
	}
}

// isBackwards reports whether the newest records come first.
func (in *input) isBackwards() bool {
	const few = 100 // tell nothing
	n := in.timed.Load()
	return n >= few && in.earlier.Load() > n/2
}

// pass skips a bad line with a warning. It returns any other error.
func (in *input) pass(err error) error {
	var line *logfile.LineError
	if !errors.As(err, &line) || in.strict {
		return err
	}
	switch n := in.bad.Add(1); {
	case n <= maxWarnings:
		in.console.Log(filter.LevelWarn, line.Error())
	case n == maxWarnings+1:
		in.console.Log(filter.LevelWarn, fmt.Sprintf("%s: more bad lines are counted, not shown", line.File))
	}
	return nil
}

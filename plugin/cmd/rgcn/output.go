package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"

	"flb-filter-rgcn/plugin/logfile"
)

// output writes lines to standard output or to a file.
type output struct {
	path string   // "": standard output
	file *os.File // nil: standard output
	buf  *bufio.Writer
	line []byte
}

func (o *output) declare(fs *flag.FlagSet) {
	fs.StringVar(&o.path, "o", "", "write to `FILE` instead of standard output")
}

// open opens the output, which must be none of the inputs: creating it empties it.
func (o *output) open(stdout io.Writer, inputs []string) error {
	if o.path == "-" {
		o.path = ""
	}
	if o.path != "" {
		if info, err := os.Stat(o.path); err == nil {
			for _, in := range inputs {
				other, err := os.Stat(in)
				if in == "-" {
					other, err = os.Stdin.Stat()
				}
				if err == nil && info.Mode().IsRegular() && os.SameFile(info, other) {
					return usagef("-o %s: is one of the files to read, want another one", o.path)
				}
			}
		}
		f, err := os.Create(o.path)
		if err != nil {
			return fmt.Errorf("-o: %w", err)
		}
		o.file, stdout = f, f
	}
	o.buf = bufio.NewWriterSize(stdout, 256<<10)
	return nil
}

// write writes the event as a line of JSON.
func (o *output) write(event []byte) (err error) {
	if o.line, err = logfile.AppendJSON(o.line[:0], event); err != nil {
		return err
	}
	return o.writeLine(o.line)
}

func (o *output) writeLine(line []byte) error {
	if _, err := o.buf.Write(line); err != nil {
		return o.failed(err)
	}
	return nil
}

// close writes what is buffered, and finds the errors that a full disk shows only now.
func (o *output) close() error {
	err := o.buf.Flush()
	if o.file != nil {
		if e := o.file.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return o.failed(err)
	}
	return nil
}

// failed names what could not be written; a file's own errors do.
func (o *output) failed(err error) error {
	if o.file == nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return err
}

// Package csvfile opens the CSV files that users write for the filter, and words what is wrong with them. It knows
// their form, not what is in them.
package csvfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"flb-filter-rgcn/plugin/regularfile"
)

// maxShown bounds what of a file stands in an error, in bytes.
const maxShown = 40

// Open opens the file at path for reading. It refuses what is no regular file and one of more than most bytes.
func Open(path string, most int64) (*os.File, error) {
	f, err := regularfile.Open(path)
	if odd := regularfile.Odd(0); errors.As(err, &odd) {
		return nil, fmt.Errorf("%s: is %s, want a CSV file of at most %d MiB", path, odd.What(), most>>20)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > most {
		err = fmt.Errorf("%s: has %d bytes, want a CSV file of at most %d MiB", path, info.Size(), most>>20)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// NewReader returns a reader of rows behind the byte order mark that spreadsheets write.
func NewReader(in io.Reader) *csv.Reader {
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		buffered.Discard(len(mark))
	}
	r := csv.NewReader(buffered)
	r.TrimLeadingSpace = true
	return r
}

// At is an error about a line. Its text begins with ":line: ", to stand behind the file's name.
func At(line int, format string, a ...any) error {
	return fmt.Errorf(":%d: "+format, append([]any{line}, a...)...)
}

// Error brings an error of the reader into the form of At.
func Error(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf(": %w", regularfile.Cause(err))
	}
	return At(p.Line, "%v, want fields with commas between, those with a comma or a quote in double quotes", p.Err)
}

// Show quotes a value for an error, and shortens it.
func Show(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "..."
	}
	return strconv.QuoteToASCII(s)
}

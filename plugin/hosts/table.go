package hosts

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	// maxColumns leaves a place for the prefixes among the features that the model counts.
	maxColumns = 14
	maxBytes   = 256 << 20
	// maxShown bounds what of a file stands in an error.
	maxShown = 40
)

// table is a CSV file of hosts: its first column names a host as the records do, each other one
// is a feature.
type table struct {
	columns []string // without the first
	rows    [][]string
}

func readFile(path string) (*table, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would have the host wait for whoever writes to it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s: want a CSV file of at most %d MiB", path, maxBytes>>20)
	}
	t, err := read(io.LimitReader(f, maxBytes))
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	return t, nil
}

// read reads a table. The text of an error begins with ":line: ", to stand behind the file's name.
func read(in io.Reader) (*table, error) {
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // as spreadsheets write it
		buffered.Discard(len(mark))
	}
	r := csv.NewReader(buffered)
	r.TrimLeadingSpace = true
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, at(1, "empty, want a line that names the columns, the first of them that of the hosts")
	case err != nil:
		return nil, csvError(err)
	case len(header) < 2 || len(header) > 1+maxColumns:
		return nil, at(1, "%d columns, want 2 to %d with commas between: the host, then its features", len(header), 1+maxColumns)
	}
	t := &table{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if i == 0 {
			continue
		}
		if name == "" || slices.Contains(t.columns, name) {
			return nil, at(1, "column %d is named %s, want a name of its own", i+1, show(name))
		}
		t.columns = append(t.columns, name)
	}
	lines := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := r.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if row[0] == "" {
			return nil, at(line, "a row without a host, want its name or address in the first column")
		}
		if first, twice := lines[row[0]]; twice {
			return nil, at(line, "host %s stands in line %d already, want one row for each", show(row[0]), first)
		}
		lines[row[0]] = line
		t.rows = append(t.rows, row)
	}
}

func at(line int, format string, a ...any) error {
	return fmt.Errorf(":%d: "+format, append([]any{line}, a...)...)
}

// csvError brings an error of the parser into the form of the others.
func csvError(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf(": %w", err)
	}
	if errors.Is(p.Err, csv.ErrFieldCount) {
		return at(p.Line, "another number of columns than in line 1, want as many")
	}
	return at(p.Line, "%v, want fields with commas between, those with a comma or a quote in double quotes", p.Err)
}

func show(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "..."
	}
	return strconv.QuoteToASCII(s)
}

// bins is into how many parts of the same number of hosts a column of numbers is cut, and above how many
// different values: fewer are as good as names.
const bins = 8

// features are the columns and, by host, what stands in them; an empty field is none.
func (t *table) features() (columns []string, byHost map[string][]uint64) {
	byHost = make(map[string][]uint64, len(t.rows))
	cuts := make([][]float64, len(t.columns))
	for c := range t.columns {
		cuts[c] = t.cuts(c + 1)
	}
	for _, row := range t.rows {
		list := make([]uint64, 0, len(t.columns))
		for c := range t.columns {
			value := row[c+1]
			if value == "" {
				continue
			}
			if cuts[c] != nil {
				v, _ := strconv.ParseFloat(value, 64)
				bin, _ := slices.BinarySearch(cuts[c], v)
				value = strconv.Itoa(bin)
			}
			list = append(list, hash(c, []byte(value)))
		}
		byHost[row[0]] = list
	}
	return t.columns, byHost
}

// cuts are the ends of the bins of a column of numbers; nil: it is none, or has few values.
func (t *table) cuts(column int) []float64 {
	var values []float64
	for _, row := range t.rows {
		if row[column] == "" {
			continue
		}
		v, err := strconv.ParseFloat(row[column], 64)
		if err != nil || v != v {
			return nil
		}
		values = append(values, v)
	}
	slices.Sort(values)
	if len(slices.Compact(slices.Clone(values))) <= bins {
		return nil
	}
	var ends []float64
	for i := 1; i < bins; i++ {
		ends = append(ends, values[len(values)*i/bins])
	}
	return slices.Compact(ends)
}

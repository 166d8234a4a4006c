package hosts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"flb-filter-rgcn/plugin/csvfile"
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/regularfile"
)

const (
	// maxColumns leaves a place for the prefixes among the features that the model counts.
	maxColumns = 14
	maxBytes   = 256 << 20
)

// table is a CSV file of hosts: its first column names a host as the records do, each other one
// is a feature.
type table struct {
	columns []string // without the first
	rows    [][]string
	lines   []int // where the rows stand
}

func readFile(path string, form hostname.Form) (*table, error) {
	f, err := csvfile.Open(path, maxBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := read(regularfile.Limit(f, maxBytes)) // it may grow meanwhile
	if err == nil {
		err = t.unambiguous(form)
	}
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	return t, nil
}

// unambiguous returns which two rows give a host other features, as both stand for it under other names of its.
func (t *table) unambiguous(form hostname.Form) error {
	named := make(map[string]bool, len(t.rows))
	for _, row := range t.rows {
		named[row[0]] = true
	}
	first := map[string]int{}
	for i, row := range t.rows {
		for _, name := range namesOf(row[0], form) {
			if named[name] { // a row of that very name decides
				continue
			}
			before, twice := first[name]
			if !twice {
				first[name] = i
			} else if !slices.Equal(t.rows[before][1:], row[1:]) {
				return csvfile.At(t.lines[i], "host %s is %s, as %s in line %d is, and the two rows differ: want one, or a row of that very name",
					csvfile.Show(row[0]), csvfile.Show(name), csvfile.Show(t.rows[before][0]), t.lines[before])
			}
		}
	}
	return nil
}

// read reads a table. The text of an error begins with ":line: ", to stand behind the file's name.
func read(in io.Reader) (*table, error) {
	r := csvfile.NewReader(in)
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, csvfile.At(1, "empty, want a line that names the columns, the first of them that of the hosts")
	case err != nil:
		return nil, csvfile.Error(err)
	}
	first, _ := r.FieldPos(0) // blank lines may stand above
	if len(header) < 2 || len(header) > 1+maxColumns {
		return nil, csvfile.At(first, "%d columns, want 2 to %d with commas between: the host, then its features", len(header), 1+maxColumns)
	}
	t := &table{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if i == 0 {
			continue
		}
		if name == "" || slices.Contains(t.columns, name) {
			return nil, csvfile.At(first, "column %d is named %s, want a name of its own", i+1, csvfile.Show(name))
		}
		t.columns = append(t.columns, name)
	}
	lines := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := r.FieldPos(0)
			return nil, csvfile.At(line, "another number of columns than in line %d, want as many", first)
		}
		if err != nil {
			return nil, csvfile.Error(err)
		}
		line, _ := r.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if row[0] == "" {
			return nil, csvfile.At(line, "a row without a host, want its name or address in the first column")
		}
		if before, twice := lines[row[0]]; twice {
			return nil, csvfile.At(line, "host %s stands in line %d already, want one row for each", csvfile.Show(row[0]), before)
		}
		lines[row[0]] = line
		t.rows, t.lines = append(t.rows, row), append(t.lines, line)
	}
}

// bins is into how many parts of the same number of hosts a column of numbers is cut, and above how many
// different values: fewer are as good as names.
const bins = 8

// features are, by host, what stands in the columns, and what that is called; an empty field is none. A host has the name
// in the file and the names that the form makes of it, as far as no other row is of these.
func (t *table) features(form hostname.Form) (byHost map[string][]uint64, values map[uint64]string) {
	byHost, values = make(map[string][]uint64, len(t.rows)), map[uint64]string{}
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
			name := t.columns[c] + "=" + value
			if cuts[c] != nil {
				v, _ := strconv.ParseFloat(value, 64)
				bin, _ := slices.BinarySearch(cuts[c], v)
				value, name = strconv.Itoa(bin), binName(t.columns[c], cuts[c], bin)
			}
			h := hash(c, []byte(value))
			list, values[h] = append(list, h), name
		}
		byHost[row[0]] = list
	}
	for _, row := range t.rows {
		for _, name := range namesOf(row[0], form) {
			if _, taken := byHost[name]; !taken {
				byHost[name] = byHost[row[0]]
			}
		}
	}
	return byHost, values
}

// binName is what a bin of a column of numbers is called: its values are above the end before and up to its own.
func binName(column string, ends []float64, bin int) string {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	switch bin {
	case 0:
		return column + "<=" + text(ends[0])
	case len(ends):
		return column + ">" + text(ends[bin-1])
	}
	return text(ends[bin-1]) + "<" + column + "<=" + text(ends[bin])
}

// namesOf are those that a host of the file may have in the graph: in the form, and as a part of a joined name, where
// the case of names is kept, since a part may be a user.
func namesOf(host string, form hostname.Form) []string {
	var joined []byte
	for i, part := range strings.Split(host, string(separator)) {
		if i > 0 {
			joined = append(joined, separator)
		}
		joined = hostname.Append(joined, []byte(part), hostname.Form{CutPort: form.CutPort})
	}
	return []string{string(hostname.Append(nil, []byte(host), form)), string(joined)}
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

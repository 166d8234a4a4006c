package allow

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/csvfile"
	"flb-filter-rgcn/plugin/hostname"
)

const (
	maxBytes = 4 << 20
	maxLines = 10_000
	maxNote  = 1024 // bytes
	anything = "*"
)

// The columns by their names in the first line of a file.
const (
	columnSource      = "source"
	columnRelation    = "relation"
	columnDestination = "destination"
	columnFrom        = "from"
	columnUntil       = "until"
	columnNote        = "note"
	columnVerdict     = "verdict"
)

var columns = []string{columnSource, columnRelation, columnDestination, columnFrom, columnUntil, columnNote, columnVerdict}

// header says where the columns are.
type header []string

// Read reads a list. The text of an error begins with ":line: ", to stand behind the file's name, and tells what is
// allowed.
func Read(in io.Reader, naming Naming) (*Table, error) {
	t, _, _, err := read(in, naming)
	return t, err
}

// read also returns the columns and the number of the line that names them.
func read(in io.Reader, naming Naming) (*Table, header, int, error) {
	r := csvfile.NewReader(in)
	r.Comment = '#'
	r.FieldsPerRecord = -1 // columns at the end may be left out
	names, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil, 0, csvfile.At(1, "empty, want a line that names the columns, such as %s", strings.Join(columns, ","))
	case err != nil:
		return nil, nil, 0, csvfile.Error(err)
	}
	line, _ := r.FieldPos(0)
	h, err := readHeader(names, line)
	if err != nil {
		return nil, nil, 0, err
	}
	t := &Table{naming: naming}
	seen := map[identity]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, h, line, nil
		}
		if err != nil {
			return nil, nil, 0, csvfile.Error(err)
		}
		number, _ := r.FieldPos(0)
		l, err := h.line(row, number, naming)
		if err != nil {
			return nil, nil, 0, err
		}
		if first, twice := seen[l.identity()]; twice {
			return nil, nil, 0, csvfile.At(number, "the same stands in line %d already, want each once", first)
		}
		if seen[l.identity()] = number; len(t.lines) == maxLines {
			return nil, nil, 0, csvfile.At(number, "one line too many, want at most %d; a network such as 10.1.2.0/24 stands for many hosts", maxLines)
		}
		t.add(l)
	}
}

func readHeader(names []string, line int) (header, error) {
	h := make(header, len(names))
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, name) {
			return nil, csvfile.At(line, "column %d is named %s, want %s", i+1, csvfile.Show(name), strings.Join(columns, ", "))
		}
		if slices.Contains(h, name) {
			return nil, csvfile.At(line, "column %s stands twice, want each once", name)
		}
		h[i] = name
	}
	for _, name := range []string{columnSource, columnDestination} {
		if !slices.Contains(h, name) {
			return nil, csvfile.At(line, "no column is named %s, want %s and %s at least, and of %s what is needed",
				name, columnSource, columnDestination, strings.Join(columns, ", "))
		}
	}
	return h, nil
}

// line reads a row.
func (h header) line(row []string, number int, naming Naming) (*Line, error) {
	if len(row) > len(h) {
		return nil, csvfile.At(number, "%d columns, want at most the %d that the first line names; a text with a comma in it goes in double quotes", len(row), len(h))
	}
	cells := map[string]string{columnRelation: anything}
	for i, name := range h {
		cells[name] = ""
		if i < len(row) {
			cells[name] = strings.TrimSpace(row[i])
		}
		if c := strings.IndexFunc(cells[name], unicode.IsControl); c >= 0 || !utf8.ValidString(cells[name]) {
			return nil, csvfile.At(number, "%s = %s: a control character or no UTF-8, want plain text", name, csvfile.Show(cells[name]))
		}
	}
	l := &Line{Number: number, Note: cells[columnNote], hits: new(atomic.Uint64)}
	var err error
	for _, field := range []struct {
		name  string
		parts int
		host  bool
		to    *string
	}{
		{columnSource, naming.Source, true, &l.Source},
		{columnRelation, naming.Relation, false, &l.Relation},
		{columnDestination, naming.Destination, true, &l.Destination},
	} {
		if *field.to, err = pattern(cells[field.name], field.parts, field.host, naming.Form); err != nil {
			return nil, csvfile.At(number, "%s = %s: %w", field.name, csvfile.Show(cells[field.name]), err)
		}
	}
	for _, limit := range []struct {
		name string
		end  bool
		to   *int64
	}{{columnFrom, false, &l.From}, {columnUntil, true, &l.Until}} {
		text := cells[limit.name]
		if text == "" {
			continue
		}
		t, ok := parseTime(text, limit.end)
		if !ok {
			return nil, csvfile.At(number, "%s = %s: want %s, or nothing", limit.name, csvfile.Show(text), wantTime)
		}
		*limit.to = t.UnixNano()
	}
	switch verdict := strings.ToLower(cells[columnVerdict]); verdict {
	case "", Allowed.String():
	case Bad.String():
		l.Verdict = Bad
	default:
		return nil, csvfile.At(number, "verdict = %s: want %s (or nothing) for no alert, or %s for always one", csvfile.Show(verdict), Allowed, Bad)
	}
	switch {
	case l.Until != 0 && l.Until <= l.From:
		return nil, csvfile.At(number, "until = %s: not after from = %s, want a later time", csvfile.Show(cells[columnUntil]), csvfile.Show(cells[columnFrom]))
	case len(l.Note) > maxNote:
		return nil, csvfile.At(number, "note of %d bytes, want at most %d", len(l.Note), maxNote)
	case l.everything() && l.Verdict == Bad:
		return nil, csvfile.At(number, "*,*,* is every session, want a source, a relation or a destination")
	case l.everything() && l.Until == 0:
		return nil, csvfile.At(number, "*,*,* is every session, want a source, a relation or a destination, or until, the end of it")
	}
	return l, nil
}

// everything reports whether every session matches a line.
func (l *Line) everything() bool {
	return strings.Trim(l.Source+l.Relation+l.Destination, "*|") == ""
}

// pattern turns a cell into the form in which names are looked up.
func pattern(text string, parts int, host bool, form hostname.Form) (string, error) {
	if text == "" {
		return "", errors.New("want a name, or * for any")
	}
	if text == anything {
		return text, nil
	}
	if len(text) > graphbuf.MaxName {
		return "", fmt.Errorf("%d bytes, want at most %d", len(text), graphbuf.MaxName)
	}
	each := []string{text}
	if parts > 1 {
		if each = strings.Split(text, "|"); len(each) != parts {
			return "", fmt.Errorf("%d parts, but names in the records are joined of %d: want as many with | between, such as %s, or * for any",
				len(each), parts, strings.Repeat("*|", parts-1)+"NAME")
		}
		form = hostname.Form{CutPort: form.CutPort}
	}
	for i, part := range each {
		switch {
		case part == "":
			return "", errors.New("an empty part, want a name, - for none, or * for any")
		case part == anything:
		case strings.Contains(part, anything):
			return "", errors.New("* within a name, want a whole name, * alone for any, or a network such as 10.1.2.0/24")
		case host:
			var err error
			if each[i], err = hostPattern(part, form); err != nil {
				return "", err
			}
		}
	}
	return strings.Join(each, "|"), nil
}

func hostPattern(text string, form hostname.Form) (string, error) {
	start, _, slash := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(start)
	if !slash || err != nil {
		name := hostname.Append(nil, []byte(text), form)
		if noHost(string(name), slash) {
			return "", errors.New("numbers like those of an address, but no address and no network, want an address, or a network such as 10.1.2.0/24 or 2001:db8::/32")
		}
		return string(name), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("no network, want an address and a length such as 10.1.2.0/24 or 2001:db8::/32")
	case addr.Is4In6():
		return "", fmt.Errorf("an IPv4 network as IPv6, want it as IPv4, such as 10.1.2.0/24")
	case p != p.Masked():
		return "", fmt.Errorf("bits are set behind the prefix, want %s", p.Masked())
	}
	return p.String(), nil
}

// noHost tells of a name what was meant for an address or a network and is none, so that nothing would ever match it.
// Names have dots, dashes and slashes too, and numbers alone name users and accounts.
func noHost(name string, slash bool) bool {
	start, _, _ := strings.Cut(name, "/")
	dots, colons := strings.Count(start, "."), strings.Count(start, ":")
	if strings.Trim(start, "0123456789.-") == "" && (dots >= 2 || slash && dots > 0) || slash && colons >= 2 && strings.Trim(start, "0123456789abcdefABCDEF:.") == "" {
		_, ok := hostname.Address([]byte(name))
		return !ok
	}
	return false
}

// network tells the pattern of a network from that of a name.
func network(part string) (netip.Prefix, bool) {
	if !strings.Contains(part, "/") {
		return netip.Prefix{}, false
	}
	p, err := netip.ParsePrefix(part)
	return p, err == nil
}

package allow

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"flb-filter-rgcn/plugin/csvfile"
	"flb-filter-rgcn/plugin/replacefile"
)

// Entry is a line to add, by cells. Relation, Note and Verdict may be empty, times zero.
type Entry struct {
	Source, Relation, Destination, Note string
	From, Until                         time.Time // in whole seconds, the second exclusive
	Verdict                             Verdict
}

// Append adds a line to the list in the file at path, which is made if it is not there, and gets its first line if it
// is empty, and returns it as it was understood. Everything in the file stays, comments too; a column that the line
// needs and the list lacks is added to the first line. The file is replaced by a rename, so that readers, and a loss of
// power, find the old file or the new one. Two processes that append at the same time wait for each other. Nothing
// is written if the list or the line has an error, which names the file and the line.
func Append(path string, e Entry, naming Naming) (*Line, error) {
	path, err := replacefile.Target(path)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	old, err := ReadFile(path)
	var like fs.FileInfo
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = withHeader(nil)
	case err != nil:
		return nil, err
	default:
		if like, err = os.Stat(path); err != nil {
			return nil, err
		}
		if !hasRow(old) {
			old = withHeader(old)
		}
	}
	text, err := e.appendTo(old, naming)
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	t, err := Read(bytes.NewReader(text), naming)
	if err != nil {
		return nil, fmt.Errorf("%s%w; nothing was written", path, err)
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%s: want a CSV file of at most %d MiB; nothing was written", path, maxBytes>>20)
	}
	err = replacefile.Write(path, replacefile.Options{Mode: 0o644, Like: like}, text)
	if errors.Is(err, syscall.EFBIG) {
		return nil, fmt.Errorf("%s: %w; nothing was written", path, err)
	}
	if err != nil {
		return nil, err
	}
	return t.lines[len(t.lines)-1], nil
}

// hasRow reports whether there is anything in a list but comments and blank lines.
func hasRow(text []byte) bool {
	r := csvfile.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	_, err := r.Read()
	return !errors.Is(err, io.EOF)
}

// withHeader adds the line that names the columns to a list without any row.
func withHeader(text []byte) []byte {
	end := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		end = "\r\n"
	}
	const mark = "\xef\xbb\xbf" // of a spreadsheet, is no line
	if n := len(text); n > 0 && text[n-1] != '\n' && string(text) != mark {
		text = append(text, end...)
	}
	return append(text, strings.Join(columns, ",")+end...)
}

// lock locks the directory against other processes that append. The file itself cannot be locked, as it is replaced.
func lock(directory string) (unlock func(), err error) {
	d, err := os.Open(directory)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("%s: lock: %w", directory, err)
	}
	return func() { d.Close() }, nil
}

// appendTo appends the row to the text of a list, in the order of its columns.
func (e Entry) appendTo(text []byte, naming Naming) ([]byte, error) {
	_, h, at, err := read(bytes.NewReader(text), naming)
	if err != nil {
		return nil, err
	}
	if e.Relation == "" {
		e.Relation = anything
	}
	cells := map[string]string{columnSource: e.Source, columnRelation: e.Relation, columnDestination: e.Destination, columnNote: e.Note}
	for name, t := range map[string]time.Time{columnFrom: e.From, columnUntil: e.Until} {
		if !t.IsZero() {
			cells[name] = t.UTC().Format(time.RFC3339)
		}
	}
	if e.Verdict != Allowed {
		cells[columnVerdict] = e.Verdict.String()
	}
	known := len(h)
	for _, name := range columns {
		empty := cells[name] == "" || name == columnRelation && cells[name] == anything
		switch {
		case empty || slices.Contains(h, name):
		case name == columnRelation: // the lines before would have none, which no line may
			return nil, fmt.Errorf(": no column for relation = %s, want %q in line %d and * in the lines that name none", csvfile.Show(e.Relation), name, at)
		default:
			h = append(h, name)
		}
	}
	text = addColumns(text, at, h[known:])
	row := make([]string, len(h))
	for i, name := range h {
		row[i] = cells[name]
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = bytes.Contains(text, []byte("\r\n"))
	if n := len(text); n > 0 && text[n-1] != '\n' {
		if w.UseCRLF {
			text = append(text, '\r')
		}
		text = append(text, '\n')
	}
	if strings.HasPrefix(row[0], "#") { // the writer does not quote it, and it would be a comment
		return nil, fmt.Errorf(": %s = %q: begins with #, which begins a comment", h[0], row[0])
	}
	if err := w.Write(row); err != nil {
		return nil, err
	}
	w.Flush()
	return append(text, b.Bytes()...), w.Error()
}

// addColumns adds names to the line of a list that names the columns. The rows stay: they may leave out columns at the
// end.
func addColumns(text []byte, line int, names []string) []byte {
	if len(names) == 0 {
		return text
	}
	end := 0
	for range line - 1 {
		end += bytes.IndexByte(text[end:], '\n') + 1
	}
	if n := bytes.IndexByte(text[end:], '\n'); n >= 0 {
		end += n
	} else {
		end = len(text)
	}
	end = len(bytes.TrimSuffix(text[:end], []byte("\r")))
	return slices.Concat(text[:end], []byte(","+strings.Join(names, ",")), text[end:])
}

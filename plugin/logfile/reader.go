package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/sshd"
)

// Options are what a file does not tell. The zero value reads NDJSON and Zeek's TSV.
type Options struct {
	// Columns names the columns of a TSV without a header; "", "-" and "_" skip
	// one. A file that is NDJSON or has Zeek's header does not need it.
	Columns []string
	// Lines lets a file that is neither NDJSON nor has a header nor Columns be read as text: each line is the
	// key log of a record, as tail without a parser makes it.
	Lines bool
	// Text reads any file so, whatever it begins with.
	Text bool
	// Now gives the time for each event's header. nil means time.Now.
	Now func() time.Time
}

// LineError is a line that makes no event. Reading may go on after it.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Reader yields the events of one log. It is for one goroutine, but for
// Progress, which any may call.
type Reader struct {
	name  string
	file  *countingFile
	total int64 // bytes, 0 if unknown
	lines lineReader
	now   func() time.Time
	json  *jsonParser // nil for TSV
	tsv   *tsvParser
	text  bool // lines as they are
}

// Open opens a log, "-" being standard input. Gzip and the format are
// recognised by content: '{' begins NDJSON, '#' Zeek's header, and anything
// else wants opt.Columns, or opt.Lines; what is no text is a *ContentError.
// The first bytes are read at once, so Open waits for a pipe to deliver.
func Open(path string, opt Options) (*Reader, error) {
	f, name := os.Stdin, "standard input"
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("logfile: %w", err)
		}
		name = path
	}
	r, err := newReader(name, f, opt)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("logfile: open %q: %w", name, err)
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r.total = info.Size()
	}
	return r, nil
}

func newReader(name string, in io.ReadCloser, opt Options) (*Reader, error) {
	tsv, err := newTSVParser(opt.Columns)
	if err != nil {
		return nil, err
	}
	r := &Reader{name: name, file: &countingFile{ReadCloser: in}, now: opt.Now, tsv: tsv}
	if r.now == nil {
		r.now = time.Now
	}
	return r, r.detect(opt)
}

// detect sets up decompression and the parser from the first bytes.
func (r *Reader) detect(opt Options) error {
	const bufSize = 64 << 10
	in := bufio.NewReaderSize(r.file, bufSize)
	if magic, _ := in.Peek(len(gzipMagic)); bytes.Equal(magic, gzipMagic) {
		z, err := newGzipReader(in)
		if err != nil {
			return err
		}
		in = bufio.NewReaderSize(z, bufSize)
	}
	r.lines.in = in
	// Blank lines at the start say nothing about the format, nor does a byte
	// order mark, which some Windows tools write.
	if bom, _ := in.Peek(3); string(bom) == "\ufeff" {
		in.Discard(3)
	}
	for want := 1; ; want = in.Buffered() + 1 {
		_, err := in.Peek(want)
		head, _ := in.Peek(in.Buffered())
		text := bytes.TrimLeft(head, " \t\r\n")
		switch {
		case len(text) == 0 && err == nil:
			if end := bytes.LastIndexByte(head, '\n') + 1; end > 0 { // whole lines, so that the buffer does not fill up
				r.lines.n += bytes.Count(head[:end], []byte("\n"))
				in.Discard(end)
			}
			continue
		case len(text) == 0 && err == io.EOF:
			return nil
		case len(text) == 0:
			return err
		}
		if err := otherContent(head); err != nil {
			return err
		}
		switch {
		case opt.Text:
			r.text = true
			return nil
		case text[0] == '{':
			r.json = new(jsonParser)
			return nil
		case text[0] == '#' || len(opt.Columns) > 0:
			return nil
		case opt.Lines:
			r.text = true
			return nil
		}
		help := columnHelp
		if hasSSHD(text) {
			help = sshdHelp
		}
		line := r.lines.n + 1 + bytes.Count(head[:len(head)-len(text)], []byte("\n"))
		return fmt.Errorf("line %d begins with %q, neither '{' of a JSON object nor '#' of Zeek's header: %s",
			line, text[:1], help)
	}
}

// hasSSHD reports whether a line of the text is of a session of sshd.
func hasSSHD(text []byte) bool {
	for line := range bytes.Lines(text) {
		if _, ok := sshd.Parse(line, nil, nil); ok {
			return true
		}
	}
	return false
}

// AppendRecord appends the next event to dst. It returns io.EOF at the end, a
// *LineError for a line that makes no event, and any other error when reading
// cannot go on; dst comes back as it was with each of them.
func (r *Reader) AppendRecord(dst []byte) ([]byte, error) {
	start := len(dst)
	for {
		line, err := r.lines.next()
		if err == io.EOF {
			return dst, io.EOF
		}
		if errors.Is(err, errLongLine) {
			return dst, r.lineError(err)
		}
		if err != nil {
			return dst, fmt.Errorf("%s:%d: %w", r.name, r.lines.n, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		ok := true
		dst = record.AppendHead(dst, r.now())
		if r.text {
			var lenAt int
			dst, lenAt = appendBodyHead(dst)
			dst = msgp.AppendStringFromBytes(msgp.AppendString(dst, "log"), line)
			setBodyLen(dst, lenAt, 1)
		} else if r.json != nil {
			dst, err = r.json.appendObject(dst, line)
		} else {
			dst, ok, err = r.tsv.appendLine(dst, line)
		}
		if err != nil {
			return dst[:start], r.lineError(err)
		}
		if ok {
			return dst, nil
		}
		dst = dst[:start]
	}
}

func (r *Reader) lineError(err error) error {
	return &LineError{File: r.name, Line: r.lines.n, Err: err}
}

// Progress returns how many bytes of the file were taken in and how many it
// has: compressed bytes for a compressed file, 0 where the size is unknown.
func (r *Reader) Progress() (read, total int64) { return r.file.read.Load(), r.total }

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

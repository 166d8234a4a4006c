package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync/atomic"
)

// maxLine bounds a line, and with it the memory a file can claim. The longest
// real lines carry whole payloads and stay well below.
const maxLine = 16 << 20

var errLongLine = errors.New("line longer than the 16 MiB allowed")

// lineReader splits a stream into lines of bounded length.
type lineReader struct {
	in   *bufio.Reader
	long []byte // a line that did not fit in's buffer
	n    int    // number of the line last returned
}

// next returns a line without its line end, which is valid until the next call. At
// the end it returns io.EOF and no line. A line that is too long is skipped and
// reported as errLongLine.
func (l *lineReader) next() ([]byte, error) {
	l.n++
	line, err := l.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = l.long[:0]
		tooLong := false
		for {
			if tooLong = tooLong || len(l.long)+len(line) > maxLine+len("\r\n"); !tooLong {
				l.long = append(l.long, line...)
			}
			if err != bufio.ErrBufferFull {
				break
			}
			line, err = l.in.ReadSlice('\n')
		}
		if line = l.long; tooLong && (err == nil || err == io.EOF) {
			return nil, errLongLine
		}
	}
	if err != nil && (err != io.EOF || len(line) == 0) {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) > maxLine {
		return nil, errLongLine
	}
	return line, nil
}

// countingFile counts what is read from it; a progress bar may look on from
// another goroutine.
type countingFile struct {
	io.ReadCloser
	read atomic.Int64
}

func (f *countingFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	f.read.Add(int64(n))
	return n, err
}

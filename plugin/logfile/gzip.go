package logfile

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// gzipMagic is what gzip data begin with.
var gzipMagic = []byte{0x1f, 0x8b}

// gzipReader decompresses a file of one or more runs of gzip data, and says in words what is wrong with it.
type gzipReader struct {
	in *bufio.Reader
	z  *gzip.Reader
}

func newGzipReader(in *bufio.Reader) (*gzipReader, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, inGzip(err)
	}
	z.Multistream(false) // what follows is looked at here: bytes that are no gzip would be an invalid header, or an early end
	return &gzipReader{in, z}, nil
}

func (r *gzipReader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	if err != io.EOF {
		return n, inGzip(err)
	}
	next, err := r.in.Peek(len(gzipMagic))
	switch {
	case len(next) == 0:
		return n, err
	case !bytes.Equal(next, gzipMagic):
		return n, errors.New("behind the gzip data the file has bytes that are no gzip: want nothing there, or more gzip data")
	}
	if err := r.z.Reset(r.in); err != nil {
		return n, inGzip(err)
	}
	r.z.Multistream(false)
	return n, nil
}

// inGzip says what an error of reading gzip data means. Others, such as those of a disk, stay as they are.
func inGzip(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("the compressed file is cut off within its gzip data, want the whole file: %w", io.ErrUnexpectedEOF)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fmt.Errorf("the gzip data of the file are damaged, want a whole file: %w", err)
	}
	return err
}

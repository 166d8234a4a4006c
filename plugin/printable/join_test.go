package printable

import (
	"errors"
	"io"
	"io/fs"
	"testing"
)

func TestJoin(t *testing.T) {
	if err := Join(nil, nil); err != nil {
		t.Error(err)
	}
	if err := Join(nil, io.EOF); err == nil || err.Error() != "EOF" || !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	err := Join(Join(io.EOF, nil, fs.ErrExist), fs.ErrClosed)
	if want := "EOF; file already exists; file already closed"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	for _, one := range []error{io.EOF, fs.ErrExist, fs.ErrClosed} {
		if !errors.Is(err, one) {
			t.Errorf("%v is lost", one)
		}
	}
}

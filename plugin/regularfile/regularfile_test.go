package regularfile

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"
)

// What is no regular file is refused and named, and no open waits for the other end of a pipe: this test would not end.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(unix.Mkfifo(in("pipe"), 0o600), os.Symlink("pipe", in("link")), os.WriteFile(in("file"), nil, 0o600), os.Symlink("file", in("good"))); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		path  string
		flags int
		want  string // "": it opens
	}{
		{in("pipe"), os.O_RDONLY, "is no regular file but a pipe"},
		{in("pipe"), os.O_WRONLY, "is no regular file but a pipe"}, // nobody reads it
		{in("pipe"), os.O_RDWR, "is no regular file but a pipe"},
		{in("link"), os.O_RDONLY, "is no regular file but a pipe"},
		{in("good"), os.O_RDONLY | unix.O_NOFOLLOW, "is no regular file but a symbolic link"},
		{in("good"), os.O_RDONLY, ""},
		{in("file"), os.O_RDWR, ""},
		{in("new"), os.O_CREATE | os.O_RDWR, ""},
		{in("socket"), os.O_RDONLY, "is no regular file but a socket"},
		{dir, os.O_RDONLY, "is no regular file but a directory"},
		{dir, os.O_RDWR, "is no regular file but a directory"},
		{"/dev/null", os.O_RDONLY, "is no regular file but a device"},
	} {
		f, err := OpenFile(c.path, c.flags, 0o600)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.path, err)
			} else {
				f.Close()
			}
			continue
		}
		if err == nil || err.Error() != "open "+c.path+": "+c.want || !errors.As(err, new(Odd)) || Cause(err).Error() != c.want {
			t.Errorf("%s, flags %#x: %v, want %s", c.path, c.flags, err, c.want)
		}
	}
	if _, err := Open(in("none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	loop := in("loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(loop); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
}

// A file is read up to its bound and not beyond, however large it says it is.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, most := range []int64{7, 8, 1 << 40} {
		if b, err := Read(path, most); err != nil || string(b) != "content" {
			t.Errorf("%d: %q, %v", most, b, err)
		}
	}
	const want = "has more than 6 bytes, which is more than such a file needs"
	if _, err := Read(path, 6); err == nil || err.Error() != "read "+path+": "+want || Cause(err) != TooLong(6) {
		t.Errorf("%v, want %s", err, want)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	if b, err := Read(path, 6); b != nil || !errors.As(err, new(TooLong)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if b, err := Read("/proc/self/stat", 1<<16); err != nil || !strings.HasSuffix(string(b), "\n") { // its size is 0
		t.Errorf("%q, %v", b, err)
	}
}

// A file that grows while it is read is read to the bound, in whatever pieces, and that there is more is an error.
func TestLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := Limit(f, 7)
		if err := iotest.TestReader(piece(r), []byte("content")); err != nil {
			t.Error(err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		r = Limit(f, 6)
		for range 2 {
			b, err := io.ReadAll(piece(r))
			if want := "read " + path + ": has more than 6 bytes, which is more than such a file needs"; err == nil || err.Error() != want {
				t.Errorf("%q, %v, want %s", b, err, want)
			}
		}
	}
}

func TestCause(t *testing.T) {
	if err := errors.New("x"); Cause(err) != err || Cause(nil) != nil {
		t.Error(Cause(err), Cause(nil))
	}
}

// Package regularfile opens and reads files that somebody names, or may have put in the place of others, as a part of a
// process that must not stop: what is no regular file is refused, no open waits for the other end of a pipe, and no read
// takes more than its caller allows. It looks at the open file and not at its name, in whose place another may come.
//
// It never knows what is in a file, nor who may read it.
package regularfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Odd is the error about what is no regular file, and the mode of that.
type Odd fs.FileMode

func (o Odd) Error() string { return "is no regular file but " + o.What() }

// What says what it is, in words.
func (o Odd) What() string {
	switch mode := fs.FileMode(o); mode.Type() {
	case fs.ModeDir:
		return "a directory"
	case fs.ModeNamedPipe:
		return "a pipe"
	case fs.ModeSocket:
		return "a socket"
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		return "a device"
	case fs.ModeSymlink:
		return "a symbolic link"
	default:
		return fmt.Sprintf("something of the mode %v", mode)
	}
}

// TooLong is the error about a file of more bytes than its reader allows: so many.
type TooLong int64

func (most TooLong) Error() string {
	return fmt.Sprintf("has more than %d bytes, which is more than such a file needs", int64(most))
}

// Open opens a file for reading. Its error is a *fs.PathError; that about what is no regular file wraps an Odd.
func Open(path string) (*os.File, error) { return OpenFile(path, os.O_RDONLY, 0) }

// OpenFile is Open with flags and a mode, as those of os.OpenFile. With unix.O_NOFOLLOW a symbolic link is refused as an
// Odd, too.
func OpenFile(path string, flags int, mode fs.FileMode) (*os.File, error) {
	odd := func(mode fs.FileMode) error { return &fs.PathError{Op: "open", Path: path, Err: Odd(mode)} }
	// Without these a pipe would be waited for, and a terminal could become that of the process.
	f, err := os.OpenFile(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY, mode)
	switch {
	case errors.Is(err, unix.ELOOP) && flags&unix.O_NOFOLLOW != 0:
		if info, e := os.Lstat(path); e == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, odd(info.Mode())
		}
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EISDIR): // a socket, a pipe that nobody reads; a directory
		if info, e := os.Stat(path); e == nil && !info.Mode().IsRegular() {
			return nil, odd(info.Mode())
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = odd(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Read reads a whole file. One of more than most bytes is a TooLong, in a *fs.PathError as all errors are.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadFrom(f, most)
}

// ReadFrom is Read of what remains of an open file, which may be a pipe where whoever named it waits for it.
func ReadFrom(f *os.File, most int64) ([]byte, error) {
	b, err := io.ReadAll(Limit(f, most))
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Limit returns a reader of an open file that yields its first most bytes, and the error of Read where there are more: a
// file may grow while it is read, and is not to be taken for one that ends there.
func Limit(f *os.File, most int64) io.Reader { return &limited{f, most, most} }

type limited struct {
	file       *os.File
	most, left int64 // left: below 0 once there is more
}

func (l *limited) Read(p []byte) (int, error) {
	var n int
	var err error
	if l.left >= 0 {
		n, err = l.file.Read(p[:min(int64(len(p)), l.left+1)])
		l.left -= int64(n)
	}
	if l.left < 0 {
		return max(0, n-1), &fs.PathError{Op: "read", Path: l.file.Name(), Err: TooLong(l.most)}
	}
	return n, err
}

// Cause is an error without the path, for a caller who names the file himself.
func Cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/regularfile"
)

// Dir is a state directory: one that this process has for itself, or one that it reads.
type Dir struct {
	path  string
	lock  *os.File // nil: to be read only
	lost  bool     // it was made again since Hold last said so
	notes []string
	// Files that Load could not read, so that nothing is known of them. Save sets them aside.
	unread []string
	// Room, unless nil, is asked before so many bytes of a file are taken into memory. Where it refuses, with what to do
	// about it, the file stays where it is, as one that cannot be read.
	Room func(bytes int64) error
}

// OpenReadOnly opens a directory that somebody else may be using. Nothing in it is changed.
func OpenReadOnly(path string) (*Dir, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("no directory")
	}
	if err != nil {
		return nil, fmt.Errorf("state: directory %s: %w", path, err)
	}
	return &Dir{path: path}, nil
}

// Open makes the directory if it is not there (mode 0700), makes sure that files can be
// written in it, and locks it against other processes and instances.
func Open(path string) (*Dir, error) {
	lock, err := take(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, lock: lock}
	d.note(d.Others())
	return d, nil
}

// ErrInUse is what Open wraps when somebody else has the directory.
var ErrInUse = errors.New("is in use by another process or filter")

// Check returns why Open would fail, even if nobody else had the directory. It makes and changes nothing: who checks a
// configuration may be another user than the one who will run it.
func Check(path string) error {
	f, err := openRegular(filepath.Join(path, lockName), os.O_RDWR)
	if err == nil {
		f.Close()
		return writable(path)
	}
	switch {
	case errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("state: directory %s: %w", path, err)
	case !errors.Is(err, fs.ErrNotExist):
		return notWritable(path, err)
	}
	// The lock has to be made, and perhaps the directory, and others above it.
	at, err := Above(path)
	if err != nil {
		return err
	}
	if err := unix.Faccessat(unix.AT_FDCWD, at, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return notWritable(path, &fs.PathError{Op: "write in", Path: at, Err: err})
	}
	return nil
}

// Above returns the directory that is there, be it path itself or one above it, below which Open would make what is
// missing.
func Above(path string) (string, error) {
	at, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("state: directory %s: %w", path, err)
	}
	for {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return "", notWritable(path, fmt.Errorf("%s is no directory", at))
		case err == nil:
			return at, nil
		case !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at):
			return "", notWritable(path, err)
		}
		if _, err := os.Lstat(at); err == nil {
			return "", notWritable(path, fmt.Errorf("%s is a link to what is not there", at))
		}
		at = filepath.Dir(at)
	}
}

const lockName = "lock"

func notWritable(path string, err error) error {
	return fmt.Errorf("state: directory %s must be writable: %w", path, err)
}

// writable returns why no file can be made in a directory whose lock can be written, as where somebody took the directory
// away from a user and left its files.
func writable(path string) error {
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return notWritable(path, &fs.PathError{Op: "write in", Path: path, Err: err})
	}
	return nil
}

func openLock(path string) (*os.File, error) {
	lock, err := openRegular(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, notWritable(path, err)
	}
	return lock, nil
}

// CanRead reports whether there is a blob of a name that can be read.
func (d *Dir) CanRead(name string) bool {
	f, err := openRegular(d.file(name), os.O_RDONLY)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// Others returns what somebody should know of who else may write in the directory, "" for nobody.
func (d *Dir) Others() string {
	info, err := os.Stat(d.path)
	if err != nil {
		return ""
	}
	return whoElse(d.path, info)
}

// whoElse returns which other users may write in a directory, and so could change what the filter has learned.
func whoElse(path string, info fs.FileInfo) string {
	const advice = "whoever writes there decides what this filter has learned; name a directory of its own in state.dir, or take the right away (chmod 700)"
	if info.Mode()&0o022 != 0 {
		return fmt.Sprintf("state: directory %s has the mode %v, so that others may write in it: %s", path, info.Mode(), advice)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() && st.Uid != 0 {
		return fmt.Sprintf("state: directory %s belongs to user %d, this process is of user %d: %s", path, st.Uid, os.Geteuid(), advice)
	}
	return ""
}

func (d *Dir) note(text string) {
	if text != "" {
		d.notes = append(d.notes, text)
	}
}

// Notes returns what somebody should know of the directory, each note once.
func (d *Dir) Notes() []string {
	notes := d.notes
	d.notes = nil
	return notes
}

// takeTries is how often the lock is tried again because its file was replaced meanwhile.
const takeTries = 10

// take makes the directory if need be and returns its lock.
func take(path string) (*os.File, error) {
	name := filepath.Join(path, lockName)
	for range takeTries {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("state: directory %s: %w", path, err)
		}
		lock, err := openLock(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since it was made
		}
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			lock.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("state: directory %s %w; each needs a directory of its own", path, ErrInUse)
			}
			return nil, fmt.Errorf("state: lock %s: %w", path, err)
		}
		if isAt(lock, name) {
			if err := writable(path); err != nil {
				lock.Close()
				return nil, err
			}
			return lock, nil
		}
		lock.Close()
	}
	return nil, fmt.Errorf("state: directory %s: the file lock is removed as fast as it is made", path)
}

// isAt reports whether an open file is the one at a path.
func isAt(f *os.File, name string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(open, named)
}

// openRegular opens a file of the directory. Whoever may write there shall neither lead this process to other files by
// a link, nor have it wait for the other end of a pipe.
func openRegular(name string, flags int) (*os.File, error) {
	f, err := regularfile.OpenFile(name, flags|unix.O_NOFOLLOW, 0o600)
	if odd := regularfile.Odd(0); errors.As(err, &odd) {
		return nil, fmt.Errorf("%s is %s, want a regular file; remove it", name, odd.What())
	}
	return f, err
}

// Hold makes sure that the directory is still there and this process's own. One that was removed, or replaced by
// another, is made and locked again; its contents are gone then. It is an error when somebody else has it by now. again
// reports that it was made again since Hold was last called, by Hold or by Save.
func (d *Dir) Hold() (again bool, err error) {
	err = d.hold()
	again, d.lost = d.lost, false
	return again, err
}

// hold is Hold, but for Save: the next Hold reports what it finds.
func (d *Dir) hold() error {
	if isAt(d.lock, d.file("lock")) {
		return nil
	}
	lock, err := take(d.path)
	if err != nil {
		return fmt.Errorf("%w; this filter had it until it was removed or replaced", err)
	}
	d.lock.Close()
	d.lock, d.lost = lock, true
	d.note(fmt.Sprintf("state: directory %s was removed or replaced while this filter had it; it is made and locked again", d.path))
	return nil
}

// Has reports whether there is a blob of a name, damaged or not.
func (d *Dir) Has(name string) bool {
	_, err := os.Lstat(d.file(name))
	return err == nil
}

// Close gives up the lock.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// WrittenAt returns when a blob was last written, false where there is none.
func (d *Dir) WrittenAt(name string) (at time.Time, ok bool) {
	info, err := os.Stat(d.file(name))
	if err != nil {
		return at, false
	}
	return info.ModTime(), true
}

// Written returns when the newest file of the directory was written, the zero time where there is none, and how large
// all of them are.
func (d *Dir) Written() (newest time.Time, bytes int64, err error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return newest, 0, fmt.Errorf("state: directory %s: %w", d.path, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || e.Name() == "lock" { // gone meanwhile
			continue
		}
		bytes += info.Size()
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, bytes, nil
}

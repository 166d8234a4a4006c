// Package replacefile puts a file in the place of another in one move: whoever reads finds the old one or the new one,
// whole, after a crash and a loss of power too. It never knows what is in the file.
package replacefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"flb-filter-rgcn/plugin/filelimit"
)

// ownerOnly is the mode with which a new file is made.
const ownerOnly fs.FileMode = 0o600

// Options are how a file is replaced.
type Options struct {
	// Mode is that of the new file, whatever the umask; 0: its owner alone may read and write it.
	Mode fs.FileMode
	// Like, unless nil, is the file whose mode, owner and group the new one gets.
	Like fs.FileInfo
	// Temporary is where the new file is written, for a directory that one process has for itself; what is there is
	// removed. "" is for directories of others: a name of its own beside the file, and what a process that was killed left
	// under such a name is removed.
	Temporary string
	// Ready, unless nil, is called when the new file is whole, before the move. Its error leaves the old file.
	Ready func() error
}

// Write puts a file with the given content at path. After an error the old file is still there, but where the directory
// could not be synced after the move. A content beyond what the process may write is an error (see filelimit).
func Write(path string, o Options, content ...[]byte) (err error) {
	size := 0
	for _, c := range content {
		size += len(c)
	}
	if err := filelimit.Check(int64(size)); err != nil {
		return err
	}
	f, err := create(path, o.Temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	for _, c := range content {
		if _, err = f.Write(c); err != nil {
			return err
		}
	}
	if err = own(f, path, o); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if o.Ready != nil {
		if err = o.Ready(); err != nil {
			return err
		}
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Target follows links to the file that is to be replaced: a move would put the new file in the place of the link, and
// whoever reads the file by another way would never see it. A path where nothing is stays as it is.
func Target(path string) (string, error) {
	whole, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Another process may have made the file since; only a dangling link is an error.
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return "", fmt.Errorf("%s: a link to a file that is not there, want a file", path)
		}
		return path, nil
	}
	return whole, err
}

// create makes the new file.
func create(path, temporary string) (*os.File, error) {
	if temporary != "" {
		os.Remove(temporary) // what a crash left, or somebody put there; if it stays, O_EXCL says so
		return os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, ownerOnly)
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	prefix := "." + base + "."
	removeStale(dir, prefix)
	f, err := os.CreateTemp(dir, prefix+"*"+ending) // with the mode ownerOnly
	if cause := (*fs.PathError)(nil); errors.As(err, &cause) {
		return nil, fmt.Errorf("no file can be made in %s: %w", filepath.Clean(dir), cause.Err)
	}
	return f, err
}

// own gives the new file its mode, owner and group. Some file systems refuse to change what they do not keep: nothing is
// changed that is so already.
func own(f *os.File, path string, o Options) error {
	mode := o.Mode
	if o.Like != nil {
		mode = o.Like.Mode().Perm()
	}
	if mode != 0 && mode != ownerOnly {
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if o.Like == nil {
		return nil
	}
	st, ok := o.Like.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid() {
		return nil
	}
	if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("%s keeps its owner: %w; run this as the owner", path, err)
	}
	return nil
}

const (
	ending = ".tmp" // of the name of a file that is being written
	// staleAfter is the age from which on nobody is writing such a file any more.
	staleAfter = time.Hour
)

// removeStale removes what processes left that were killed while they wrote: each such file may be as large as the one
// that it was to replace, and nobody else would ever remove it.
func removeStale(dir, prefix string) {
	entries, _ := os.ReadDir(dir) // what is wrong with the directory is told by what follows
	for _, e := range entries {
		if !isTemporary(e.Name(), prefix) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAfter {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// isTemporary tells names that create makes from those of others' hidden files.
func isTemporary(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	number, ours := strings.CutSuffix(rest, ending)
	return ok && ours && number != "" && strings.Trim(number, "0123456789") == ""
}

// syncDir makes a move last. Some file systems, such as shared folders of a virtual machine, cannot sync a directory:
// what was moved is there all the same, and whoever was told of a failure would do it again.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"flb-filter-rgcn/plugin/filelimit"
	"flb-filter-rgcn/plugin/regularfile"
)

// directory is a file of this machine, or of one that is mounted.
type directory struct{ path string }

func newDirectory(path string) *directory {
	return &directory{clean(path, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.IsDir()
	})}
}

func (d *directory) String() string { return d.path }

func (d *directory) Close() {}

// Put writes beside the file and renames: readers see the old state or the new one.
func (d *directory) Put(ctx context.Context, state []byte) (err error) {
	dir := filepath.Dir(d.path)
	// The rename would put a file in the place of a device or a pipe, and break what else uses it.
	if info, err := os.Lstat(d.path); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("what is there is no regular file (%v)", info.Mode())
	}
	if err := filelimit.Check(int64(len(state))); err != nil {
		return err
	}
	prefix := "." + filepath.Base(d.path) + "."
	removeStale(dir, prefix)
	f, err := os.CreateTemp(dir, prefix+"*"+temporary)
	if cause := (*fs.PathError)(nil); errors.As(err, &cause) {
		return fmt.Errorf("no file can be made in %s: %w", dir, cause.Err)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(state)
	// Scorers are other users, mostly; what is published is for whoever reaches the directory.
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = ctx.Err(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), d.path); err != nil {
		return err
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some file systems cannot sync a directory: what was renamed is there all the same.
	if syncErr := parent.Sync(); syncErr != nil && !errors.Is(syncErr, syscall.EINVAL) {
		err = syncErr
	}
	return errors.Join(err, parent.Close())
}

const (
	temporary = ".tmp" // how the name of a file ends that is being written
	// staleAfter is the age from which on nobody is writing such a file any more.
	staleAfter = time.Hour
)

// removeStale removes what processes left that were killed while they wrote: each such file is as large as a state, and
// nobody else would ever remove it.
func removeStale(dir, prefix string) {
	entries, _ := os.ReadDir(dir) // what is wrong with the directory is told by what follows
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), temporary) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAfter {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Get opens the file. Its tag is made of what changes whenever another file takes its place.
func (d *directory) Get(_ context.Context, tag string) (io.ReadCloser, string, error) {
	f, err := regularfile.Open(d.path)
	if err != nil {
		return nil, "", err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, "", err
	}
	newTag := fmt.Sprintf("%d-%d", info.ModTime().UnixNano(), info.Size())
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		newTag += fmt.Sprintf("-%d", st.Ino)
	}
	if newTag == tag {
		f.Close()
		return nil, tag, ErrNotModified
	}
	return f, newTag, nil
}

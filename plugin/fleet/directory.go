package fleet

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"

	"flb-filter-rgcn/plugin/regularfile"
	"flb-filter-rgcn/plugin/replacefile"
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

// Put replaces the file, of a link the one that it leads to: readers see the old state or the new one.
func (d *directory) Put(ctx context.Context, state []byte) error {
	path, err := replacefile.Target(d.path)
	if err != nil {
		return err
	}
	// The rename would put a file in the place of a device or a pipe, and break what else uses it.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("what is there is no regular file (%v)", info.Mode())
	}
	// Scorers are other users, mostly; what is published is for whoever reaches the directory.
	return replacefile.Write(path, replacefile.Options{Mode: 0o644, Ready: ctx.Err}, state)
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

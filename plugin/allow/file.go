package allow

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"flb-filter-rgcn/plugin/csvfile"
	"flb-filter-rgcn/plugin/regularfile"
)

// File is a list that follows the file it was read from.
type File struct {
	path   string
	naming Naming
	table  atomic.Pointer[Table] // never nil

	mu      sync.Mutex // guards what follows
	read    stamp      // of the file as it was read, or tried
	seen    stamp      // when it was last looked at
	problem string     // why the list differs from the file; "" if it does not
}

// stamp changes when a file changes or is replaced. The stamp of a link is that of its target.
type stamp struct {
	device, inode, size uint64
	modified, changed   syscall.Timespec
	trouble             string // why there is none
}

// NewFile returns the list of the file at path, which is empty until Load.
func NewFile(path string, naming Naming) *File {
	f := &File{path: path, naming: naming}
	f.table.Store(&Table{naming: naming})
	return f
}

// Table returns the list as it is now.
func (f *File) Table() *Table { return f.table.Load() }

// Problem is why the list differs from the file, "" if it does not.
func (f *File) Problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.problem
}

// Load reads the file. On an error, which names the file and the line, the list stays as it is.
func (f *File) Load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load(stampOf(f.path))
}

// Reload is Load if the file has changed since it was read. A file that has changed since the last call may be in the
// middle of being written: it is read when it has been left alone from one call to the next.
func (f *File) Reload() (tried bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := stampOf(f.path)
	settled := now == f.seen
	f.seen = now
	if now == f.read || !settled {
		return false, nil
	}
	return true, f.load(now)
}

// load reads the file that has the given stamp.
func (f *File) load(of stamp) error {
	f.read, f.seen, f.problem = of, of, ""
	text, err := ReadFile(f.path)
	var t *Table
	if err == nil {
		if t, err = Read(bytes.NewReader(text), f.naming); err != nil {
			err = fmt.Errorf("%s%w", f.path, err)
		}
	}
	if err != nil {
		f.problem = err.Error()
		return err
	}
	t.goOn(f.table.Load())
	f.table.Store(t)
	return nil
}

// goOn carries over the hit counts of lines that were in the list before.
func (t *Table) goOn(before *Table) {
	hits := make(map[identity]*atomic.Uint64, len(before.lines))
	for _, l := range before.lines {
		hits[l.identity()] = l.hits
	}
	for _, l := range t.lines {
		if h := hits[l.identity()]; h != nil {
			l.hits = h
		}
	}
}

// ReadFile reads a whole file if it is no larger than a list may be.
func ReadFile(path string) ([]byte, error) {
	f, err := csvfile.Open(path, maxBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return regularfile.ReadFrom(f, maxBytes) // it may grow meanwhile
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{trouble: err.Error()}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{size: uint64(info.Size()), modified: syscall.NsecToTimespec(info.ModTime().UnixNano())}
	}
	return stamp{device: st.Dev, inode: st.Ino, size: uint64(st.Size), modified: st.Mtim, changed: st.Ctim}
}

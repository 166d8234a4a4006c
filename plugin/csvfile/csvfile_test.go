package csvfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no CSV file is told by what it is, and a pipe is not waited for.
func TestOpen(t *testing.T) {
	const most = 1 << 20
	dir := t.TempDir()
	pipe, file, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "file"), filepath.Join(dir, "large")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.WriteFile(file, make([]byte, most), 0o600), os.WriteFile(large, make([]byte, most+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(file, most)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for path, want := range map[string]string{
		pipe:        ": is a pipe, want a CSV file of at most 1 MiB",
		dir:         ": is a directory, want a CSV file of at most 1 MiB",
		"/dev/null": ": is a device, want a CSV file of at most 1 MiB",
		large:       ": has 1048577 bytes, want a CSV file of at most 1 MiB",
	} {
		if _, err := Open(path, most); err == nil || err.Error() != path+want {
			t.Errorf("%v, want %s", err, path+want)
		}
	}
	if _, err := Open(filepath.Join(dir, "none"), most); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

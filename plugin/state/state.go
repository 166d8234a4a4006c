// Package state keeps named blobs in a directory so that a start always finds a whole
// one: each file says how long it is and carries a checksum, is replaced in one move,
// and the one before it stays. It knows nothing of what the blobs mean.
package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A file is a header and a payload. The header is magic, version, length of the payload
// and CRC32C of version, length and payload, little-endian.
const (
	magic      = "RGCNSTAT"
	headerSize = len(magic) + 4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Dir is a state directory: one that this process has for itself, or one that it reads.
type Dir struct {
	path string
	lock *os.File // nil: to be read only
}

// ErrInUse is what Open wraps when somebody else has the directory.
var ErrInUse = errors.New("is in use by another process or filter")

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
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state: directory %s: %w", path, err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state: directory %s must be writable: %w", path, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("state: directory %s %w; each needs a directory of its own", path, ErrInUse)
		}
		return nil, fmt.Errorf("state: lock %s: %w", path, err)
	}
	return &Dir{path, lock}, nil
}

// Close gives up the lock.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// Save writes a blob under a name and keeps the one that was there as name.prev. When it
// fails, at whatever moment, the newest whole blob is still found by Load.
func (d *Dir) Save(name string, version uint32, payload []byte) error {
	tmp := d.file(name + ".tmp")
	if err := write(tmp, version, payload); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("state: save %s: %w", d.file(name), err)
	}
	err := os.Rename(d.file(name), d.file(name+".prev"))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(tmp, d.file(name))
	}
	if err == nil {
		err = syncDir(d.path)
	}
	if err != nil {
		return fmt.Errorf("state: save %s: %w", d.file(name), err)
	}
	return nil
}

func write(path string, version uint32, payload []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	header := binary.LittleEndian.AppendUint32([]byte(magic), version)
	header = binary.LittleEndian.AppendUint64(header, uint64(len(payload)))
	header = binary.LittleEndian.AppendUint32(header, checksum(header[len(magic):], payload))
	for _, b := range [][]byte{header, payload} {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

func checksum(parts ...[]byte) (crc uint32) {
	for _, p := range parts {
		crc = crc32.Update(crc, castagnoli, p)
	}
	return crc
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Load hands the newest whole blob of a name to use, which may refuse it. A file that is
// damaged, of another version or refused is set aside under its name and .aside (where the directory is
// this process's own), and the one before it has its turn. It reports whether a blob was used, and in notes what went wrong on the way.
func (d *Dir) Load(name string, version uint32, use func(payload []byte) error) (ok bool, notes []string) {
	for _, n := range []string{name, name + ".prev"} {
		path := d.file(n)
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // nothing is known of the file: it stays where it is
			notes = append(notes, fmt.Sprintf("state: %v", err))
			continue
		}
		payload, err := check(b, version)
		if err == nil {
			err = use(payload)
		}
		if err == nil {
			if n != name {
				notes = append(notes, fmt.Sprintf("state: took the older %s", path))
			}
			return true, notes
		}
		aside := d.file(n + ".aside")
		note := fmt.Sprintf("state: %s: %v", path, err)
		if d.lock != nil && os.Rename(path, aside) == nil {
			note += fmt.Sprintf("; set aside as %s", aside)
		}
		notes = append(notes, note)
	}
	return false, notes
}

// check returns the payload of a whole file.
func check(b []byte, version uint32) ([]byte, error) {
	if len(b) < headerSize || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, fmt.Errorf("damaged: %d bytes without the header of a state file", len(b))
	}
	head, payload := b[len(magic):headerSize], b[headerSize:]
	v, length, crc := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint64(head[4:]), binary.LittleEndian.Uint32(head[12:])
	if v > version {
		return nil, fmt.Errorf("written by a newer version of this filter: format %d, this one reads up to %d", v, version)
	}
	if length != uint64(len(payload)) {
		return nil, fmt.Errorf("damaged: %d bytes of content, its header says %d", len(payload), length)
	}
	if got := checksum(head[:12], payload); got != crc {
		return nil, fmt.Errorf("damaged: checksum %08x, its header says %08x", got, crc)
	}
	return payload, nil
}

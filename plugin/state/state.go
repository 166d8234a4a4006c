// Package state keeps named blobs in a directory so that a start always finds a whole one: each file has its length and
// a checksum, is replaced by a rename, and the file before it is kept. It knows nothing of what the blobs mean.
package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"

	"flb-filter-rgcn/plugin/regularfile"
	"flb-filter-rgcn/plugin/replacefile"
)

// A file is a header and a payload. The header is magic, version, length of the payload
// and CRC32C of version, length and payload, little-endian.
const (
	magic      = "RGCNSTAT"
	headerSize = len(magic) + 4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes a blob under a name and keeps the blob before it as name.prev. If it fails, at whatever moment, Load
// still finds the newest whole blob. A directory that is gone is made again (see Hold). A file that Load could not read
// is set aside first: two saves later it would be gone.
func (d *Dir) Save(name string, version uint32, payload []byte) error {
	if err := d.hold(); err != nil {
		return err
	}
	err := replacefile.Write(d.file(name), replacefile.Options{Temporary: d.file(name + ".tmp"), Ready: func() error {
		if err := d.setUnreadAside(name); err != nil {
			return err
		}
		return d.keepPrevious(name)
	}}, header(version, payload), payload)
	if err != nil {
		return fmt.Errorf("state: save %s: %w", d.file(name), err)
	}
	return nil
}

// keepPrevious gives the blob under a name the name name.prev as well. On a file system without links it only has that
// until the new blob is there, and a crash between the two leaves the next start with the blob before.
func (d *Dir) keepPrevious(name string) error {
	from, to := d.file(name), d.file(name+".prev")
	link := to + ".tmp"
	os.Remove(link) // what a crash left
	err := os.Link(from, link)
	switch {
	case errors.Is(err, fs.ErrNotExist): // there is none, and name.prev may be all there is
		return nil
	case err == nil:
		err = os.Rename(link, to)
		os.Remove(link) // a rename between two names of one file leaves both
		return err
	}
	return os.Rename(from, to)
}

// setUnreadAside sets those of a name's two files aside that Load could not read.
func (d *Dir) setUnreadAside(name string) error {
	for _, n := range []string{name, name + ".prev"} {
		i := slices.Index(d.unread, n)
		if i < 0 {
			continue
		}
		if err := os.Rename(d.file(n), d.file(n+".aside")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		d.unread = slices.Delete(d.unread, i, i+1)
	}
	return nil
}

// Remove removes a blob and the one before it, and reports whether there was one: on a full disk another may need the
// room.
func (d *Dir) Remove(name string) (removed bool) {
	for _, n := range []string{name + ".prev", name} {
		removed = os.Remove(d.file(n)) == nil || removed
	}
	return removed
}

// header is what stands before a payload.
func header(version uint32, payload []byte) []byte {
	h := binary.LittleEndian.AppendUint32([]byte(magic), version)
	h = binary.LittleEndian.AppendUint64(h, uint64(len(payload)))
	return binary.LittleEndian.AppendUint32(h, checksum(h[len(magic):], payload))
}

func checksum(parts ...[]byte) (crc uint32) {
	for _, p := range parts {
		crc = crc32.Update(crc, castagnoli, p)
	}
	return crc
}

// Load hands the newest whole blob of a name to use, which may refuse it. A file that is
// damaged, of another version or refused is set aside under its name and .aside (where the directory is
// this process's own), and the one before it is tried. It reports whether a blob was used; notes are what went wrong.
func (d *Dir) Load(name string, version uint32, use func(payload []byte) error) (ok bool, notes []string) {
	return d.newest(name, func(f io.Reader, size int64) error {
		payload, err := read(f, size, version, d.Room)
		if err != nil {
			return err
		}
		return use(payload)
	})
}

// Whole is Load of a blob that nobody uses, and takes no memory for it.
func (d *Dir) Whole(name string, version uint32) (ok bool, notes []string) {
	return d.newest(name, func(f io.Reader, size int64) error { return check(f, size, version) })
}

// newest hands the files of a name to take, the newest first, until it takes one. The error unread leaves a file where it
// is, others set it aside.
func (d *Dir) newest(name string, take func(f io.Reader, size int64) error) (ok bool, notes []string) {
	for _, n := range []string{name, name + ".prev"} {
		path := d.file(n)
		f, size, err := openToRead(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		unreadable := err != nil
		if err == nil {
			err = take(f, size)
			f.Close()
			if cause := (unread{}); errors.As(err, &cause) {
				unreadable, err = true, fmt.Errorf("%s: %w", path, regularfile.Cause(cause.error))
			}
		}
		if unreadable { // nothing is known of the file: it stays where it is until something is saved in its place
			note := fmt.Sprintf("state: %v", err)
			if d.lock != nil {
				if !slices.Contains(d.unread, n) {
					d.unread = append(d.unread, n)
				}
				note += fmt.Sprintf("; the next save sets it aside as %s.aside", path)
			}
			notes = append(notes, note)
			continue
		}
		if err == nil {
			if n != name {
				why := ""
				if len(notes) == 0 {
					why = d.file(name) + " is not there; "
				}
				notes = append(notes, fmt.Sprintf("state: %stook the older %s", why, path))
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

func openToRead(path string) (f *os.File, size int64, err error) {
	if f, err = openRegular(path, os.O_RDONLY); err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// unread is the error about a file of which nothing is known, as it could not be read to its end.
type unread struct{ error }

// maxPayload bounds a payload, in bytes: far beyond the largest graph that the settings allow, of some 6 GiB.
const maxPayload = 64 << 30

// head is the header of a file, as far as it is right by itself.
type head struct {
	length int64       // of the payload
	crc    uint32      // that the file shall have
	sum    hash.Hash32 // of what stands before the payload
}

// readHead reads the header of a file of so many bytes. Whatever the file says, no more than it has is believed.
func readHead(f io.Reader, size int64, version uint32) (h head, err error) {
	if size < int64(headerSize) {
		return h, fmt.Errorf("damaged: %d bytes without the header of a state file", size)
	}
	b := make([]byte, headerSize)
	if _, err := io.ReadFull(f, b); err != nil {
		return h, unread{err}
	}
	if !bytes.HasPrefix(b, []byte(magic)) {
		return h, fmt.Errorf("damaged: %d bytes without the header of a state file", size)
	}
	b = b[len(magic):]
	v, length, crc := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:]), binary.LittleEndian.Uint32(b[12:])
	switch has := size - int64(headerSize); {
	case v > version:
		return h, fmt.Errorf("written by a newer version of this filter: format %d, this one reads up to %d", v, version)
	case length != uint64(has):
		return h, fmt.Errorf("damaged: %d bytes of content, its header says %d", has, length)
	case has > maxPayload:
		return h, fmt.Errorf("damaged: %d bytes of content, more than any state has", has)
	}
	h = head{int64(length), crc, crc32.New(castagnoli)}
	h.sum.Write(b[:12])
	return h, nil
}

// verify returns why what was added to the sum is not the payload.
func (h head) verify() error {
	if got := h.sum.Sum32(); got != h.crc {
		return fmt.Errorf("damaged: checksum %08x, its header says %08x", got, h.crc)
	}
	return nil
}

// read returns the payload of a whole file of so many bytes. room, unless nil, is asked before memory is taken for it.
func read(f io.Reader, size int64, version uint32, room func(bytes int64) error) ([]byte, error) {
	h, err := readHead(f, size, version)
	if err != nil {
		return nil, err
	}
	if room != nil {
		if err := room(h.length); err != nil {
			return nil, unread{err}
		}
	}
	payload := make([]byte, h.length)
	if _, err := io.ReadFull(f, payload); err != nil {
		return nil, unread{err}
	}
	h.sum.Write(payload)
	if err := h.verify(); err != nil {
		return nil, err
	}
	return payload, nil
}

// check is read without the payload.
func check(f io.Reader, size int64, version uint32) error {
	h, err := readHead(f, size, version)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(h.sum, f, h.length); err != nil {
		return unread{err}
	}
	return h.verify()
}

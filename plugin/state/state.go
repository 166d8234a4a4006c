// Package state keeps named blobs in a directory so that a start always finds a whole one: each file has its length and
// a checksum, is replaced by a rename, and the file before it is kept. It knows nothing of what the blobs mean.
package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"

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
	for _, n := range []string{name, name + ".prev"} {
		path := d.file(n)
		b, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // nothing is known of the file: it stays where it is until something is saved in its place
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
		payload, err := check(b, version)
		if err == nil {
			err = use(payload)
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

func read(path string) ([]byte, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead)) // room for the end of the file, too
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
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

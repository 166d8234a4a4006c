package state

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzFile takes any bytes for a state file: they are refused, or they are what write makes of the payload they yield.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x")
	file := func(t testing.TB, version uint32, payload []byte) []byte {
		if err := write(path, version, payload); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	f.Add(file(f, 1, []byte("payload")), uint32(1))
	f.Add(file(f, 2, nil), uint32(1))
	f.Add([]byte(magic), uint32(1))
	f.Fuzz(func(t *testing.T, b []byte, version uint32) {
		payload, err := check(b, version)
		if err == nil && !bytes.Equal(file(t, b32(b[len(magic):]), payload), b) {
			t.Fatalf("%x is taken for a state file with %x", b, payload)
		}
	})
}

func b32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

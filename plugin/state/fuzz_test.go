package state

import (
	"bytes"
	"fmt"
	"testing"
)

// FuzzFile takes any bytes for a state file: they are refused, or they are what Save makes of the payload they yield.
func FuzzFile(f *testing.F) {
	file := func(version uint32, payload []byte) []byte { return append(header(version, payload), payload...) }
	f.Add(file(1, []byte("payload")), uint32(1))
	f.Add(file(2, nil), uint32(1))
	f.Add([]byte(magic), uint32(1))
	f.Fuzz(func(t *testing.T, b []byte, version uint32) {
		payload, err := read(bytes.NewReader(b), int64(len(b)), version, nil)
		if err == nil && !bytes.Equal(file(b32(b[len(magic):]), payload), b) {
			t.Fatalf("%x is taken for a state file with %x", b, payload)
		}
		if whole := check(bytes.NewReader(b), int64(len(b)), version); fmt.Sprint(whole) != fmt.Sprint(err) {
			t.Fatalf("%x: %v, and without its payload %v", b, err, whole)
		}
	})
}

func b32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

package budget

import "testing"

// TestKeysThatWouldCollide: whoever picks names can make keys that agree in many bits, and gains nothing by it: their
// places in the index are as far apart as any others.
func TestKeysThatWouldCollide(t *testing.T) {
	const n = 4000
	for name, key := range map[string]func(i uint64) uint64{
		"equal low bits":  func(i uint64) uint64 { return i << 32 },
		"equal high bits": func(i uint64) uint64 { return i },
		"multiples":       func(i uint64) uint64 { return i * 8192 },
	} {
		d := newToday(n)
		for i := range uint64(n) {
			d.record(key(i+1), 0, 0.5, false)
		}
		if len(d.Entries) != n {
			t.Fatalf("%s: %d entries, want %d", name, len(d.Entries), n)
		}
		// A look-up goes through a run of cells in use: half full, the longest has some 30.
		longest, run := 0, 0
		for _, at := range d.index {
			if run++; at == 0 {
				run = 0
			}
			longest = max(longest, run)
		}
		if longest > 500 {
			t.Errorf("%s: a run of %d cells in use", name, longest)
		}
	}
}

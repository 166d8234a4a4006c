package fluentbit

import (
	"strings"
	"testing"
	"time"
	"unsafe"
)

// A mishap that comes with every chunk is logged at once, and then at intervals; each chunk counts.
func TestMishapsAreLoggedAtIntervals(t *testing.T) {
	var m mishap
	begin, lines := time.Unix(1_700_000_000, 0), 0
	for i := range 180 {
		n, log := m.again(begin.Add(time.Duration(i) * time.Second))
		if n != uint64(i+1) || i == 0 && !log {
			t.Fatalf("chunk %d counts as %d, logged: %v", i+1, n, log)
		}
		if log {
			lines++
		}
	}
	if lines != 3 {
		t.Errorf("%d lines in three minutes, want 3", lines)
	}
	if text := shortText(4096, 7); !strings.Contains(text, "4096 bytes") || !strings.Contains(text, "7 such chunks") {
		t.Error(text)
	}
}

// growing is an instance whose chunks become longer than there was room for, or panic.
type growing struct{ by int }

func (g growing) ProcessTagged(dst, chunk, tag []byte) ([]byte, bool) {
	if g.by < 0 {
		panic("no chunk")
	}
	return append(append(dst, chunk...), make([]byte, g.by)...), true
}

func (growing) Close() error { return nil }

// Where memory is short, at first or for what a chunk has become, it passes as it came, and that is counted.
func TestChunksThatPassForWantOfMemory(t *testing.T) {
	data := make([]byte, 1000)
	for name, c := range map[string]struct {
		by, allocations int // allocations that succeed
		size            int
		panics, short   uint64
	}{
		"fits":                          {10, 1, 1010, 0, 0},
		"does not fit":                  {50_000, 2, 51_000, 0, 0},
		"no memory":                     {10, 0, 0, 0, 1},
		"no memory for what it grew to": {50_000, 1, 0, 0, 1},
		"panic":                         {-1, 1, 0, 1, 0},
	} {
		i := instance{Instance: growing{c.by}, host: &Host{}}
		out := i.rewrite(unsafe.Pointer(&data[0]), len(data), nil, 0, func(size int) []byte {
			if c.allocations--; c.allocations < 0 {
				return nil
			}
			return allocateChunk(size)
		})
		if len(out) != c.size || i.panics.chunks.Load() != c.panics || i.short.chunks.Load() != c.short {
			t.Errorf("%s: %d bytes, %d panics, %d for want of memory, want %d, %d and %d", name, len(out), i.panics.chunks.Load(), i.short.chunks.Load(), c.size, c.panics, c.short)
		}
		freeChunk(out)
	}
}

// TestGrowth: after one chunk that grew by more than there was room for, there is room for its like.
func TestGrowth(t *testing.T) {
	var g growth
	const size, grown = 50_000, 200_000
	if room := g.room(size); room < size || room > 2*size {
		t.Errorf("at first %d bytes for %d", room, size)
	}
	g.learn(size, grown)
	for _, n := range []int{size, size / 10, 10 * size} {
		if room := g.room(n); room < n*grown/size || room > 2*n*grown/size {
			t.Errorf("%d bytes for %d, which becomes %d", room, n, n*grown/size)
		}
	}
	g.learn(size, 2*size) // less does not shrink it
	g.learn(1, 1<<40)     // nor does one oddity take all memory
	if room := g.room(size); room < grown || room > 20*size {
		t.Errorf("%d bytes for %d", room, size)
	}
}

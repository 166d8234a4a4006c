package fluentbit

/*
#include "chunk.h"
*/
import "C"

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"flb-filter-rgcn/plugin/outage"
)

// mishap is something for which a chunk passes as it came. It may come again with every chunk, and is logged at
// intervals.
type mishap struct {
	chunks atomic.Uint64
	pause  outage.Pause
}

// mishapInterval is the least time between two log lines on the same mishap.
const mishapInterval = time.Minute

// again counts a chunk. It returns how many there were since the start, and whether to log that.
func (m *mishap) again(now time.Time) (chunks uint64, log bool) {
	return m.chunks.Add(1), m.pause.Over(now, mishapInterval)
}

// shortText is the line on chunks for which memory is short.
func shortText(size int, chunks uint64) string {
	return fmt.Sprintf("filter: no memory for a chunk of %d bytes: it passes as it came, without a score (%d such chunks so far); raise the limit on the memory of the host", size, chunks)
}

// allocateChunk returns C memory, which the host may free, or nil when memory is short.
func allocateChunk(size int) []byte {
	p := C.rgcn_malloc(C.size_t(size))
	if p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), size)
}

func freeChunk(memory []byte) {
	if memory != nil {
		C.free(unsafe.Pointer(&memory[0]))
	}
}

// growth is by how much the added fields lengthened chunks so far, in parts of 256 of a chunk. Short records, and
// settings that add more fields, grow by more than the first guess.
type growth struct{ parts atomic.Int64 }

const (
	firstGrowth = 85       // a third
	maxGrowth   = 16 * 256 // what a chunk of the shortest records does, and more
	growthSpare = 1024     // bytes: one record with all fields, however short its chunk
)

// room is how many bytes the new form of a chunk probably takes at most.
func (g *growth) room(size int) int {
	return size + int(max(g.parts.Load(), firstGrowth)*int64(size)/256) + growthSpare
}

// learn takes note of a chunk for which room was not enough. Several goroutines may do so at a time: the last one
// counts.
func (g *growth) learn(size, grown int) {
	parts := min(int64(grown-size)*256/int64(size)+16, maxGrowth)
	if parts > g.parts.Load() {
		g.parts.Store(parts)
	}
}

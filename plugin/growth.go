package main

import "sync/atomic"

// growth is by how much the added fields make chunks longer, as far as chunks have shown: short
// records, and settings that add more, grow by more than the first guess.
type growth struct{ parts atomic.Int64 } // of which a chunk has 256

const (
	firstGrowth = 85       // a third
	mostGrowth  = 16 * 256 // what a chunk of the shortest records does, and more
	growthSpare = 1024     // bytes: one record with all fields, however short its chunk
)

// room is how much memory the new form of a chunk probably takes at most.
func (g *growth) room(size int) int {
	return size + int(max(g.parts.Load(), firstGrowth)*int64(size)/256) + growthSpare
}

// learn takes a chunk for which that did not do.
func (g *growth) learn(size, grown int) {
	parts := min(int64(grown-size)*256/int64(size)+16, mostGrowth)
	if parts > g.parts.Load() {
		g.parts.Store(parts)
	}
}

//go:build race

package filter

// Under the race detector a sync.Pool forgets a part of what it is given.
const poolsForget = true

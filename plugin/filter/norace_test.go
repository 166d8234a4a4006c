//go:build !race

package filter

const poolsForget = false

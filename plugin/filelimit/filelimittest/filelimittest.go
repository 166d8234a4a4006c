// Package filelimittest has a limit on the size of a file for a test.
package filelimittest

import (
	"testing"

	"flb-filter-rgcn/plugin/filelimit"
)

// Set has the process believe in a limit, in bytes, until the test ends.
func Set(t testing.TB, bytes int64) {
	was := filelimit.Of
	filelimit.Of = func() int64 { return bytes }
	t.Cleanup(func() { filelimit.Of = was })
}
